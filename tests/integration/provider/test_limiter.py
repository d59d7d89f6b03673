"""The limiter keeps under Stripe's limits, in order, and does not let a queue grow without end."""

import asyncio
import contextlib

import pytest

from billing.provider.errors import ProviderBusy
from billing.provider.limiter import PER_ENDPOINT, Limiter


async def test_no_second_sees_more_than_allowed() -> None:
    limiter, loop = Limiter(per_endpoint=5, in_all=8), asyncio.get_running_loop()
    times: list[float] = []

    async def one(endpoint: str) -> None:
        await limiter.turn(endpoint)
        times.append(loop.time())

    await asyncio.gather(*(one(endpoint) for endpoint in ("a", "b") for _ in range(6)))
    assert all(late - early >= 0.99 for early, late in zip(times, times[8:], strict=False))


async def test_a_queue_longer_than_the_patience_is_refused_without_sending() -> None:
    limiter = Limiter(per_endpoint=1, in_all=10, patience_s=0.5)
    await limiter.turn("a")
    with pytest.raises(ProviderBusy):
        await limiter.turn("a")
    await limiter.turn("b")


async def test_several_workers_together_stay_under_the_limits_of_one() -> None:
    for workers in (1, 2, 3, 7):
        limiters = [Limiter.part(workers) for _ in range(workers)]
        loop, sent = asyncio.get_running_loop(), 0
        deadline = loop.time() + 0.2
        for limiter in limiters:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    while True:
                        await limiter.turn("capture")
                        sent += 1
        assert workers <= sent <= PER_ENDPOINT
