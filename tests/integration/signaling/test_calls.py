"""A call's life on a real database."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from core.errors import AppError, Conflict, IllegalMove, NotFound, Refused
from core.ids import CallId, UserId
from media.events import IntervalClosed, IntervalOpened, ParticipantSeen
from people.events import AccessRevoked, UserBlocked
from signaling.events import CallEnded, CallOpened, CallPaused, CallResumed, CallWentLive
from signaling.pause import PauseAction
from signaling.views import CallView


async def view(stage: Any, call: Any, *, customer: bool = True) -> CallView:
    async with stage.db.begin() as tx:
        found: CallView = await stage.calls.get(tx, call.call_id, call.customer_id if customer else call.consultant_id)
        return found


def told(stage: Any, kind: type[Any]) -> list[Any]:
    return [event for event in stage.happened if isinstance(event, kind)]


async def do(stage: Any, call: Any, action: str, *, customer: bool = True) -> None:
    user = call.customer_id if customer else call.consultant_id
    async with stage.db.begin() as tx:
        await stage.calls.pause(tx, call.call_id, user, PauseAction(action))


async def test_an_accepted_offer_opens_one_call_that_waits_for_its_hold(stage: Any) -> None:
    call = await stage.accept()
    seen = await view(stage, call)
    assert (seen.state, seen.media_ready, seen.deadline_at) == ("preparing", False, None)
    assert seen.reference.startswith("CC-20260105-")
    assert [event.call_id for event in told(stage, CallOpened)] == [call.call_id]
    assert stage.sessions.opened == []
    async with stage.db.begin() as tx:
        with pytest.raises(Refused):
            await stage.calls.media_role(tx, call.call_id, call.customer_id)


async def test_a_hold_opens_media_and_starts_the_minute_to_join(stage: Any) -> None:
    call = await stage.ready()
    seen = await view(stage, call)
    assert seen.media_ready
    assert seen.deadline_at == stage.clock.now() + timedelta(seconds=60)
    assert stage.sessions.opened == [(call.call_id, call.customer_id, call.consultant_id)]


async def test_a_call_nobody_joins_ends_as_no_show_after_a_minute_and_not_before(stage: Any) -> None:
    call = await stage.ready()
    stage.clock.advance(timedelta(seconds=59))
    assert await stage.calls.run_due(stage.db) == 0
    stage.clock.advance(timedelta(seconds=1))
    assert await stage.calls.run_due(stage.db) == 1
    assert (await view(stage, call)).close_reason == "no_show"
    [end] = told(stage, CallEnded)
    assert (end.reason, end.went_live, end.absent) == ("no_show", False, ("consultant", "customer"))


async def test_the_end_names_who_was_never_seen(stage: Any) -> None:
    call = await stage.ready()
    await stage.publish(ParticipantSeen(call.call_id, "customer", stage.clock.now()))
    stage.clock.advance(timedelta(seconds=60))
    assert await stage.calls.run_due(stage.db) == 1
    [end] = told(stage, CallEnded)
    assert (end.reason, end.absent) == ("no_show", ("consultant",))


async def test_a_hold_that_is_never_answered_does_not_keep_a_call_for_ever(stage: Any) -> None:
    call = await stage.accept()
    stage.clock.advance(timedelta(seconds=180))
    assert await stage.calls.run_due(stage.db) == 1
    assert (await view(stage, call)).close_reason == "payment_unavailable"


async def test_both_sides_seen_makes_a_call_live_once(stage: Any) -> None:
    call = await stage.live()
    await stage.publish(IntervalClosed(call.call_id, 1, stage.clock.now(), 5_000, "demo_skip"))
    await stage.publish(IntervalOpened(call.call_id, 2, stage.clock.now()))
    seen = await view(stage, call)
    assert (seen.state, seen.deadline_at) == ("live", None)
    assert seen.participants.customer.seen
    assert seen.participants.consultant.seen
    assert len(told(stage, CallWentLive)) == 1


async def test_a_lost_side_has_ninety_seconds_to_come_back(stage: Any) -> None:
    call = await stage.live()
    await stage.lose(call, "consultant")
    seen = await view(stage, call)
    assert (seen.state, seen.participants.consultant.seen) == ("interrupted", False)
    assert seen.deadline_at == stage.clock.now() + timedelta(seconds=90)
    stage.clock.advance(timedelta(seconds=89))
    assert await stage.calls.run_due(stage.db) == 0
    await stage.publish(ParticipantSeen(call.call_id, "consultant", stage.clock.now()))
    await stage.publish(IntervalOpened(call.call_id, 2, stage.clock.now()))
    stage.clock.advance(timedelta(seconds=600))
    assert await stage.calls.run_due(stage.db) == 0
    assert (await view(stage, call)).state == "live"


async def test_a_side_away_for_ninety_seconds_ends_the_call_as_connection_lost(stage: Any) -> None:
    call = await stage.live()
    await stage.lose(call, "customer")
    stage.clock.advance(timedelta(seconds=90))
    assert await stage.calls.run_due(stage.db) == 1
    assert (await view(stage, call)).close_reason == "connection_lost"
    assert told(stage, CallEnded)[0].went_live


async def test_a_dead_media_node_interrupts_the_call_for_both(stage: Any) -> None:
    call = await stage.live()
    await stage.publish(IntervalClosed(call.call_id, 1, stage.clock.now(), 5_000, "node_lost"))
    seen = await view(stage, call)
    assert seen.state == "interrupted"
    assert not seen.participants.customer.seen
    assert not seen.participants.consultant.seen


async def test_leaving_ends_the_call_for_both_and_leaving_again_changes_nothing(stage: Any) -> None:
    call = await stage.live()
    for user in (call.consultant_id, call.customer_id, call.consultant_id):
        async with stage.db.begin() as tx:
            await stage.calls.leave(tx, call.call_id, user)
    assert (await view(stage, call)).close_reason == "consultant_left"
    assert len(told(stage, CallEnded)) == 1


async def test_a_late_hold_does_not_wake_an_ended_call(stage: Any) -> None:
    call = await stage.accept()
    async with stage.db.begin() as tx:
        await stage.calls.leave(tx, call.call_id, call.customer_id)
    await stage.hold(call)
    assert stage.sessions.opened == []
    assert (await view(stage, call)).state == "ended"


async def test_media_seen_after_the_end_does_not_wake_an_ended_call(stage: Any) -> None:
    call = await stage.live()
    async with stage.db.begin() as tx:
        await stage.calls.leave(tx, call.call_id, call.customer_id)
    await stage.publish(IntervalOpened(call.call_id, 2, stage.clock.now()))
    await stage.lose(call, "customer")
    assert (await view(stage, call)).close_reason == "customer_left"


async def test_a_pause_needs_both_and_is_ended_by_either(stage: Any) -> None:
    call = await stage.live()
    await do(stage, call, "propose")
    paused = (await view(stage, call)).pause
    assert paused is not None
    assert (paused.state, paused.by) == ("proposed", "customer")
    with pytest.raises(IllegalMove):
        await do(stage, call, "agree")
    assert told(stage, CallPaused) == []
    await do(stage, call, "agree", customer=False)
    assert len(told(stage, CallPaused)) == 1
    await stage.publish(IntervalClosed(call.call_id, 1, stage.clock.now(), 5_000, "agreed_pause"))
    assert (await view(stage, call)).state == "live"
    await do(stage, call, "resume")
    assert len(told(stage, CallResumed)) == 1
    assert (await view(stage, call)).pause is None


async def test_a_declined_pause_leaves_no_trace(stage: Any) -> None:
    call = await stage.live()
    await do(stage, call, "propose")
    await do(stage, call, "decline", customer=False)
    assert (await view(stage, call)).pause is None
    assert told(stage, CallPaused) == told(stage, CallResumed) == []


async def test_who_vanishes_in_a_pause_has_ninety_seconds_too(stage: Any) -> None:
    call = await stage.live()
    await do(stage, call, "propose")
    await do(stage, call, "agree", customer=False)
    await stage.lose(call, "customer")
    assert (await view(stage, call)).state == "interrupted"
    await stage.publish(ParticipantSeen(call.call_id, "customer", stage.clock.now()))
    seen = await view(stage, call)
    assert (seen.state, seen.deadline_at) == ("live", None)


async def test_no_pause_before_both_were_there(stage: Any) -> None:
    call = await stage.ready()
    with pytest.raises(Conflict):
        await do(stage, call, "propose")


async def test_a_stranger_finds_nothing_in_any_use_case(stage: Any) -> None:
    call = await stage.live()
    stranger = UserId(uuid4())
    uses = [
        lambda tx: stage.calls.get(tx, call.call_id, stranger),
        lambda tx: stage.calls.leave(tx, call.call_id, stranger),
        lambda tx: stage.calls.pause(tx, call.call_id, stranger, PauseAction.PROPOSE),
        lambda tx: stage.calls.participants(tx, call.call_id, stranger),
        lambda tx: stage.calls.media_role(tx, call.call_id, stranger),
        lambda tx: stage.calls.set_media_state(tx, call.call_id, stranger, microphone=True, camera=True, screen=True),
        lambda tx: stage.chat.send(tx, call.call_id, stranger, client_id="a", text="hello"),
        lambda tx: stage.chat.history(tx, call.call_id, stranger),
        lambda tx: stage.calls.get(tx, CallId(uuid4()), call.customer_id),
    ]
    for use in uses:
        with pytest.raises(NotFound):
            async with stage.db.begin() as tx:
                await use(tx)
    assert (await view(stage, call)).state == "live"


async def test_the_history_is_paged_newest_first(stage: Any) -> None:
    call = await stage.live()
    async with stage.db.begin() as tx:
        items, cursor = await stage.calls.history(tx, call.consultant_id, limit=1)
        assert [item.id for item in items] == [call.call_id]
        assert (cursor, items[0].role, items[0].question_title) == (None, "consultant", "How do I test a socket?")
        with pytest.raises(AppError):
            await stage.calls.history(tx, call.consultant_id, cursor="nonsense")


async def test_an_ended_call_stays_in_the_snapshot_for_ten_minutes(stage: Any) -> None:
    call = await stage.live()
    async with stage.db.begin() as tx:
        await stage.calls.leave(tx, call.call_id, call.customer_id)
    stage.clock.advance(timedelta(minutes=10))
    async with stage.db.begin() as tx:
        assert await stage.calls.current(tx, call.consultant_id) is not None
        assert await stage.calls.active_call(tx, call.consultant_id) is None
    stage.clock.advance(timedelta(seconds=1))
    async with stage.db.begin() as tx:
        assert await stage.calls.current(tx, call.consultant_id) is None


async def test_who_blocks_the_other_side_has_left_the_call(stage: Any) -> None:
    call = await stage.ready()
    await stage.publish(UserBlocked(call.consultant_id, UserId(uuid4())))
    assert (await view(stage, call)).state != "ended", "somebody else"
    await stage.publish(UserBlocked(call.consultant_id, call.customer_id))
    seen = await view(stage, call)
    assert (seen.state, seen.close_reason) == ("ended", "consultant_left")


async def test_a_disabled_account_leaves_its_call(stage: Any) -> None:
    call = await stage.live()
    await stage.publish(AccessRevoked(call.customer_id, None, "disabled"))
    assert (await view(stage, call)).close_reason == "removed"


async def test_every_change_raises_both_versions(stage: Any) -> None:
    call = await stage.live()
    before = [await stage.version(user) for user in (call.customer_id, call.consultant_id)]
    await stage.lose(call, "customer")
    after = [await stage.version(user) for user in (call.customer_id, call.consultant_id)]
    assert all(new > old for old, new in zip(before, after, strict=True))


async def test_two_workers_end_a_call_once(stage: Any) -> None:
    await stage.ready()
    stage.clock.advance(timedelta(seconds=61))
    assert sum(await asyncio.gather(*(stage.calls.run_due(stage.db) for _ in range(4)))) == 1
    assert len(told(stage, CallEnded)) == 1


async def test_chat_is_ordered_idempotent_and_readable_after_the_end(stage: Any) -> None:
    call = await stage.live()

    async def say(user: UserId, key: str) -> int:
        async with stage.db.begin() as tx:
            return int((await stage.chat.send(tx, call.call_id, user, client_id=key, text=f"<b>{key}</b>")).seq)

    sends = [say(user, f"m{n}") for n in range(10) for user in (call.customer_id, call.consultant_id) for _ in (1, 2)]
    seqs = await asyncio.gather(*sends)
    assert sorted(set(seqs)) == list(range(1, 21))
    async with stage.db.begin() as tx:
        await stage.calls.leave(tx, call.call_id, call.customer_id)
    with pytest.raises(Conflict):
        await say(call.customer_id, "late")
    assert await say(call.customer_id, "m0") in seqs
    async with stage.db.begin() as tx:
        history = await stage.chat.history(tx, call.call_id, call.consultant_id)
    assert [message.seq for message in history] == list(range(1, 21))
    assert all(message.text.startswith("<b>m") for message in history)
