"""The limiter keeps under Stripe's limits, in order, and does not let a queue grow without end."""

import asyncio

import pytest

from billing.provider.errors import ProviderBusy
from billing.provider.limiter import Limiter


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
