"""The billing room for tests."""

from collections.abc import AsyncIterator

import pytest

from core.clock import FakeClock
from core.settings import Settings
from tests.fakes.sandbox import in_process
from tests.integration.billing.room import Room


@pytest.fixture
async def room(settings: Settings, clock: FakeClock) -> AsyncIterator[Room]:
    """Every billing service on real PostgreSQL and the sandbox, card and payout account ready."""
    async with in_process() as sandbox:
        room = Room(settings.model_copy(update={"stripe_public_base": sandbox.url}), clock, sandbox)
        async with room.jobs.app.open_async():
            await room.equip()
            room.heard.clear()
            yield room
        await room.close()
