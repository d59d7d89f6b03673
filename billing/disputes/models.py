"""The table of disputes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class DisputeRow(Base):
    """A bank's claim on a capture, as Stripe tells it; ``share_minor`` is the consultant's part of it.

    ``reversal_id`` is the transfer reversal that took the share back, ``return_id`` the transfer that returned it.
    ``withdrawn_minor`` is what Stripe has taken from our balance and not given back, ``fee_minor`` what it cost.
    ``turns`` counts how often a bank that had decided decided the other way, after an appeal.
    """

    __tablename__ = "dispute"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(unique=True)
    charge_id: Mapped[UUID] = mapped_column(ForeignKey("charge.id"))
    hold_id: Mapped[UUID] = mapped_column(ForeignKey("hold.id"))
    amount_minor: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str]
    status: Mapped[str]
    due_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    share_minor: Mapped[int]
    withdrawn_minor: Mapped[int]
    fee_minor: Mapped[int]
    reversal_id: Mapped[str | None]
    return_id: Mapped[str | None]
    evidence: Mapped[dict[str, Any] | None]
    submitted_at: Mapped[datetime | None]
    submitted_by: Mapped[UUID | None]
    turns: Mapped[int] = mapped_column(server_default="0")
