"""The journal, as the accountant downloads it: every posting of a month exactly once, in however many pieces."""

import csv
import io
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import text

from billing.ledger import entries, journal
from core.clock import FakeClock
from core.ids import new_id
from tests.integration.billing.test_decisions import staff
from tests.integration.billing.test_routes import Scene, scene  # noqa: F401 - the fixture
from web.routes.books import PIECE

FACTS = 250  # of three postings each: the end of a piece lies inside a fact


async def book(scene: Scene, facts: int, prefix: str) -> None:  # noqa: F811 - the fixture's value
    """So many captures in one transaction: all of them at the same moment."""
    customer, consultant = new_id(), new_id()
    async with scene.house.db.begin() as tx:
        for n in range(facts):
            postings = entries.captured(customer, consultant, amount_minor=1_001 + n, share_minor=850 + n)
            assert await journal.book(tx, None, key=f"{prefix}:{n}", kind="capture", currency="eur", postings=postings)


async def test_the_journal_is_every_posting_of_its_month_once_and_balances(scene: Scene, clock: FakeClock) -> None:  # noqa: F811
    await book(scene, 1, "before")
    begins = datetime.fromisoformat("2026-02-01T00:00:00Z")
    clock.advance(begins - clock.now())
    await book(scene, FACTS, "first")
    clock.advance(timedelta(days=28) - timedelta(milliseconds=1))
    await book(scene, 1, "last")
    clock.advance(timedelta(milliseconds=1))
    await book(scene, 1, "after")
    async with scene.house.db.begin() as tx:
        query = (
            "SELECT t.key, p.source, p.destination, p.amount_minor FROM posting p "
            "JOIN ledger_transaction t ON t.id = p.transaction_id WHERE t.key ~ '^(first|last)'"
        )
        booked = Counter(tuple(row) for row in await tx.session.execute(text(query)))

    finance = await staff(scene, "anna")
    told = await scene.ask("GET", "/api/finance/journal.csv?month=2026-02", finance)
    lines = list(csv.DictReader(io.StringIO(told.removeprefix("\ufeff"))))
    listed = [(line["key"], line["source"], line["destination"], int(Decimal(line["amount"]) * 100)) for line in lines]
    assert len(listed) == 3 * (FACTS + 1) > PIECE
    assert Counter(listed) == booked
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert {line["currency"] for line in lines} == {"EUR"}

    facts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for key, source, destination, amount_minor in listed:
        facts[key].update({source: -amount_minor})
        facts[key].update({destination: amount_minor})
    assert len(facts) == FACTS + 1
    assert {sum(moved.values()) for moved in facts.values()} == {0}
    assert sum(moved[entries.CLEARING] for moved in facts.values()) == 151 * (FACTS + 1), "the commission of each"
