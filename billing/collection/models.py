"""The table of collections."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class CollectionRow(Base):
    """A charge whose capture failed: what is missing, of it our commission, and when it is tried again."""

    __tablename__ = "collection"

    charge_id: Mapped[UUID] = mapped_column(ForeignKey("charge.id"), primary_key=True)
    customer_id: Mapped[UUID]
    amount_minor: Mapped[int]
    fee_minor: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int]
    opened_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    last_message: Mapped[str | None]
