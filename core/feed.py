"""The feed: one version per user, raised with every change of what that user may see."""

from uuid import UUID

from sqlalchemy import BigInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Tx


class Feed(Base):
    """How many times what this user sees has changed; a client that missed a number asks for a snapshot."""

    __tablename__ = "feed"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)


async def version_of(tx: Tx, user: UUID) -> int:
    """The user's present feed version; 0 before anything happened."""
    found = await tx.session.scalar(text("SELECT version FROM feed WHERE user_id = :user"), {"user": user})
    return int(found or 0)
