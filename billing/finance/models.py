"""The tables of the people who decide about money."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class ApprovalRow(Base):
    """Four eyes: what one person asks and another decides (the database refuses the same one)."""

    __tablename__ = "approval"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    asked_by: Mapped[UUID]
    asked_at: Mapped[datetime]
    note: Mapped[str]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    approved: Mapped[bool | None]


class ProblemRow(Base):
    """*Problem with this call*: what one side says, what the evidence says, and what was decided; seen by both.

    Each side may say something once.
    """

    __tablename__ = "problem"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_id: Mapped[UUID] = mapped_column(ForeignKey("charge.id"))
    opened_by: Mapped[UUID]
    category: Mapped[str]
    words: Mapped[str]
    opened_at: Mapped[datetime]
    state: Mapped[str]
    finding: Mapped[str]
    facts: Mapped[dict[str, Any]]
    reply: Mapped[str | None]
    replied_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None]
    refund_id: Mapped[UUID | None] = mapped_column(ForeignKey("refund.id"))


class SavedViewRow(Base):
    """A filter somebody in finance gave a name; ``search`` is the query part of the address that shows it."""

    __tablename__ = "saved_view"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    name: Mapped[str]
    search: Mapped[str]
    created_at: Mapped[datetime]
