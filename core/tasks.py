"""Ending asyncio tasks for good."""

import asyncio
from typing import Any

AGAIN_S = 1.0


async def finish(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until all have ended; their results and errors are dropped.

    One cancel is not always enough: ``asyncio.wait_for`` of Python 3.11 loses it when the awaited future is done in
    the same moment (python/cpython#86296), and then the task would be waited for for ever.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_S)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # fetched, so that asyncio does not complain about it
