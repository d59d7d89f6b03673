"""The table of adjustments."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class AdjustmentRow(Base):
    """A decision about a charge's books; ``key`` makes one click one adjustment.

    ``source`` and ``destination`` are the accounts of a correcting entry, None of a bill that is waived.
    """

    __tablename__ = "adjustment"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_id: Mapped[UUID] = mapped_column(ForeignKey("charge.id"))
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    source: Mapped[str | None]
    destination: Mapped[str | None]
    note: Mapped[str]
    state: Mapped[str]
    requested_by: Mapped[UUID]
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
