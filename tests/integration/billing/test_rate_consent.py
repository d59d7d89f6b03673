"""A price above what the customer agreed to stops the accept itself."""

import pytest

from core.errors import Refused
from tests.integration.billing.room import Room


async def test_a_rate_above_the_consented_maximum_opens_no_charge(room: Room) -> None:
    with pytest.raises(Refused) as refused:
        await room.open(rate=9_001, max_rate=9_000)
    assert refused.value.code == "rate_above_consent"
