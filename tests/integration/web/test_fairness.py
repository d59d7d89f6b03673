"""The fairness panel: every figure counted again from the raw rows, by SQL of its own."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from core.clock import FakeClock
from core.ids import UserId
from matching.consultants import consultant_store
from matching.dispatch.fairness import Ring, smoothed
from people.origin import Origin
from people.roles import Role
from tests.integration.web.conftest import MakeClient
from tests.integration.web.test_ownership import go_online, person
from tests.integration.web.visitor import PASSWORD, Client
from web.application import build_application
from web.context import House
from web.routes.fairness import began

NOON = datetime(2026, 6, 17, 10, 0, tzinfo=UTC)  # a Wednesday, noon in Berlin
# State, when it began before NOON, and after how many seconds it ended.
RINGS = [
    ("accepted", timedelta(days=20), 3.2),
    ("missed", timedelta(days=4), 20.0),
    ("accepted", timedelta(days=2, hours=1), 7.4),
    ("declined", timedelta(days=1), 5.9),
    ("missed", timedelta(days=1, minutes=-5), 20.0),
    ("taken", timedelta(hours=3), 4.0),
    ("withdrawn", timedelta(hours=2), 2.5),
    ("accepted", timedelta(hours=1), 1.75),
]
# Connected milliseconds, net in cents (None: free), when it was billed before NOON.
CHARGES = [
    (480_000, None, timedelta(hours=1)),
    (599_999, None, timedelta(days=1)),
    (600_000, 1_275, timedelta(hours=2)),
    (1_800_000, 3_825, timedelta(days=2)),
    (300_000, None, timedelta(days=9)),
    (1_200_000, 2_550, timedelta(days=10)),
]
SPANS = [("available", 50.0, 49.0), ("in_meeting", 49.0, 48.5), ("away", 48.5, 48.0), ("available", 3.0, 0.5)]


async def store(house: House, consultant: UserId) -> None:
    """A history, row by row."""
    async with house.db.begin() as tx:
        run = tx.session.execute
        customer = uuid4()
        await run(
            text(
                "INSERT INTO question (id, customer_id, title, details, language, tags, state, created_at, changed_at)"
                " VALUES (:id, :c, 'A question', '', 'en', '{}', 'open', :at, :at)"
            ),
            {"id": customer, "c": customer, "at": NOON},
        )
        for n, (state, ago, seconds) in enumerate(RINGS):
            request = uuid4()
            await run(
                text(
                    "INSERT INTO request (id, customer_id, question_id, idempotency_key, max_rate_minor_per_hour,"
                    " currency, cap_minor, terms_version, consented_at, state, created_at, promise_at, give_up_at,"
                    " waiting_over) VALUES (:id, :c, :q, :id, 9000, 'eur', 4500, '1', :at, 'cancelled', :at, :at, :at,"
                    " false)"
                ),
                {"id": request, "c": uuid4(), "q": customer, "at": NOON - ago},
            )
            await run(
                text(
                    "INSERT INTO offer (id, request_id, consultant_id, state, rate_minor_per_hour, currency,"
                    " score_centi, reasons, created_at, rings_until, answered_at) VALUES (:id, :r, :u, :s, 9000, 'eur',"
                    " 100, '[]', :began, :until, :ended)"
                ),
                {
                    "id": UUID(int=n + 1),
                    "r": request,
                    "u": consultant,
                    "s": state,
                    "began": NOON - ago,
                    "until": NOON - ago + timedelta(seconds=20),
                    "ended": NOON - ago + timedelta(seconds=seconds),
                },
            )
        await run(text("DELETE FROM presence_span WHERE user_id = :u"), {"u": consultant})
        for n, (status, start, end) in enumerate(SPANS, 100):
            await run(
                text(
                    "INSERT INTO presence_span (user_id, n, status, started_at, ended_at) VALUES (:u, :n, :s, :a, :b)"
                ),
                {
                    "u": consultant,
                    "n": n,
                    "s": status,
                    "a": NOON - timedelta(hours=start),
                    "b": NOON - timedelta(hours=end),
                },
            )
        await _charges(run, consultant)


async def _charges(run: Any, consultant: UserId) -> None:
    for connected_ms, net, ago in CHARGES:
        gross = 0 if net is None else net * 100 // 85
        await run(
            text(
                "INSERT INTO charge (id, call_id, reference, customer_id, consultant_id, created_at, currency,"
                " rate_minor_per_hour, policy, policy_version, threshold_ms, commission_bps, tax_mode, tax_rate_bps,"
                " snapshot_cap_minor, terms_version, consented_at, state, cap_minor, marked_ms, connected_ms,"
                " billed_ms, gross_minor, commission_minor, net_minor, captured_minor, settling_at, call_ended_at,"
                " settled_at)"
                " VALUES (:id, :id, :ref, :c, :u, :at, 'eur', 9000, 'whole_call', '1', 600000, 1500, 'exempt', 0, 4500,"
                " '1', :at, :state, 4500, 0, :ms, :billed, :gross, :commission, :net, :gross, :at, :at, :at)"
            ),
            {
                "id": uuid4(),
                "ref": f"CC-{uuid4().hex[:12]}",
                "c": uuid4(),
                "u": consultant,
                "at": NOON - ago,
                "state": "captured" if net else "released",
                "ms": connected_ms,
                "billed": connected_ms if net else 0,
                "gross": gross,
                "commission": gross - (net or 0),
                "net": net or 0,
            },
        )


COUNTS = text(
    "SELECT count(*), count(*) FILTER (WHERE state = 'accepted'), count(*) FILTER (WHERE state = 'declined'),"
    " count(*) FILTER (WHERE state = 'missed'), count(*) FILTER (WHERE state IN ('taken', 'withdrawn'))"
    " FROM offer WHERE consultant_id = :u AND created_at >= :since"
)
ONLINE = text(
    "SELECT coalesce(sum(extract(epoch FROM least(coalesce(ended_at, :now), :now) - greatest(started_at, :since))), 0)"
    " FROM presence_span WHERE user_id = :u AND status IN ('available', 'in_meeting')"
    " AND coalesce(ended_at, :now) > :since"
)
MONEY = text(
    "SELECT count(*) FILTER (WHERE connected_ms < threshold_ms),"
    " coalesce(sum(connected_ms) FILTER (WHERE connected_ms < threshold_ms), 0), coalesce(sum(net_minor), 0)"
    " FROM charge WHERE consultant_id = :u AND settling_at >= :since"
)


@pytest.mark.parametrize("period", ["day", "week", "month"])
async def test_every_figure_equals_the_raw_events(
    house: House, clock: FakeClock, aiohttp_client: MakeClient, period: str
) -> None:
    ben, headers = await person(house, "ben", Role.CONSULTANT)
    other, _ = await person(house, "dora", Role.CONSULTANT)
    await go_online(house, ben)
    await store(house, ben)
    clock.advance(NOON - clock.now())
    headers = await fresh(house)
    client: Client = await aiohttp_client(build_application(house))
    async with client.get(f"/api/consultant/fairness?period={period}", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        panel = await answer.json()
    since = datetime.fromisoformat(panel["since"])
    async with house.db.begin() as tx:
        values = {"u": ben, "since": since, "now": NOON}
        counted = (await tx.session.execute(COUNTS, {"u": ben, "since": since})).one()
        online_s = float(await tx.session.scalar(ONLINE, values))
        free_calls, free_ms, net = (await tx.session.execute(MONEY, {"u": ben, "since": since})).one()
        assert (await house.fairness.rings(tx, other, since)).received == 0
    kinds = {each["kind"]: each["count"] for each in panel["effects"]}
    assert (panel["received"], kinds["accepted"], kinds["declined"], kinds["missed"], panel["withdrawn"]) == counted
    assert panel["online_ms"] == round(online_s * 1_000)
    assert (panel["free_calls"], panel["free_ms"]) == (free_calls, free_ms)
    assert sum(each["net_minor"] for each in panel["earned"]) == net
    for each in panel["earned"]:
        assert each["per_online_hour_minor"] == each["net_minor"] * 3_600_000 // panel["online_ms"]


async def fresh(house: House) -> dict[str, str]:
    """A session of the new time."""
    session = await house.accounts.login(house.db, "ben@example.com", PASSWORD, Origin())
    return {"Authorization": f"Bearer {session.access_token}"}


async def test_the_answer_time_is_the_databases_own_arithmetic(house: House) -> None:
    """``smoothed`` must say what ``consultant_store`` writes, to the millisecond, whatever is rounded there."""
    ben, _ = await person(house, "ben", Role.CONSULTANT)
    await go_online(house, ben)
    rings = []
    for n, response_ms in enumerate((3_217, 20_000, 1, 7_999, 20_000, 4_442, 19_998, 6_003, 2, 5)):
        async with house.db.begin() as tx:
            if n % 3:
                await consultant_store.answered(tx, ben, response_ms, accepted=bool(n % 2))
            else:
                await consultant_store.missed(tx, ben, response_ms)
            rings.append(Ring("accepted", tx.now, tx.now, response_ms))
            row = await consultant_store.find(tx, ben)
        assert row is not None
        assert row.response_ms == smoothed(rings)


async def test_an_effect_is_the_difference_with_and_without(house: House, clock: FakeClock) -> None:
    ben, _ = await person(house, "ben", Role.CONSULTANT)
    await go_online(house, ben)
    await store(house, ben)
    clock.advance(NOON - clock.now())
    async with house.db.begin() as tx:
        found = await house.fairness.rings(tx, ben, NOON - timedelta(days=5))
    missed, accepted = found.effects["missed"], found.effects["accepted"]
    assert missed.count == 2
    assert missed.score_change_centi < 0 < accepted.score_change_centi, "misses cost points, quick answers give some"
    ended = sorted(
        (each for each in RINGS if each[0] in {"accepted", "declined"}), key=lambda each: each[1], reverse=True
    )
    without = None
    for _, _, seconds in ended:
        took = round(seconds * 1_000)
        without = took if without is None else (3 * without + took + 2) // 4
    assert missed.response_ms_without == without
    # The ring order: three accepted of six answered rings, or of four without the two missed, after a prior of 8 in 10.
    assert found.p_accept_bps == round(10_000 * (8 + 3) / (10 + 6))
    assert missed.p_accept_without_bps == round(10_000 * (8 + 3) / (10 + 4))
    assert missed.ring_change_bps < 0 < accepted.ring_change_bps
    assert found.effects["declined"].ring_change_bps < 0


@pytest.mark.parametrize(
    ("period", "first"),
    [
        ("day", datetime(2026, 6, 16, 22, 0, tzinfo=UTC)),
        ("week", datetime(2026, 6, 14, 22, 0, tzinfo=UTC)),
        ("month", datetime(2026, 5, 31, 22, 0, tzinfo=UTC)),
    ],
)
def test_a_period_begins_at_midnight_where_the_consultant_lives(period: str, first: datetime) -> None:
    assert began(period, NOON, "Europe/Berlin") == first
