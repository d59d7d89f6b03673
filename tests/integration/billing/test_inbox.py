"""Webhooks: any order, any number of times, and only when signed."""

import hashlib
import hmac
import json
import random
import time

import pytest
from sqlalchemy import text

from billing import inbox
from billing.charges import commands
from billing.provider.errors import WebhookForged
from billing.provider.objects import ProviderEvent
from billing.webhooks import MOST_FAILURES, Hint
from tests.integration.billing.room import Room


def letter(room: Room, event: ProviderEvent) -> tuple[bytes, str]:
    """An event as Stripe delivers it, signed now."""
    raw = json.dumps(
        {
            "id": event.id,
            "object": "event",
            "type": event.type,
            "created": int(event.created_at.timestamp()),
            "data": {"object": dict(event.object)},
        }
        | ({} if event.account_id is None else {"account": event.account_id})
    ).encode()
    at = int(time.time())
    digest = hmac.new(room.sandbox.webhook_secret.encode(), f"{at}.".encode() + raw, hashlib.sha256).hexdigest()
    return raw, f"t={at},v1={digest}"


async def deliver(room: Room, event: ProviderEvent) -> bool:
    async with room.db.begin() as tx:
        return await room.webhooks.receive(tx, *letter(room, event))


async def figures(room: Room) -> list[tuple[object, ...]]:
    """Everything that must not depend on the order of messages."""
    async with room.db.begin() as tx:
        found: list[tuple[object, ...]] = []
        for query in (
            "SELECT state, gross_minor, captured_minor, cap_minor FROM charge ORDER BY id",
            "SELECT n, state, captured_minor, provider_fee_minor FROM hold ORDER BY id",
            "SELECT kind, key FROM ledger_transaction ORDER BY key",
            "SELECT source, destination, amount_minor FROM posting ORDER BY id",
        ):
            found += [tuple(row) for row in await tx.session.execute(text(query))]
        return found


@pytest.mark.parametrize("seed", range(3))
async def test_any_permutation_and_repetition_ends_in_the_same_state(room: Room, seed: int) -> None:
    call = await room.open()
    await room.talk(call, 660_000)
    await room.end(call)
    before = await figures(room)
    events = await room.gateway.list_events()
    shuffled = [event for event in events for _ in range(3)]
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - a test's order, no secret
    stored = [await deliver(room, event) for event in shuffled]
    await room.work()
    assert sum(stored) == len({event.id for event in events})
    assert await figures(room) == before
    async with room.db.begin() as tx:
        waiting = await tx.session.scalar(text("SELECT count(*) FROM stripe_event WHERE processed_at IS NULL"))
    assert waiting == 0


async def test_a_webhook_tells_what_a_lost_answer_did_not(room: Room) -> None:
    await room.sandbox.misbehave("timeout_after_success", "payment_intents.confirm")
    await room.open()
    assert room.names() == []
    for event in await room.gateway.list_events():
        await deliver(room, event)
    await room.work()
    assert room.names() == ["HoldPlaced"]


async def test_events_wait_while_stripe_is_down_and_are_not_forgotten(room: Room) -> None:
    from datetime import timedelta  # noqa: PLC0415

    await room.open()
    events = await room.gateway.list_events()
    await room.sandbox.misbehave("down", "payment_intents", times=100)
    await deliver(room, next(event for event in events if event.object_type == "payment_intent"))
    await room.work()
    await room.sandbox.behave()
    room.clock.advance(timedelta(minutes=5))
    await room.work()
    async with room.db.begin() as tx:
        assert await tx.session.scalar(text("SELECT outcome FROM stripe_event")) == "reconciled"


async def test_a_forged_webhook_is_not_even_stored(room: Room) -> None:
    event = (await room.gateway.list_events())[0]
    raw, signature = letter(room, event)
    async with room.db.begin() as tx:
        for forged in (None, "", signature[:-1] + ("0" if signature[-1] != "0" else "1"), "t=1,v1=00"):
            with pytest.raises(WebhookForged):
                await room.webhooks.receive(tx, raw, forged)
        with pytest.raises(WebhookForged):
            await room.webhooks.receive(tx, raw + b" ", signature)
        assert await tx.session.scalar(text("SELECT count(*) FROM stripe_event")) == 0


