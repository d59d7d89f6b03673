"""What people decide about money, over HTTP: four eyes, problems, cases, months; each leaves its audit row."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from billing import cases, house_terms
from billing.charges.store import holds
from billing.disputes.models import DisputeRow
from core.ids import CallId, new_id
from people.roles import Role
from tests.integration.billing.room import Room
from tests.integration.billing.test_after_capture import equal_to_stripe, paid_call
from tests.integration.billing.test_routes import Scene, _call, _people, scene  # noqa: F401 - the fixture


async def staff(scene: Scene, name: str) -> dict[str, str]:  # noqa: F811 - the fixture's value
    """A finance person."""
    return await _person(scene, name, Role.FINANCE)


async def _person(scene: Scene, name: str, role: Role) -> dict[str, str]:  # noqa: F811
    from people.origin import Origin  # noqa: PLC0415

    house = scene.house
    email, password = f"{name}@staff.example", "a long and quiet sentence"
    await house.accounts.create_staff(
        house.db, email=email, password=password, display_name=name.title(), roles=[role], origin=Origin()
    )
    session = await house.accounts.login(house.db, email, password, Origin())
    return {"Authorization": f"Bearer {session.access_token}"}


async def refused(scene: Scene, method: str, path: str, who: dict[str, str], body: Any = None) -> tuple[int, str]:  # noqa: F811
    async with scene.client.request(method, path, headers=who, json=body) as answer:
        found = await answer.json()
        return answer.status, found["error"]["code"]


async def a_paid_call(scene: Scene) -> tuple[dict[str, str], dict[str, str], str]:  # noqa: F811
    """Customer, consultant, and the charge of 16.50 between them."""
    customer, consultant = await _people(scene)
    setup = await scene.ask("POST", "/api/payment/setup", customer, {})
    await scene.sandbox.save_card(setup["setup_intent_id"], setup["client_secret"])
    await scene.ask("POST", f"/api/payment/setup/{setup['setup_intent_id']}/complete", customer, {})
    account = await scene.ask("POST", "/api/consultant/payout-account", consultant, {"country": "DE"})
    await scene.sandbox.onboard(account["onboarding_url"])
    await scene.ask("GET", "/api/consultant/payout-account", consultant)
    call = await _call(scene, customer, consultant)
    return customer, consultant, str(call)


async def test_a_refund_over_http_is_previewed_asked_approved_and_booked(scene: Scene) -> None:  # noqa: F811
    _, _, call = await a_paid_call(scene)
    anna, ben = await staff(scene, "anna"), await staff(scene, "ben")
    [row] = (await scene.ask("GET", "/api/finance/charges", anna))["items"]
    charge, gross = row["charge_id"], row["gross_minor"]
    assert row["call_id"] == call
    path = f"/api/finance/charges/{charge}"
    preview = await scene.ask("GET", f"{path}/refund?amount_minor={gross}", anna)
    assert preview["commission_minor"] + preview["share_minor"] == gross
    assert not preview["four_eyes"]
    scene.house.refunds._limit = 100
    key = str(uuid4())
    body = {"amount_minor": gross, "reason": "quality", "note": "They were right.", "idempotency_key": key}
    asked = await scene.ask("POST", f"{path}/refunds", anna, body)
    assert asked["state"] == "awaiting"
    [waiting] = (await scene.ask("GET", "/api/finance/approvals", anna))["items"]
    assert waiting["mine"]
    decide = f"/api/finance/approvals/{waiting['id']}"
    assert await refused(scene, "POST", decide, anna, {"approved": True}) == (403, "four_eyes")
    await scene.ask("POST", decide, ben, {"approved": True})
    assert await refused(scene, "POST", decide, ben, {"approved": True}) == (409, "decided")
    await scene.work()
    detail = await scene.ask("GET", path, anna)
    assert detail["row"]["refunded_minor"] == gross
    assert [refund["state"] for refund in detail["refunds"]] == ["done"]
    actions = [entry["action"] for entry in (await scene.ask("GET", "/api/finance/audit", anna))["items"]]
    assert actions == ["finance.refund_approved", "finance.refund_asked", "finance.refund_requested"]
    assert (await refused(scene, "GET", f"{path}/refund?amount_minor=1", anna))[1] == "refund_too_large"


async def test_a_problem_is_said_replied_to_and_decided_and_both_read_it(scene: Scene) -> None:  # noqa: F811
    customer, consultant, call = await a_paid_call(scene)
    path = f"/api/calls/{call}/problem"
    assert (await scene.ask("GET", path, customer))["problem"] is None
    said = await scene.ask("POST", path, customer, {"category": "quality", "words": "It froze all the time."})
    assert (said["state"], said["finding"]) == ("open", "undecided")
    assert await refused(scene, "POST", path, customer, {"category": "other", "words": "And more"}) == (409, "reported")
    await scene.ask("POST", f"{path}/reply", consultant, {"words": "Their train went through tunnels."})
    anna = await staff(scene, "anna")
    [waiting] = (await scene.ask("GET", "/api/finance/problems", anna))["items"]
    body = {"decision": "Half is given back.", "refund_minor": 500, "reason": "technical"}
    assert await refused(scene, "POST", f"/api/finance/problems/{waiting['id']}", anna, body | {"reason": None}) == (
        422,
        "invalid",
    )
    await scene.ask("POST", f"/api/finance/problems/{waiting['id']}", anna, body)
    await scene.work()
    for side, mine in ((customer, True), (consultant, False)):
        seen = (await scene.ask("GET", path, side))["problem"]
        assert (seen["state"], seen["decision"], seen["refunded"]) == ("decided", "Half is given back.", True)
        assert seen["mine"] is mine
    [row] = (await scene.ask("GET", "/api/finance/charges", anna))["items"]
    assert row["refunded_minor"] == 500
    [refund] = (await scene.ask("GET", f"/api/finance/charges/{row['charge_id']}", anna))["refunds"]
    assert refund["reason"] == "technical", "what finance said, not a word of ours"


async def test_a_problem_is_decided_only_when_a_second_person_agrees_and_open_again_when_not(scene: Scene) -> None:  # noqa: F811
    customer, consultant, call = await a_paid_call(scene)
    path = f"/api/calls/{call}/problem"
    await scene.ask("POST", path, customer, {"category": "quality", "words": "It froze all the time."})
    scene.house.refunds._limit = 100
    anna, ben = await staff(scene, "anna"), await staff(scene, "ben")
    [row] = (await scene.ask("GET", "/api/finance/charges", anna))["items"]
    [waiting] = (await scene.ask("GET", "/api/finance/problems", anna))["items"]
    decide = f"/api/finance/problems/{waiting['id']}"
    body = {"decision": "Half is given back.", "refund_minor": 500, "reason": "quality"}
    for approved, state, words in ((False, "open", None), (True, "decided", "Half is given back.")):
        asked = await scene.ask("POST", decide, anna, body)
        assert (asked["state"], asked["decision"], asked["decided_at"]) == ("awaiting", "Half is given back.", None)
        assert await refused(scene, "POST", decide, ben, body) == (409, "decided")
        for side in (customer, consultant):
            seen = (await scene.ask("GET", path, side))["problem"]
            assert (seen["state"], seen["decision"], seen["decided_at"]) == ("awaiting", None, None)
        [approval] = (await scene.ask("GET", "/api/finance/approvals", ben))["items"]
        await scene.ask("POST", f"/api/finance/approvals/{approval['id']}", ben, {"approved": approved})
        await scene.work()
        for side in (customer, consultant):
            seen = (await scene.ask("GET", path, side))["problem"]
            assert (seen["state"], seen["decision"], seen["refunded"]) == (state, words, approved)
            assert (seen["decided_at"] is not None) == approved
    assert (await scene.ask("GET", "/api/finance/problems", anna))["items"] == []
    detail = await scene.ask("GET", f"/api/finance/charges/{row['charge_id']}", anna)
    assert [refund["state"] for refund in detail["refunds"]] == ["rejected", "done"]
    assert detail["row"]["refunded_minor"] == 500
    told = [entry["kind"] for entry in detail["timeline"] if entry["kind"].startswith(("problem_", "refund_"))]
    assert told[:5] == [
        "problem_reported",
        "refund_requested",
        "problem_awaiting",
        "refund_rejected",
        "problem_reopened",
    ]
    assert told[5:8] == ["refund_requested", "problem_awaiting", "problem_decided"]


async def test_a_dispute_and_the_cases_of_a_charge_are_found_however_many_came_after(scene: Scene) -> None:  # noqa: F811
    await a_paid_call(scene)
    anna = await staff(scene, "anna")
    [row] = (await scene.ask("GET", "/api/finance/charges", anna))["items"]
    charge, at = UUID(row["charge_id"]), scene.house.clock.now()
    async with scene.house.db.begin() as tx:
        [hold] = await holds(tx, charge)
        for n in range(201):  # one more than a list shows, of disputes and of cases
            tx.session.add(_lost(charge, hold.id, n, at + timedelta(minutes=n)))
            cases.open_case(tx, charge if n == 0 else None, "late_hold", key=f"case {n}", n=n)
    listed = (await scene.ask("GET", "/api/finance/disputes?closed=true", anna))["items"]
    assert len(listed) == 200
    [first, *_] = (await scene.ask("GET", f"/api/finance/charges/{charge}", anna))["disputes"]
    assert first["id"] not in {one["id"] for one in listed}
    found = await scene.ask("GET", f"/api/finance/disputes/{first['id']}", anna)
    assert (found["provider_id"], found["reference"], found["status"]) == ("dp_0", row["reference"], "lost")
    assert await refused(scene, "GET", f"/api/finance/disputes/{uuid4()}", anna) == (404, "not_found")
    [case] = (await scene.ask("GET", f"/api/finance/charges/{charge}", anna))["cases"]
    assert (case["charge_id"], case["details"]["n"], case["closed_at"]) == (str(charge), 0, None)
    await scene.ask("POST", f"/api/finance/cases/{case['id']}/close", anna, {"resolution": "Looked at."})
    [case] = (await scene.ask("GET", f"/api/finance/charges/{charge}", anna))["cases"]
    assert (case["resolution"], case["closed_at"] is not None) == ("Looked at.", True)


def _lost(charge: UUID, hold: UUID, n: int, at: datetime) -> DisputeRow:
    return DisputeRow(
        id=new_id(),
        provider_id=f"dp_{n}",
        charge_id=charge,
        hold_id=hold,
        amount_minor=100,
        currency="eur",
        reason="fraudulent",
        status="lost",
        due_at=None,
        opened_at=at,
        closed_at=at,
        share_minor=85,
        withdrawn_minor=100,
        fee_minor=0,
        reversal_id=None,
        return_id=None,
        evidence=None,
        submitted_at=None,
        submitted_by=None,
    )


async def test_two_calls_at_the_same_time_are_given_back_by_the_evidence_alone(room: Room) -> None:
    from billing.problems.rules import Category  # noqa: PLC0415
    from billing.problems.service import ProblemService  # noqa: PLC0415

    problems = ProblemService(room.refunds)
    first = await room.open()
    started = room.clock.now()
    room.clock.advance(timedelta(seconds=1))
    second = await room.open()
    await room.talk(first, 660_000)
    async with room.db.begin() as tx:  # observed at the same time, as a bug of ours could make it
        from media.events import IntervalClosed  # noqa: PLC0415

        await room.meter.on_interval_closed(tx, IntervalClosed(CallId(second), 0, started, 660_000, "ended"))
    await room.end(first)
    await room.end(second)
    async with room.db.begin() as tx:
        row = await problems.say(tx, room.customer, second, Category.CHARGED_TWICE, "I was charged twice.")
    await room.work()
    assert (row.state, row.finding) == ("answered", "overlapping_call")
    assert (await room.charge(second)).refunded_minor == 1_650
    async with room.db.begin() as tx:
        other = await problems.say(tx, room.customer, first, Category.CHARGED_TWICE, "I was charged twice.")
    assert other.finding == "undecided", "the other one was given back already"
    await equal_to_stripe(room)


async def test_a_closed_month_takes_no_booking_and_a_correction_goes_into_the_next(room: Room) -> None:
    from billing.reconciliation import months  # noqa: PLC0415
    from core.errors import Conflict  # noqa: PLC0415

    await paid_call(room)
    async with room.db.begin() as tx:
        with pytest.raises(Conflict, match="not over"):
            await months.close(tx, "2026-01", room.customer)
    room.clock.advance(timedelta(days=40))
    async with room.db.begin() as tx:
        closed = await months.close(tx, "2026-01", room.customer)
    assert closed.figures["accounts"]["eur"]["platform:commission"] == -248
    assert closed.figures["bookings"] == {"capture": 1, "provider_fee": 1, "settlement": 1}
    with pytest.raises(Exception, match="is closed"):
        async with room.db.begin() as tx:
            await tx.session.execute(
                text(
                    "INSERT INTO ledger_transaction (id, key, kind, at) "
                    "VALUES (gen_random_uuid(), 'late', 'correction', '2026-01-31T23:59:59Z')"
                )
            )
    with pytest.raises(Exception, match="append-only"):
        async with room.db.begin() as tx:
            await tx.session.execute(text("DELETE FROM closed_month"))
    await paid_call(room)
    async with room.db.begin() as tx:
        february = await months.figures(tx, "2026-02")
    assert february["bookings"]["capture"] == 1
    await equal_to_stripe(room)


async def test_whoever_compares_downloads_or_changes_the_terms_leaves_a_row_that_finance_reads(scene: Scene) -> None:  # noqa: F811
    anna, root = await staff(scene, "anna"), await _person(scene, "root", Role.ADMIN)
    run = await scene.ask("POST", "/api/finance/reconciliation", anna, {"kind": "bills"})
    same = await scene.ask("POST", "/api/finance/reconciliation", anna, {"kind": "bills"})
    assert same["id"] == run["id"], "the one that runs is shown, and nothing was done"
    await scene.ask("GET", "/api/finance/charges.csv?state=captured&min_minor=5", anna)
    async with scene.client.get("/api/finance/charges.pdf", headers=root) as answer:
        assert answer.status == 200
    await scene.ask("GET", "/api/finance/journal.csv?month=2026-01", anna)
    async with scene.house.db.begin() as tx:
        await house_terms.change(
            tx, await scene.user(root), after=0, late_hold=False, review_window_s=60, reason="people asked for it"
        )
    rows = (await scene.ask("GET", "/api/finance/audit", anna))["items"]
    assert [(row["actor_name"], row["action"], row["subject"], row["details"]) for row in reversed(rows)] == [
        ("Anna", "finance.comparison_started", run["id"], {"comparison": "bills"}),
        ("Anna", "finance.exported", "charges.csv", {"state": "captured", "min_minor": 5}),
        ("Root", "finance.exported", "charges.pdf", {}),
        ("Anna", "finance.exported", "journal-2026-01.csv", {}),
        (
            "Root",
            "terms.changed",
            "1",
            {"reason": "people asked for it", "late_hold": False, "review_window_s": 60},
        ),
    ]
