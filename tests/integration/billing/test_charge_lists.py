"""The list of charges as finance reads it, and its exports: the same charges, row by row and cell by cell."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text

from billing.collection.models import CollectionRow
from billing.models import ChargeRow
from core.ids import new_id
from tests.bench.meter_bench import live_charge
from tests.fakes.gauge import number
from tests.fakes.pdf_text import texts
from tests.integration.billing.test_decisions import refused, staff
from tests.integration.billing.test_routes import Scene, _people, scene  # noqa: F401 - the fixture

MORE = """
INSERT INTO charge SELECT (jsonb_populate_record(one, jsonb_build_object('id', gen_random_uuid(),
  'call_id', gen_random_uuid(), 'reference', 'CC-' || n, 'settling_at', one.settling_at - n * interval '1 ms'))).*
FROM charge one, generate_series(1, :more) n
"""
CHANGE = "from=2026-03-29&to=2026-03-29"  # the day in Berlin that has 23 hours


def charge(at: datetime, number: int, **changes: Any) -> dict[str, Any]:
    """A captured charge; its figures differ with its number."""
    gross = 1_000 + 37 * number % 3_001  # under the cap of 45.00
    commission = (gross * 15 + 50) // 100
    return {
        **live_charge(new_id(), at, 0),
        "reference": f"CC-{at:%Y%m%d}-{number:06d}",
        "state": "captured",
        "next_deadline_at": None,
        "connected_ms": 600_000 + 1_001 * number,
        "billed_ms": 600_000 + 1_001 * number,
        "gross_minor": gross,
        "commission_minor": commission,
        "net_minor": gross - commission,
        "captured_minor": gross,
        "refunded_minor": number % 3,
    } | changes


async def keep(scene: Scene, rows: list[dict[str, Any]]) -> None:  # noqa: F811 - the fixture's value
    async with scene.house.db.begin() as tx:
        await tx.session.execute(insert(ChargeRow), rows)


async def listed(scene: Scene, query: str, who: dict[str, str]) -> list[dict[str, Any]]:  # noqa: F811
    return list((await scene.ask("GET", f"/api/finance/charges?{query}", who))["items"])


async def table(scene: Scene, query: str, who: dict[str, str]) -> list[dict[str, str]]:  # noqa: F811
    written = await scene.ask("GET", f"/api/finance/charges.csv?{query}", who)
    return list(csv.DictReader(io.StringIO(written.removeprefix("\ufeff"))))


async def test_a_day_is_the_readers_own_to_its_last_moment_when_clocks_change_too(scene: Scene) -> None:  # noqa: F811
    moments = [
        datetime(2026, 3, 28, 22, 59, 59, 999_999, UTC),  # still Saturday in Berlin
        datetime(2026, 3, 28, 23, 0, tzinfo=UTC),
        datetime(2026, 3, 29, 21, 59, 59, 999_999, UTC),  # an hour earlier than on other days
        datetime(2026, 3, 29, 22, 0, tzinfo=UTC),  # Monday
        datetime(2026, 3, 29, 23, 59, 59, 999_999, UTC),  # Monday there, Sunday in London and Greenwich
    ]
    await keep(scene, [charge(at, number) for number, at in enumerate(moments)])
    anna, ben = await staff(scene, "anna"), await staff(scene, "ben")
    await scene.ask("PATCH", "/api/me", anna, {"time_zone": "Europe/Berlin"})
    for who, numbers in ((anna, [2, 1]), (ben, [4, 3, 2])):
        references = [f"CC-{moments[n]:%Y%m%d}-{n:06d}" for n in numbers]
        assert [row["reference"] for row in await listed(scene, CHANGE, who)] == references
        assert [row["reference"] for row in await table(scene, CHANGE, who)] == references
    assert await refused(scene, "GET", "/api/finance/charges?from=2026-03-30&to=2026-03-29", anna) == (422, "invalid")


async def test_the_calls_over_an_hour_and_the_captures_that_failed_are_found(scene: Scene) -> None:  # noqa: F811
    at, hour = scene.house.clock.now(), 3_600_000
    rows = [charge(at, n, connected_ms=hour - 2 + n) for n in range(4)]
    await keep(scene, rows)
    async with scene.house.db.begin() as tx:
        tx.session.add(
            CollectionRow(
                charge_id=rows[1]["id"],
                customer_id=rows[1]["customer_id"],
                amount_minor=1_037,
                fee_minor=156,
                currency="eur",
                state="paid",
                attempts=2,
                opened_at=at,
                next_at=None,
                closed_at=at,
                last_message=None,
            )
        )
    anna = await staff(scene, "anna")
    for query, numbers in ((f"min_connected_ms={hour}", {2, 3}), ("capture_failed=true", {1})):
        assert {row["charge_id"] for row in await listed(scene, query, anna)} == {str(rows[n]["id"]) for n in numbers}
        assert len(await table(scene, query, anna)) == len(numbers)


def amount(minor: int) -> str:
    """Minor units as an exact decimal, of whole numbers alone."""
    return f"{minor // 100}.{minor % 100:02d}"


def cells(row: dict[str, Any]) -> dict[str, str]:
    """What every column of the CSV must say of a charge of the JSON list."""
    return {
        "reference": row["reference"],
        "accepted_at": f"{datetime.fromisoformat(row['at']).astimezone(UTC):%Y-%m-%dT%H:%M:%S+00:00}",
        "customer": row["customer_name"],
        "consultant": f"'{row['consultant_name']}",  # ours begins like a formula
        "connected_seconds": f"{row['connected_ms'] // 1_000}.{row['connected_ms'] % 1_000:03d}",
        "billed_seconds": f"{row['billed_ms'] // 1_000}.{row['billed_ms'] % 1_000:03d}",
        "gross": amount(row["gross_minor"]),
        "commission": amount(row["commission_minor"]),
        "net": amount(row["net_minor"]),
        "refunded": amount(row["refunded_minor"]),
        "currency": row["currency"].upper(),
        "state": row["state"],
    }


async def people(scene: Scene) -> dict[str, Any]:  # noqa: F811
    """The two sides of the charges; the consultant's name would be a formula in a spreadsheet."""
    customer, consultant = await _people(scene)
    await scene.ask("PATCH", "/api/me", consultant, {"display_name": "=2+3"})
    return {"customer_id": await scene.user(customer), "consultant_id": await scene.user(consultant)}


