"""What tests of ``people`` need: its services on a real database, and a note of every event they publish."""

from collections.abc import AsyncIterator

import pytest

from core.clock import FakeClock
from core.db import Database, Tx
from core.events import Bus, Event
from core.jobs import Jobs
from people import events
from people.tokens import TokenService
from tests.integration.people.room import Room


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Room]:
    published: list[Event] = []

    async def note(_tx: Tx, event: Event) -> None:
        published.append(event)

    kinds = (events.ConsultantProfileChanged, events.AccessRevoked, events.RatingGiven, events.UserBlocked)
    clock = FakeClock()
    db = Database(database_url, clock=clock, bus=Bus(dict.fromkeys(kinds, (note,))), jobs=Jobs(database_url))
    yield Room(db=db, clock=clock, published=published, tokens=TokenService("s" * 40, clock))
    await db.close()
