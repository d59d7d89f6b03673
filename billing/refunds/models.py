"""The tables of refunds."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from billing.credits.models import CreditRow
from core.db import Base


class RefundRow(Base):
    """A decision to give money back; ``commission_minor`` of it is ours to give, the rest the consultant's.

    ``requested_by`` is None when the evidence decided by itself. ``key`` makes one click one refund. With a
    ``credit_id`` it redeems that credit: the house alone bears it, and neither side gives anything.
    """

    __tablename__ = "refund"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_id: Mapped[UUID] = mapped_column(ForeignKey("charge.id"))
    credit_id: Mapped[UUID | None] = mapped_column(ForeignKey(CreditRow.id), default=None)
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
    """What one hold's capture gives back. The figures below ``provider_id`` are those Stripe returned.

    ``platform_minor`` is what the house bore beside its commission: all of it where a credit was redeemed, else 0.
    """

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
    platform_minor: Mapped[int] = mapped_column(server_default="0", default=0)
    finished_at: Mapped[datetime | None]