async def test_every_cell_of_the_csv_is_what_the_screen_was_given(scene: Scene) -> None:  # noqa: F811
    count, at, sides = number(full=50_000, quick=1_203), scene.house.clock.now(), await people(scene)
    rows = [
        charge(
            at + timedelta(milliseconds=n),
            n,
            **sides,
            currency=("eur", "chf")[n % 2],
            state=("captured", "uncollectable", "captured")[n % 3],
        )
        for n in range(count)
    ]
    await keep(scene, rows)
    anna, wanted = await staff(scene, "anna"), "state=captured&currency=chf&min_minor=1100"
    shown: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await scene.ask("GET", f"/api/finance/charges?{wanted}&limit=200{cursor}", anna)
        shown += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    expected = [row for row in rows if (row["state"], row["currency"]) == ("captured", "chf")]
    expected = [row for row in reversed(expected) if row["gross_minor"] >= 1_100]
    assert [row["reference"] for row in shown] == [row["reference"] for row in expected]
    assert await table(scene, wanted, anna) == [cells(row) for row in shown]
    sums = {name: sum(row[name] for row in shown) for name in ("gross_minor", "commission_minor", "net_minor")}
    assert page["totals"] == [{"currency": "chf", "count": len(shown), **sums}]


async def test_the_paper_has_the_columns_of_the_screen_in_the_readers_language_and_zone(scene: Scene) -> None:  # noqa: F811
    at, sides = datetime(2026, 3, 28, 23, 30, tzinfo=UTC), await people(scene)
    await keep(scene, [charge(at + timedelta(minutes=n), n, **sides) for n in range(70)])
    anna = await staff(scene, "anna")
    await scene.ask("PATCH", "/api/me", anna, {"locale": "de", "time_zone": "Europe/Berlin"})
    rows = (await scene.ask("GET", f"/api/finance/charges?{CHANGE}&limit=200", anna))["items"]
    async with scene.client.get(f"/api/finance/charges.pdf?{CHANGE}", headers=anna) as answer:
        assert answer.content_type == "application/pdf"
        written = texts(await answer.read())
    assert len(rows) == 70
    for head in ("Verbunden", "Berechnet", "Brutto", "Provision", "Netto", "Erstattet", "Stand"):
        assert written.count(head) >= 2, f"{head} is at the head of every page"
    for row in rows:
        begin = written.index(row["reference"])
        moment = datetime.fromisoformat(row["at"]) + timedelta(hours=1 if row["at"] < "2026-03-29T01" else 2)
        figures = [amount(row[f"{name}_minor"]) for name in ("gross", "commission", "net", "refunded")]
        gross, commission, net, refunded = (figure.replace(".", ",") for figure in figures)
        assert written[begin : begin + 11] == [
            row["reference"],
            f"{moment:%d.%m.%Y %H:%M:%S}",
            row["customer_name"],
            row["consultant_name"],
            "abgebucht",
            clock(row["connected_ms"]),
            clock(row["billed_ms"]),
            f"{gross} EUR",
            commission,
            net,
            refunded,
        ]


async def test_what_is_too_long_for_paper_is_refused_with_the_figures_and_never_cut(scene: Scene) -> None:  # noqa: F811
    at = scene.house.clock.now()
    await keep(scene, [charge(at + timedelta(milliseconds=n), n) for n in range(2_001)])
    anna = await staff(scene, "anna")
    async with scene.client.get("/api/finance/charges.pdf", headers=anna) as answer:
        error = (await answer.json())["error"]
    assert (answer.status, error["code"]) == (409, "too_many_printed")
    assert error["details"] == {"count": 2_001, "most": 2_000}


async def test_a_persons_own_file_has_every_bill_to_the_last_one(scene: Scene) -> None:  # noqa: F811
    more, at = number(full=50_000, quick=4_500), scene.house.clock.now()  # several pieces, and past the old limit
    customer, consultant = await _people(scene)
    sides = {"customer_id": await scene.user(customer), "consultant_id": await scene.user(consultant)}
    await keep(scene, [charge(at, 0, **sides, reference="CC-0", settling_at=at, call_ended_at=at)])
    async with scene.house.db.begin() as tx:
        await tx.session.execute(text(MORE), {"more": more})
    for path, who in (("/api/me/spending.csv", customer), ("/api/consultant/earnings.csv", consultant)):
        written = await scene.ask("GET", f"{path}?period=all", who)
        lines = list(csv.DictReader(io.StringIO(written.removeprefix("\ufeff"))))
        assert [line["reference"] for line in lines] == [f"CC-{n}" for n in range(more + 1)]


def clock(ms: int) -> str:
    """A duration as German paper writes it, to the thousandth where there are any."""
    minutes, rest = divmod(ms, 60_000)
    return f"{minutes}:{rest // 1_000:02d}" + (f",{rest % 1_000:03d}" if rest % 1_000 else "")
