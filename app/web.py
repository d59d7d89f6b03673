"""The ``web`` process: HTTP API, Socket.IO signaling and the built client."""

import asyncio
import signal

import uvloop
from aiohttp import web

from app.mirroring import mirroring
from app.wiring import build, build_gateway, close, load_settings
from core import logs
from web.application import build_application
from web.readiness import READINESS

log = logs.get(__name__)

DRAIN_S = 0.5  # time for a proxy to notice that we are not ready
SHUTDOWN_S = 5.0


async def main() -> None:
    """Start, serve until SIGTERM or SIGINT, drain, stop."""
    settings = load_settings()
    logs.configure("web")
    house = build(settings)
    gateway = build_gateway(house)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    app = build_application(house)
    gateway.attach(app)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=False, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    async with house.jobs.app.open_async(), mirroring(house.db, house.consultants):
        await gateway.start()
        await web.TCPSite(runner, settings.host, settings.port).start()
        log.info("web.ready", port=settings.port)
        await stop.wait()
        app[READINESS].draining = True
        await asyncio.sleep(DRAIN_S)
        await gateway.stop()
        await runner.cleanup()
    await close(house)


if __name__ == "__main__":
    uvloop.run(main())
