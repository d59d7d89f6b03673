"""What the house may change about new calls without a release: rows that are never changed, the newest in force.

A call keeps what was in force when it was accepted: its charge carries the figures and the version.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from billing.metering.terms import PriceTerms
from core import audit
from core.db import Base, Tx
from core.errors import Conflict
from core.ids import UserId


class HouseTermsRow(Base):
    """One version of the settings: ``late_hold`` has trusted customers' holds placed during the call.

    ``review_window_s`` is how long a customer may look at a bill before it is captured, 0: not at all.
    """

    __tablename__ = "house_terms"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    late_hold: Mapped[bool]
    review_window_s: Mapped[int]
    reason: Mapped[str]
    set_by: Mapped[UUID]
    set_at: Mapped[datetime]


async def versions(tx: Tx) -> Sequence[HouseTermsRow]:
    """Every version, the one in force first; none while everything is as released."""
    return (await tx.session.scalars(select(HouseTermsRow).order_by(HouseTermsRow.version.desc()))).all()


async def in_force(tx: Tx, released: PriceTerms) -> PriceTerms:
    """The terms of a call that is accepted now: as released, with what the house has set since."""
    row = await _newest(tx)
    if row is None:
        return released
    return replace(
        released,
        version=f"{released.version}.{row.version}",
        late_hold=row.late_hold,
        review_window_s=row.review_window_s,
    )


async def _newest(tx: Tx) -> HouseTermsRow | None:
    query = select(HouseTermsRow).order_by(HouseTermsRow.version.desc()).limit(1)
    return (await tx.session.scalars(query)).one_or_none()


async def change(tx: Tx, by: UserId, *, after: int, late_hold: bool, review_window_s: int, reason: str) -> None:
    """Put a new version into force; ``after`` is the one that was read (0: as released).

    Raises Conflict when somebody else changed it meanwhile.
    """
    settings: dict[str, Any] = {"late_hold": late_hold, "review_window_s": review_window_s}
    row = {"version": after + 1, **settings, "reason": reason, "set_by": by, "set_at": tx.now}
    newest = await _newest(tx)
    written = None
    if after == (newest.version if newest else 0):
        statement = insert(HouseTermsRow).values(row).on_conflict_do_nothing().returning(HouseTermsRow.version)
        written = await tx.session.scalar(statement)
    if written is None:
        raise Conflict("Somebody changed these settings meanwhile; look at them again.", code="changed_meanwhile")
    audit.record(tx, "terms.changed", subject=str(written), actor=by, reason=reason, **settings)