async def test_that_something_came_of_which_its_capture_told_all_is_kept_and_makes_no_work(room: Room) -> None:
    call = await room.open()
    await room.talk(call, 660_000)
    await room.end(call)
    [event] = [event for event in await room.gateway.list_events() if event.type == "transfer.created"]
    assert await deliver(room, event)
    async with room.db.begin() as tx:
        query = text("SELECT outcome, due_at, processed_at IS NOT NULL FROM stripe_event")
        kept = (await tx.session.execute(query)).one()
        waiting = await tx.session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"))
    assert tuple(kept) == ("ignored", None, True)
    assert waiting == 0


async def test_commands_are_carried_before_the_webhooks_that_wait(room: Room) -> None:
    """When many calls end at once, the webhooks of the first captures must not hold up the last."""
    call = await room.open()
    await room.talk(call, 700_000)
    async with room.db.begin() as tx:
        await tx.defer(inbox.TASK, event_id="evt_that_came_first")
    await room.end(call, at_work=False)
    first = await room.jobs.app.job_manager.fetch_job(None, None)
    assert first is not None
    assert first.task_name == commands.TASK


async def test_an_event_nobody_can_work_off_is_tried_ever_later_and_then_a_case(room: Room) -> None:
    """A row that breaks a rule of ours stands in for a bug: following the event fails each time."""
    await room.open()
    events = await room.gateway.list_events()
    [event] = [event for event in events if event.type == "payment_intent.created"]
    await deliver(room, event)
    async with room.db.begin() as tx:
        await tx.session.execute(text("ALTER TABLE hold DROP CONSTRAINT ck_hold_state"))
        await tx.session.execute(text("UPDATE hold SET state = 'no_such_state'"))
    waits: list[float] = []
    for _ in range(MOST_FAILURES):
        await room.webhooks.process(event.id)
        async with room.db.begin() as tx:
            due_at = await tx.session.scalar(text("SELECT due_at FROM stripe_event"))
        if due_at is not None:
            waits.append((due_at - room.clock.now()).total_seconds())
            room.clock.advance(due_at - room.clock.now())
    assert len(waits) == MOST_FAILURES - 1
    assert waits == sorted(waits)
    assert waits[0] >= 30
    await room.webhooks.process(event.id)
    async with room.db.begin() as tx:
        assert (await tx.session.execute(text("SELECT outcome, failures FROM stripe_event"))).one() == ("failed", 8)
        cases = (await tx.session.execute(text("SELECT kind, details FROM billing_case"))).all()
    assert [tuple(case) for case in cases] == [
        ("webhook_failed", {"event": event.id, "type": "payment_intent.created", "error": "ValueError"})
    ]


LEADS: list[tuple[Hint, str | None, list[str]]] = [
    (Hint("account.updated", "account", "acct_1", None, "acct_1"), "refreshed", ["acct_1"]),
    (Hint("account.application.deauthorized", "application", "ca_1", None, "acct_1"), "refreshed", ["acct_1"]),
    (Hint("setup_intent.succeeded", "setup_intent", "seti_1", None, None), "followed", ["seti_1"]),
    (Hint("setup_intent.created", "setup_intent", "seti_1", None, None), None, []),
    (Hint("payment_method.detached", "payment_method", "pm_1", None, None), "followed", ["pm_1"]),
    (Hint("payout.paid", "payout", "po_1", None, "acct_1"), "followed", ["po_1", "acct_1"]),
    (Hint("payout.paid", "payout", "po_1", None, None), None, []),  # our own bank's
    (Hint("charge.refund.updated", "refund", "re_1", "pi_1", None), "reconciled", ["pi_1", "re_1"]),
    (Hint("charge.dispute.created", "dispute", "dp_1", "pi_1", None), "reconciled", ["pi_1", "dp_1"]),
    (Hint("payment_intent.canceled", "payment_intent", "pi_1", "pi_1", None), "reconciled", ["pi_1"]),
    (Hint("charge.captured", "charge", "ch_1", "pi_1", None), "reconciled", ["pi_1"]),
    (Hint("transfer.created", "transfer", "tr_1", None, None), None, []),
]


async def test_an_event_leads_to_what_it_names_and_waits_only_then(room: Room) -> None:
    for hint, outcome, named in LEADS:
        found = room.webhooks.lead(hint)
        assert (None if found is None else found[0].outcome) == outcome, hint
        assert (found[1] if found else []) == named, hint
