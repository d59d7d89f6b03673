"""The audit log: append-only rows of who did what to which object, from where."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Tx


class AuditEntry(Base):
    """One security-relevant action. The database refuses UPDATE and DELETE (migration 0001)."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None]
    action: Mapped[str]
    subject: Mapped[str]
    ip_hash: Mapped[str | None]
    request_id: Mapped[str | None]
    details: Mapped[dict[str, Any]]


def record(
    tx: Tx,
    action: str,
    *,
    subject: str,
    actor: UUID | None = None,
    ip_hash: str | None = None,
    request_id: str | None = None,
    **details: Any,
) -> None:
    """Add an entry to the caller's transaction; ``action`` is a constant such as ``account.login``."""
    tx.session.add(
        AuditEntry(
            at=tx.now,
            actor_id=actor,
            action=action,
            subject=subject,
            ip_hash=ip_hash,
            request_id=request_id,
            details=details,
        )
    )
