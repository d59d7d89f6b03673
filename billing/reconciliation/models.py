"""The tables of reconciliation and of the month's close."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, text
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


class PartRow(Base):
    """A part of a run: one account's lines (``account_id`` None is the platform's own), or what closes the run.

    ``due_at`` is when it may be taken (again): while somebody works on it, the end of their lease; None once done.
    """

    __tablename__ = "reconciliation_part"
    __table_args__ = (
        Index("ix_reconciliation_part_due", "run_id", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("reconciliation_run.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    closing: Mapped[bool]
    consultant_id: Mapped[UUID | None]
    account_id: Mapped[str | None]
    due_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    checked: Mapped[int] = mapped_column(server_default="0")
    differences: Mapped[int] = mapped_column(server_default="0")


class ProviderLineRow(Base):
    """A line of Stripe's own ledger as last read; ``account_id`` is None for the platform's.

    ``explained_by`` is the key of the ledger transaction it agrees with; ``finding`` says what does not.
    ``charge_id`` is the charge it belongs to, None where it is no charge's, or unknown.
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
    charge_id: Mapped[UUID | None]


class ClosedMonthRow(Base):
    """A month whose books are closed, with the figures they were closed at. Never changed."""

    __tablename__ = "closed_month"

    month: Mapped[str] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime]
    closed_by: Mapped[UUID]
    figures: Mapped[dict[str, Any]]
