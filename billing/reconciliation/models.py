"""The tables of reconciliation and of the month's close."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class RunRow(Base):
    """One comparison: of Stripe's lines (``provider``) or of every bill (``bills``) in ``[since, until)``."""

    __tablename__ = "reconciliation_run"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    since: Mapped[datetime]
    until: Mapped[datetime]
    checked: Mapped[int]
    differences: Mapped[int]
    totals: Mapped[dict[str, Any]]


class ProviderLineRow(Base):
    """A line of Stripe's own ledger as last read; ``account_id`` is None for the platform's.

    ``explained_by`` is the key of the ledger transaction it agrees with; ``finding`` says what does not.
    """

    __tablename__ = "provider_line"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str | None]
    kind: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    net_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    source_id: Mapped[str | None]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    explained_by: Mapped[str | None]
    finding: Mapped[str | None]


class ClosedMonthRow(Base):
    """A month whose books are closed, with the figures they were closed at. Never changed."""

    __tablename__ = "closed_month"

    month: Mapped[str] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime]
    closed_by: Mapped[UUID]
    figures: Mapped[dict[str, Any]]
