"""The sandbox never starts beside real money, and says plainly why it does not start."""

import asyncio
import os
import socket
import sys

import pytest


async def _start(*arguments: str, **environment: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox",
        *arguments,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, errors.decode()


@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1"])
async def test_a_live_key_forbids_the_start(key: str) -> None:
    code, errors = await _start("--port", "0", STRIPE_SECRET_KEY=key)
    assert code == 2
    assert "live key" in errors
    assert key not in errors


async def test_a_busy_port_is_said_plainly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, errors = await _start("--port", str(taken.getsockname()[1]), STRIPE_SECRET_KEY="sk_test_x")
    assert code == 1
    assert "cannot listen" in errors
    assert "Traceback" not in errors
