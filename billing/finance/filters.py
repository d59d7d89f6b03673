"""What finance may filter by, and where a page of the result begins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, tuple_

from billing.collection.models import CollectionRow
from billing.models import ChargeRow
from core.cursors import place


@dataclass(frozen=True, slots=True)
class ChargeFilter:
    """Empty means everything; ``starts_at`` inclusive, ``ends_at`` exclusive, both by the time of accept.

    ``capture_failed`` is whether the card refused the bill once, whatever came of it afterwards.
    """

    state: str | None = None
    currency: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    reference: str | None = None
    min_minor: int | None = None
    free: bool | None = None
    consultant_id: UUID | None = None
    min_connected_ms: int | None = None
    capture_failed: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL, values bound."""
        gross = func.coalesce(ChargeRow.gross_minor, 0)
        collected = exists().where(CollectionRow.charge_id == ChargeRow.id)
        rules: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
            (self.state, lambda value: ChargeRow.state == value),
            (self.currency, lambda value: ChargeRow.currency == value),
            (self.starts_at, lambda value: ChargeRow.created_at >= value),
            (self.ends_at, lambda value: ChargeRow.created_at < value),
            (self.min_minor, lambda value: gross >= value),
            (self.consultant_id, lambda value: ChargeRow.consultant_id == value),
            (self.free, lambda value: gross == 0 if value else gross > 0),
            (self.min_connected_ms, lambda value: ChargeRow.connected_ms >= value),
            (self.capture_failed, lambda value: collected if value else ~collected),
            (self.reference, lambda value: ChargeRow.reference.icontains(value, autoescape=True)),
        ]
        return [rule(value) for value, rule in rules if value is not None]


def after(cursor: str) -> ColumnElement[bool]:
    """The rows older than the cursor's; raises Invalid on anything we did not make."""
    return tuple_(ChargeRow.created_at, ChargeRow.id) < tuple_(*place(cursor, UUID))
