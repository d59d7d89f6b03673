"""The tables of payouts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class PayoutRow(Base):
    """Money on its way from a connected account to its bank. ``lines_minor`` is the sum of its lines, once read."""

    __tablename__ = "payout"

    id: Mapped[str] = mapped_column(primary_key=True)
    consultant_id: Mapped[UUID]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    status: Mapped[str]
    automatic: Mapped[bool]
    created_at: Mapped[datetime]
    arrives_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
    failure_code: Mapped[str | None]
    failure_message: Mapped[str | None]
    lines_minor: Mapped[int | None] = mapped_column(BigInteger)


class PayoutLineRow(Base):
    """One balance transaction inside a payout, and the charge it came from."""

    __tablename__ = "payout_line"

    id: Mapped[str] = mapped_column(primary_key=True)
    payout_id: Mapped[str] = mapped_column(ForeignKey("payout.id"))
    kind: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    net_minor: Mapped[int] = mapped_column(BigInteger)
    source_id: Mapped[str | None]
    charge_id: Mapped[UUID | None] = mapped_column(ForeignKey("charge.id"))
    created_at: Mapped[datetime]
