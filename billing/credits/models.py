"""The table of credits."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class CreditRow(Base):
    """What the house owes a customer; ``id`` is the request whose promise was missed.

    ``used_minor`` is what refunds that name this credit give back, or gave: each takes its part in the transaction
    that writes it down, and puts it back in the one in which Stripe refuses. The database lets nobody use more.
    """

    __tablename__ = "credit"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    granted_at: Mapped[datetime]
    used_minor: Mapped[int] = mapped_column(server_default="0", default=0)
