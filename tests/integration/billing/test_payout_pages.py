"""Lists of payouts: every page, every payout once, and the file is all of them."""

import csv
from datetime import UTC, datetime
from uuid import UUID

from billing.payouts.models import PayoutRow
from billing.payouts.service import PIECE
from core.errors import Invalid
from core.ids import UserId, new_id
from tests.integration.billing.test_decisions import refused, staff
from tests.integration.billing.test_routes import Scene, _people, scene  # noqa: F401 - the fixture

AT = datetime(2026, 1, 5, tzinfo=UTC)  # many payouts of one second: a schedule pays them all at once
MANY = PIECE + 20


def payout(n: int, consultant: UUID) -> PayoutRow:
    return PayoutRow(
        id=f"po_{n:04d}",
        consultant_id=consultant,
        amount_minor=1_000 + n,
        currency="jpy" if n == 0 else "eur",
        status="paid",
        automatic=True,
        created_at=AT,
        arrives_at=None,
        updated_at=AT,
        failure_code=None,
        failure_message=None,
        lines_minor=None,
    )


async def walk(scene: Scene, path: str, who: dict[str, str]) -> list[str]:  # noqa: F811
    seen: list[str] = []
    cursor = ""
    while True:
        page = await scene.ask("GET", f"{path}{cursor}", who)
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return seen
        cursor = f"?cursor={page['next_cursor']}"


def read(file: str) -> list[dict[str, str]]:
    return list(csv.DictReader(file.removeprefix("\ufeff").splitlines()))


async def test_every_payout_is_on_one_page_and_in_the_file(scene: Scene) -> None:  # noqa: F811
    _, consultant = await _people(scene)
    finance = await staff(scene, "anna")
    own, other = await scene.user(consultant), UserId(new_id())
    async with scene.house.db.begin() as tx:
        tx.session.add_all([payout(n, own if n < 120 else other) for n in range(MANY)])
    await scene.ask("POST", "/api/consultant/payout-account", consultant, {"country": "DE"})
    everything = [f"po_{n:04d}" for n in reversed(range(MANY))]
    assert await walk(scene, "/api/finance/payouts", finance) == everything
    assert await walk(scene, "/api/consultant/payouts", consultant) == everything[-120:]
    rows = read(await scene.ask("GET", "/api/finance/payouts.csv", finance))
    assert [row["payout"] for row in rows] == everything
    mine = read(await scene.ask("GET", "/api/consultant/payouts.csv", consultant))
    assert [(row["payout"], row["amount"], row["currency"]) for row in mine[-2:]] == [
        ("po_0001", "10.01", "EUR"),
        ("po_0000", "1000", "JPY"),
    ]
    assert len(mine) == 120


async def test_a_page_marker_that_is_none_of_ours_is_refused(scene: Scene) -> None:  # noqa: F811
    finance = await staff(scene, "anna")
    for cursor in ("x", "MjAyNnx4", "MjAyNi0wMS0wMVQwMDowMDowMHxwb18A"):  # no base64; no moment; an id with a NUL
        found = await refused(scene, "GET", f"/api/finance/payouts?cursor={cursor}", finance)
        assert found == (422, Invalid.code)
