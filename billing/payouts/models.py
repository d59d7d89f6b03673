"""The tables of payouts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class PayoutRow(Base):
    """Money on its way from a connected account to its bank. ``lines_minor`` is the sum of its lines, once read.

    A payout that its owner asked for has no lines.
    """

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


class PayoutRequestRow(Base):
    """A payout its consultant asked for; ``key`` is the write's, and never changes."""

    __tablename__ = "payout_request"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    consultant_id: Mapped[UUID]
    key: Mapped[str] = mapped_column(unique=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int]
    asked_at: Mapped[datetime]
    first_sent_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    absent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    payout_id: Mapped[str | None] = mapped_column(ForeignKey("payout.id"))
    outcome: Mapped[dict[str, Any] | None]
