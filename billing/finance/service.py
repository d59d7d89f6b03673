"""FinanceService: charges with proof. Every figure is shown beside its recomputation from raw rows."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from billing import timeline
from billing.adjustments import store as adjustments
from billing.adjustments.models import AdjustmentRow
from billing.charges import store as charge_store
from billing.collection import steps as collecting
from billing.collection.models import CollectionRow
from billing.disputes import store as disputes
from billing.disputes.models import DisputeRow
from billing.finance import store
from billing.finance.filters import ChargeFilter
from billing.finance.store import Overview, Total
from billing.ledger import journal
from billing.metering import store as meter_store
from billing.metering.intervals import Interval
from billing.models import (
    CaseRow,
    ChargeEventRow,
    ChargeRow,
    CommandRow,
    HoldRow,
    LedgerTransactionRow,
    PostingRow,
)
from billing.reconciliation.recompute import Recomputed
from billing.reconciliation.service import ReconciliationService
from billing.refunds import store as refunds
from billing.refunds.models import RefundRow
from core import audit
from core.cursors import cursor_of
from core.db import Tx
from core.errors import NotFound, Refused
from core.ids import UserId

PIECE = 500


@dataclass(frozen=True, slots=True)
class Page:
    """A page of charges, the totals of the whole filter, and where the next page begins."""

    rows: Sequence[ChargeRow]
    totals: Sequence[Total]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything behind one charge."""

    charge: ChargeRow
    intervals: Sequence[Interval]
    events: Sequence[ChargeEventRow]
    holds: Sequence[HoldRow]
    commands: Sequence[CommandRow]
    transactions: Sequence[tuple[LedgerTransactionRow, Sequence[PostingRow]]]
    cases: Sequence[CaseRow]
    refunds: Sequence[RefundRow]
    adjustments: Sequence[AdjustmentRow]
    disputes: Sequence[DisputeRow]
    collection: CollectionRow | None
    recomputed: Recomputed


class FinanceService:
    """Reads; what finance may change has services of its own: refunds, disputes, payouts, problems, cases."""

    def __init__(self, reconciliation: ReconciliationService) -> None:
        self._reconciliation = reconciliation

    async def charges(self, tx: Tx, wanted: ChargeFilter, *, cursor: str | None = None, limit: int = 50) -> Page:
        """A page of charges, newest first."""
        rows = await store.page(tx, wanted, cursor=cursor, limit=limit + 1)
        following = _cursor(rows[limit - 1]) if len(rows) > limit else None
        return Page(rows[:limit], await store.totals(tx, wanted), following)

    async def export(self, tx: Tx, wanted: ChargeFilter, *, most: int | None = None) -> AsyncIterator[list[ChargeRow]]:
        """Every charge of a filter, newest first, in pieces that fit into memory. Raises Refused above ``most``."""
        count = sum(total.count for total in await store.totals(tx, wanted))
        if most is not None and count > most:
            said = f"These are {count} charges; narrow the filter to {most}, or take the CSV."
            raise Refused(said, code="too_many_printed", count=count, most=most)
        cursor: str | None = None
        while True:
            rows, cursor = await self.piece(tx, wanted, cursor)
            if rows:
                yield rows
                tx.session.expunge_all()  # read only: what was written out is not kept
            if cursor is None:
                return

    async def piece(self, tx: Tx, wanted: ChargeFilter, cursor: str | None) -> tuple[list[ChargeRow], str | None]:
        """A piece of every charge of a filter, newest first, and where the next begins; None at the end.

        Each may be read in a transaction of its own: a charge made meanwhile lies before the first piece and is not
        in the list, and each row is as it was when its piece was read.
        """
        rows = await store.page(tx, wanted, cursor=cursor, limit=PIECE)
        return rows, _cursor(rows[-1]) if len(rows) == PIECE else None

    def exported(self, tx: Tx, by: UserId, name: str, asked: Mapping[str, Any]) -> None:
        """Note that somebody took figures out of the house: the file's ``name``, and what was ``asked`` of it."""
        audit.record(tx, "finance.exported", subject=name, actor=by, **asked)

    async def totals(self, tx: Tx, wanted: ChargeFilter) -> list[Total]:
        """Sums per currency over the whole filter."""
        return await store.totals(tx, wanted)

    async def detail(self, tx: Tx, charge_id: UUID) -> Detail:
        """One charge with its evidence, computed again: a difference that is shown is a case. Raises NotFound."""
        charge = await charge_store.charge(tx, charge_id)
        if charge is None:
            raise NotFound
        recomputed = await self._reconciliation.bill(tx, charge_id)
        return Detail(
            charge=charge,
            intervals=await meter_store.intervals(tx, charge),
            events=await timeline.of_charge(tx, charge_id),
            holds=await charge_store.holds(tx, charge_id),
            commands=await store.commands(tx, charge_id),
            transactions=await journal.of_charge(tx, charge_id),
            cases=await store.cases(tx, charge_id),
            refunds=await refunds.of_charge(tx, charge_id),
            adjustments=await adjustments.of_charge(tx, charge_id),
            disputes=await disputes.of_charge(tx, charge_id),
            collection=await collecting.of_charge(tx, charge_id),
            recomputed=recomputed,
        )

    async def overview(self, tx: Tx) -> list[Overview]:
        """Every currency at a glance."""
        return await store.overview(tx)


def _cursor(row: ChargeRow) -> str:
    return cursor_of(row.created_at, row.id)
