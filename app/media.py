"""The ``media`` process: one node that carries calls and writes down what it observed."""

import asyncio
import signal

import uvloop

from app.wiring import build, close, load_settings
from core import logs
from core.tasks import finish
from media.node import MediaNode

log = logs.get(__name__)


async def main() -> None:
    """Start, carry calls until SIGTERM or SIGINT, stop."""
    settings = load_settings()
    logs.configure("media")
    house = build(settings.model_copy(update={"encoder_dir": ""}))  # nobody is matched here
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    node = MediaNode(settings, house.db)
    async with house.jobs.app.open_async():
        await node.start()
        log.info("media.ready")
        await stop.wait()
        stop.clear()
        # A second signal ends the drain: whoever stops twice is in a hurry.
        drain, again = asyncio.create_task(node.drain(settings.media_drain_s)), asyncio.create_task(stop.wait())
        await asyncio.wait({drain, again}, return_when=asyncio.FIRST_COMPLETED)
        await finish(drain, again)
        await node.stop()
    await close(house)


if __name__ == "__main__":
    uvloop.run(main())
