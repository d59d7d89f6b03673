"""Two people in a paid call on the real processes, for the days on which something goes wrong."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest

from app.demo_people import LOGINS, PASSWORD
from app.embedded.postgres import free_port
from app.stack import Plan, Stack
from tests.fakes.caller import Caller
from tests.fakes.paid_call import PaidCall

LIMITS = {"RATE_LIMIT_LOGIN_PER_MIN": "1000", "RATE_LIMIT_API_PER_MIN": "5000"}
# Shorter spans of the same rules, so that a test need not wait for a minute and a half.
SPANS = {"LOST_S": "12", "PREPARE_JOIN_S": "4", "AUTHENTICATE_S": "20", "RESCUE_S": "20"}


class Servers:
    """Stops and starts PostgreSQL and Redis beside the event loop, on which both people of a call send their media.

    One thread for as long as the stack lives: a child dies with the thread that started it.
    """

    def __init__(self, stack: Stack, thread: ThreadPoolExecutor) -> None:
        self._stack, self._thread = stack, thread

    async def stop(self, name: Literal["postgres", "redis"]) -> None:
        """Return when it is gone."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._stack.stop_server, name)

    async def start(self, name: Literal["postgres", "redis"]) -> None:
        """Return when it answers."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._stack.start_server, name)


@pytest.fixture(scope="module")
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool


@pytest.fixture
def servers(stack: Stack, thread: ThreadPoolExecutor) -> Servers:
    return Servers(stack, thread)


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    thread: ThreadPoolExecutor,  # noqa: ARG001 - it outlives what it started
) -> Iterator[Stack]:
    data = tmp_path_factory.mktemp("stack")
    settings = LIMITS | SPANS
    running = Stack(
        Plan(data=data, port=free_port(), environment="test", robot=False, throwaway=True, settings=settings)
    )
    running.start()
    yield running
    running.stop()
    if os.environ.get("KEEP_LOGS"):
        shutil.copytree(data / "logs", Path("test-results") / "days-logs", dirs_exist_ok=True)


@pytest.fixture
async def watched(stack: Stack) -> AsyncIterator[Stack]:
    """The stack, with what dies started again, as ./run does it."""

    async def watch() -> None:
        while True:
            stack.poll()
            await asyncio.sleep(0.1)

    watcher = asyncio.create_task(watch())
    yield stack
    watcher.cancel()
    await asyncio.gather(watcher, return_exceptions=True)


@pytest.fixture
async def paid_call(watched: Stack) -> AsyncIterator[PaidCall]:
    async with (
        Caller(watched.url, LOGINS["customer"], PASSWORD) as customer,
        Caller(watched.url, LOGINS["consultant"], PASSWORD) as consultant,
    ):
        call = PaidCall(watched, customer, consultant)
        yield call
        if call.call_id and not call.over:
            await call.leave()
