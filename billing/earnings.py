"""What a consultant earned, call by call, and in all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.finance import store
from billing.finance.filters import ChargeFilter, cursor_of
from billing.finance.store import Total
from core.db import Tx
from core.ids import UserId

PAGE = 50


@dataclass(frozen=True, slots=True)
class Earning:
    """One call; the figures are 0 until its bill is written."""

    call_id: UUID
    reference: str
    ended_at: datetime | None
    connected_ms: int
    gross_minor: int
    commission_minor: int
    net_minor: int
    currency: str
    state: str


@dataclass(frozen=True, slots=True)
class Earnings:
    """A page of earnings, newest first; the totals are of everything."""

    items: Sequence[Earning]
    totals: Sequence[Total]
    next_cursor: str | None


async def earnings(tx: Tx, consultant: UserId, cursor: str | None) -> Earnings:
    """A page of what this consultant's calls brought."""
    wanted = ChargeFilter(consultant_id=consultant)
    rows = await store.page(tx, wanted, cursor=cursor, limit=PAGE + 1)
    items = [
        Earning(
            call_id=row.call_id,
            reference=row.reference,
            ended_at=row.call_ended_at,
            connected_ms=row.connected_ms or 0,
            gross_minor=row.gross_minor or 0,
            commission_minor=row.commission_minor or 0,
            net_minor=row.net_minor or 0,
            currency=row.currency,
            state=row.state,
        )
        for row in rows[:PAGE]
    ]
    following = cursor_of(rows[PAGE - 1]) if len(rows) > PAGE else None
    return Earnings(items, await store.totals(tx, wanted), following)
