"""The tables of refunds."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class RefundRow(Base):
    """A decision to give money back; ``commission_minor`` of it is ours to give, the rest the consultant's.

    ``requested_by`` is None when the evidence decided by itself. ``key`` makes one click one refund.
    """

    __tablename__ = "refund"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_id: Mapped[UUID] = mapped_column(ForeignKey("charge.id"))
    key: Mapped[str] = mapped_column(unique=True)
    reason: Mapped[str]
    note: Mapped[str]
    amount_minor: Mapped[int]
    commission_minor: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str]
    requested_by: Mapped[UUID | None]
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class RefundPartRow(Base):
    """What one hold's capture gives back. The figures below ``provider_id`` are those Stripe returned."""

    __tablename__ = "refund_part"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    refund_id: Mapped[UUID] = mapped_column(ForeignKey("refund.id"))
    hold_id: Mapped[UUID] = mapped_column(ForeignKey("hold.id"))
    amount_minor: Mapped[int]
    state: Mapped[str]
    provider_id: Mapped[str | None] = mapped_column(unique=True)
    transfer_reversal_id: Mapped[str | None]
    commission_minor: Mapped[int | None]
    share_minor: Mapped[int | None]
    finished_at: Mapped[datetime | None]
