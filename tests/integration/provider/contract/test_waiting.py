"""What Stripe does by itself is waited for by asking, and given up with what was seen last."""

from itertools import count

import pytest

from tests.integration.provider.contract.side import Side


async def test_what_is_not_so_yet_is_asked_for_again(side: Side) -> None:
    answers = count()

    async def ask() -> int:
        return next(answers)

    assert await side.eventually("three answers", ask, lambda number: number == 2) == 2


async def test_what_never_becomes_so_fails_with_the_last_answer(side: Side) -> None:
    side.within_s = 0

    async def ask() -> str:
        return "pending"

    with pytest.raises(pytest.fail.Exception, match="Last seen: pending"):
        await side.eventually("the account is verified", ask, lambda status: status == "verified")
