"""A consultant's presence on a real database."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from core.errors import Refused
from core.ids import UserId
from matching.events import OfferMissed
from signaling.events import PresenceChanged
from signaling.status import Status

GRACE = timedelta(seconds=30)


async def switch(stage: Any, user: UserId, online: bool) -> Any:
    async with stage.db.begin() as tx:
        return await stage.presence.set_online(tx, user, online)


async def status(stage: Any, user: UserId) -> str:
    async with stage.db.begin() as tx:
        return str((await stage.presence.view(tx, user)).status)


async def beat(stage: Any, user: UserId) -> None:
    async with stage.db.begin() as tx:
        await stage.presence.heartbeat(tx, user)


def published(stage: Any) -> list[str]:
    return [event.status for event in stage.happened if isinstance(event, PresenceChanged)]


async def test_nobody_goes_online_while_something_is_missing(stage: Any) -> None:
    stage.missing.append("payout_account")
    with pytest.raises(Refused) as refused:
        await switch(stage, UserId(uuid4()), True)
    assert refused.value.details == {"missing": ["payout_account"]}
    assert published(stage) == []


async def test_the_switch_turns_on_and_off(stage: Any) -> None:
    user = UserId(uuid4())
    assert (await switch(stage, user, True)).status == "available"
    assert (await switch(stage, user, False)).status == "offline"
    assert published(stage) == ["available", "offline"]


async def test_a_killed_tab_is_offline_after_the_grace_and_back_with_its_heartbeat(stage: Any) -> None:
    user = UserId(uuid4())
    await switch(stage, user, True)
    stage.clock.advance(GRACE)
    assert await stage.presence.run_due(stage.db) == 0
    stage.clock.advance(timedelta(milliseconds=1))
    assert await stage.presence.run_due(stage.db) == 1
    assert await status(stage, user) == "offline"
    assert await stage.presence.run_due(stage.db) == 0
    await beat(stage, user)
    assert await status(stage, user) == "available"


async def test_heartbeats_keep_a_consultant_online(stage: Any) -> None:
    user = UserId(uuid4())
    await switch(stage, user, True)
    for _ in range(12):
        stage.clock.advance(timedelta(seconds=10))
        await beat(stage, user)
        assert await stage.presence.run_due(stage.db) == 0
    assert published(stage) == ["available"]


async def test_a_heartbeat_does_not_turn_the_switch_on(stage: Any) -> None:
    user = UserId(uuid4())
    await switch(stage, user, True)
    await switch(stage, user, False)
    stage.clock.advance(timedelta(seconds=20))
    await beat(stage, user)
    assert await status(stage, user) == "offline"


async def test_two_missed_rings_make_away_and_one_click_returns(stage: Any) -> None:
    user = UserId(uuid4())
    await switch(stage, user, True)
    await stage.publish(OfferMissed(user, 1))
    assert await status(stage, user) == "available"
    await stage.publish(OfferMissed(user, 2))
    assert await status(stage, user) == "away"
    assert (await switch(stage, user, True)).status == "available"


async def test_a_call_is_a_meeting_and_gives_back_what_was_before(stage: Any) -> None:
    call = await stage.accept()
    assert await status(stage, call.consultant_id) == "in_meeting"
    await switch(stage, call.consultant_id, True)
    assert await status(stage, call.consultant_id) == "in_meeting"
    async with stage.db.begin() as tx:
        await stage.calls.leave(tx, call.call_id, call.customer_id)
    assert await status(stage, call.consultant_id) == "available"


async def test_a_consultant_who_vanished_in_the_call_is_offline_after_it(stage: Any) -> None:
    call = await stage.live()
    await switch(stage, call.consultant_id, True)
    stage.clock.advance(timedelta(seconds=31))
    assert await stage.presence.run_due(stage.db) == 0
    async with stage.db.begin() as tx:
        await stage.calls.leave(tx, call.call_id, call.customer_id)
    assert await status(stage, call.consultant_id) == "offline"


async def test_who_can_no_longer_be_paid_goes_offline(stage: Any) -> None:
    class Changed:
        def __init__(self, user_id: UserId, can_receive: bool) -> None:
            self.user_id, self.can_receive = user_id, can_receive

    user = UserId(uuid4())
    await switch(stage, user, True)
    async with stage.db.begin() as tx:
        await stage.presence.on_payout_account_changed(tx, Changed(user, False))
    assert await status(stage, user) == "offline"


async def test_the_time_spent_in_each_status_is_booked(stage: Any) -> None:
    user = UserId(uuid4())
    start = stage.clock.now()
    await switch(stage, user, True)
    stage.clock.advance(timedelta(seconds=20))
    await stage.publish(OfferMissed(user, 2))
    stage.clock.advance(timedelta(seconds=5))
    async with stage.db.begin() as tx:
        spent = await stage.presence.spent_ms(tx, user, start + timedelta(seconds=10))
    assert (spent[Status.AVAILABLE], spent[Status.AWAY], spent[Status.IN_MEETING]) == (10_000, 5_000, 0)


async def test_a_worker_that_was_dead_makes_no_online_time_of_a_closed_tab(stage: Any) -> None:
    user = UserId(uuid4())
    began = stage.clock.now()
    await switch(stage, user, True)
    stage.clock.advance(timedelta(hours=1))  # the tab is closed, and no worker looks
    assert await stage.presence.run_due(stage.db) == 1
    async with stage.db.begin() as tx:
        spent = await stage.presence.spent_ms(tx, user, began)
    assert spent[Status.AVAILABLE] == GRACE // timedelta(milliseconds=1)


async def test_a_tab_that_comes_back_before_any_worker_looked_was_away_in_between(stage: Any) -> None:
    user = UserId(uuid4())
    began = stage.clock.now()
    await switch(stage, user, True)
    stage.clock.advance(timedelta(hours=1))
    await beat(stage, user)
    stage.clock.advance(timedelta(seconds=5))
    async with stage.db.begin() as tx:
        spent = await stage.presence.spent_ms(tx, user, began)
    assert spent[Status.AVAILABLE] == (GRACE + timedelta(seconds=5)) // timedelta(milliseconds=1)
    assert published(stage) == ["available", "offline", "available"]
