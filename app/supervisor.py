"""What ``./run`` runs: the whole stack on this machine, with readable lines, until Ctrl-C."""

import argparse
import fcntl
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType

from app.demo_people import LOGINS, PASSWORD
from app.stack import ROOT, Plan, Stack

POLL_S = 0.2


def main() -> int:
    """Start, watch and stop the stack; the exit code is 0 after Ctrl-C and 1 when it could not start."""
    wishes = arguments()
    data = wishes.data.resolve()
    if not port_is_free(wishes.port):
        return refuse(
            f"Port {wishes.port} is busy. Stop what uses it, or choose another: ./run --port {wishes.port + 10}"
        )
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return refuse(f"Another ./run uses {data}. Stop it first, or give this one a folder: ./run --data FOLDER")
        if wishes.reset:
            reset(data)
        return run(wishes, data)


def run(wishes: argparse.Namespace, data: Path) -> int:
    """Start the stack and keep it running until a signal asks for the end."""
    began = time.monotonic()
    plan = Plan(
        data=data,
        port=wishes.port,
        database_url=os.environ.get("DATABASE_URL") or None,
        redis_url=os.environ.get("REDIS_URL") or None,
        robot=not wishes.no_robot,
        turn=True,
    )
    stack = Stack(plan, say)
    ended = False

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal ended
        if ended:
            return
        ended = True
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    try:
        stack.start()
        welcome(stack, time.monotonic() - began)
        while True:
            for line in stack.poll():
                say(line)
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        say("Stopping")
        return 0
    except (RuntimeError, OSError) as error:
        return refuse(str(error))
    finally:
        stack.stop()


def welcome(stack: Stack, seconds: float) -> None:
    """Print where to click and how to log in."""
    lines = ["", f"  Consultant Connect is ready after {seconds:.1f} s", ""]
    lines.append(f"  Both sides at once   {stack.url}/demo")
    lines.append(f"  The product          {stack.url}/")
    if stack.env["MAIL_URL"].startswith("file:"):
        lines.append(f"  Mails, as files      {stack.env['MAIL_URL']}")
    lines += ["", f"  Log-ins (password of each: {PASSWORD})"]
    lines += [f"    {role:<12} {email}" for role, email in LOGINS.items()]
    lines += ["", f"  Logs: {stack.plan.data / 'logs'}   Stop: Ctrl-C   Start over: ./run --reset", ""]
    print("\n".join(lines), flush=True)  # noqa: T201 - terminal tool


def reset(data: Path) -> None:
    """Forget every demo row, secret and log of ``data``."""
    for entry in data.iterdir():
        if entry.name == "lock":
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def port_is_free(port: int) -> bool:
    """Whether nobody listens on ``port`` of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="./run", description="Start Consultant Connect on this machine.")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")), help="where the page answers")
    parser.add_argument("--reset", action="store_true", help="forget all demo data and start over")
    parser.add_argument("--no-robot", action="store_true", help="no robot consultant")
    parser.add_argument("--data", type=Path, default=ROOT / ".data", help="where databases, secrets and logs are kept")
    return parser.parse_args()


def say(line: str) -> None:
    """One line of progress."""
    print(f"· {line}", flush=True)  # noqa: T201 - terminal tool


def refuse(line: str) -> int:
    """One readable line of what is wrong; the exit code."""
    print(f"✗ {line}", file=sys.stderr, flush=True)  # noqa: T201 - terminal tool
    return 1


if __name__ == "__main__":
    sys.exit(main())
