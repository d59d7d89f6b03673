"""``python -m sandbox``: start the sandbox; never where a live key is configured."""

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import sys
from pathlib import Path

from aiohttp import web

from sandbox.app import Options, build


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="sandbox", description="A stateful stand-in for Stripe's test mode.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8010, help="0 picks a free one; it is printed")
    parser.add_argument("--public-url", help="where a browser reaches these pages (default: host and port)")
    parser.add_argument("--parent-origin", default="http://localhost:8000", help="who may embed the pages")
    parser.add_argument("--webhook-url", help="where events go; without it they are only listed")
    parser.add_argument("--webhook-secret", default=os.environ.get("STRIPE_WEBHOOK_SECRET", "whsec_sandbox"))
    parser.add_argument("--state", type=Path, help="the file that keeps everything over a restart")
    return parser.parse_args()


async def serve(given: argparse.Namespace) -> None:
    """Listen, say where, and run until told to stop."""
    # The port must be known before the application is built, because objects carry links to its pages.
    listener = socket.create_server((given.host, given.port))
    port = listener.getsockname()[1]
    host = "localhost" if given.host == "127.0.0.1" else given.host  # the name people and their browsers use
    public_url = given.public_url or f"http://{host}:{port}"
    options = Options(
        public_url=public_url,
        parent_origin=given.parent_origin,
        webhook_url=given.webhook_url,
        webhook_secret=given.webhook_secret,
        state=given.state,
    )
    runner = web.AppRunner(build(options), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    sys.stdout.write(json.dumps({"event": "sandbox.ready", "port": port, "url": public_url}) + "\n")
    sys.stdout.flush()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await runner.cleanup()


def main() -> int:
    """Refuse a live key; else serve."""
    logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stderr)
    for name in ("STRIPE_SECRET_KEY", "STRIPE_API_KEY"):
        if "_live_" in os.environ.get(name, ""):
            sys.stderr.write(f"{name} holds a live key: the sandbox does not start beside real money. Unset it.\n")
            return 2
    given = arguments()
    try:
        asyncio.run(serve(given))
    except OSError as error:
        sys.stderr.write(f"The sandbox cannot listen on {given.host}:{given.port}: {error.strerror}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
