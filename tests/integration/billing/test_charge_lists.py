"""The list of charges as finance reads it, and its exports: the same charges, row by row and cell by cell."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert

from billing.models import ChargeRow
from core.ids import new_id
from tests.bench.meter_bench import live_charge
from tests.integration.billing.test_decisions import refused, staff
from tests.integration.billing.test_routes import Scene, scene  # noqa: F401 - the fixture

CHANGE = "from=2026-03-29&to=2026-03-29"  # the day in Berlin that has 23 hours


def charge(at: datetime, number: int, **changes: Any) -> dict[str, Any]:
    """A captured charge; its figures differ with its number."""
    gross = 1_000 + 37 * number
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
