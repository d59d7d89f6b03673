"""Coming back to a lost call: one new call for both, and for nobody else."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from core.errors import NotFound, Refused
from core.ids import CallId, UserId
from matching.events import OfferAccepted
from media.events import IntervalOpened
from signaling.events import CallContinued, CallWentLive
from signaling.opening import Busy
from signaling.views import CallView


async def lost(stage: Any) -> OfferAccepted:
    """A call whose customer was away for too long."""
    call: OfferAccepted = await stage.live()
    await stage.lose(call, "customer")
    stage.clock.advance(timedelta(seconds=90))
    assert await stage.calls.run_due(stage.db) == 1
    return call


async def come_back(stage: Any, call_id: CallId, user: UserId) -> CallView:
    async with stage.db.begin() as tx:
        view: CallView = await stage.returns.go_on(tx, call_id, user)
        return view


def continued(stage: Any) -> list[CallContinued]:
    return [event for event in stage.happened if isinstance(event, CallContinued)]


@pytest.mark.parametrize("side", ["customer", "consultant"])
async def test_either_side_comes_back_to_a_new_call_that_both_may_join_at_once(stage: Any, side: str) -> None:
    call = await lost(stage)
    user = call.customer_id if side == "customer" else call.consultant_id
    view = await come_back(stage, call.call_id, user)
    assert view.id != call.call_id
    assert (view.continues_call_id, view.state, view.role) == (call.call_id, "preparing", side)
    assert view.media_ready, "the hold stands already"
    assert view.deadline_at == stage.clock.now() + timedelta(seconds=60)
    assert stage.sessions.opened[-1] == (view.id, call.customer_id, call.consultant_id)
    (event,) = continued(stage)
    assert (event.call_id, event.continues_call_id) == (view.id, call.call_id)
    async with stage.db.begin() as tx:
        assert await stage.calls.first(tx, CallId(view.id)) == call.call_id
        for person in (call.customer_id, call.consultant_id):
            current = await stage.calls.current(tx, person)
            assert current.id == view.id, "the other side is told by its next snapshot"
        assert (await stage.presence.view(tx, call.consultant_id)).status == "in_meeting"
        assert await stage.calls.media_role(tx, CallId(view.id), call.consultant_id) == "consultant"


async def test_the_other_side_is_told_at_once(stage: Any) -> None:
    call = await lost(stage)
    _, url = await stage.gateway()
    other = await stage.client(url, call.consultant_id, "consultant")
    view = await come_back(stage, call.call_id, call.customer_id)
    await other.until(lambda client: client.snapshot["call"]["id"] == str(view.id))
    assert other.snapshot["call"]["continues_call_id"] == str(call.call_id)


async def test_two_who_come_back_at_once_meet_in_one_call(stage: Any) -> None:
    call = await lost(stage)
    users = [call.customer_id, call.consultant_id] * 3
    views = await asyncio.gather(*(come_back(stage, call.call_id, user) for user in users))
    assert len({view.id for view in views}) == 1
    assert len(continued(stage)) == 1


async def test_a_stranger_comes_back_to_nothing(stage: Any) -> None:
    call = await lost(stage)
    with pytest.raises(NotFound):
        await come_back(stage, call.call_id, UserId(uuid4()))
    with pytest.raises(NotFound):
        await come_back(stage, CallId(uuid4()), call.customer_id)
    assert continued(stage) == []


async def test_what_billing_refuses_did_not_happen(stage: Any) -> None:
    call = await lost(stage)

    async def refuse(_tx: Any, _event: Any) -> None:
        raise Refused("The time to come back is over.", code="rescue_over")

    stage.bus.connect({**stage.table, CallContinued: (refuse,)})
    with pytest.raises(Refused):
        await come_back(stage, call.call_id, call.customer_id)
    async with stage.db.begin() as tx:
        assert (await stage.calls.current(tx, call.customer_id)).id == call.call_id


async def test_who_is_in_another_call_is_not_called_back(stage: Any) -> None:
    call = await lost(stage)
    other: OfferAccepted = await stage.accept(consultant=call.consultant_id)
    with pytest.raises(Busy):
        await come_back(stage, call.call_id, call.customer_id)
    async with stage.db.begin() as tx:
        await stage.calls.leave(tx, other.call_id, other.customer_id)
    await come_back(stage, call.call_id, call.customer_id)


async def test_who_was_called_back_accepts_no_ring(stage: Any) -> None:
    call = await lost(stage)
    await come_back(stage, call.call_id, call.customer_id)
    with pytest.raises(Busy):
        await stage.accept(consultant=call.consultant_id)


async def test_a_return_and_an_accept_at_once_leave_the_consultant_in_one_call(stage: Any) -> None:
    call = await lost(stage)
    found = await asyncio.gather(
        come_back(stage, call.call_id, call.customer_id),
        stage.accept(consultant=call.consultant_id),
        return_exceptions=True,
    )
    assert [type(one) for one in found if isinstance(one, BaseException)] == [Busy]
    async with stage.db.begin() as tx:
        active = await stage.calls.active_call(tx, call.consultant_id)
        assert active is not None
        assert (await stage.presence.view(tx, call.consultant_id)).status == "in_meeting"


async def test_a_call_that_goes_on_is_lost_and_gone_on_with_again(stage: Any) -> None:
    call = await lost(stage)
    second = await come_back(stage, call.call_id, call.customer_id)
    stage.clock.advance(timedelta(seconds=1))
    await stage.publish(IntervalOpened(CallId(second.id), 1, stage.clock.now()))
    assert [event.call_id for event in stage.happened if isinstance(event, CallWentLive)][-1] == second.id
    async with stage.db.begin() as tx:
        await stage.calls.leave(tx, CallId(second.id), call.customer_id)
    third = await come_back(stage, call.call_id, call.consultant_id)  # the link of the first call still leads there
    assert third.continues_call_id == second.id
    async with stage.db.begin() as tx:
        assert await stage.calls.first(tx, CallId(third.id)) == call.call_id
        items, _ = await stage.calls.history(tx, call.customer_id)
    assert [item.continues_call_id for item in items] == [second.id, call.call_id, None]
