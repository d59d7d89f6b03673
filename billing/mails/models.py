"""The table of mails."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class MailRow(Base):
    """A fact somebody is written about: once, because ``key`` names it. Neither address nor text is kept.

    ``subject_id`` is the charge, the refund or the payout. ``due_at`` is when it is tried (again), None once the
    ``outcome`` is known (``billing.mails.service.Outcome``).
    """

    __tablename__ = "mail"

    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject_id: Mapped[str]
    user_id: Mapped[UUID]
    noted_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    attempts: Mapped[int]
    outcome: Mapped[str | None]
    finished_at: Mapped[datetime | None]
