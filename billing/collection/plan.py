"""The plan of a collection, PURE: when a payment that failed is tried again, and when that ends.

The first attempt comes at once (a lapsed authorization is often followed by one that stands); the others wait longer
each time, and the customer may pay at any moment between them.
"""

from datetime import datetime, timedelta

ATTEMPTS_AFTER = (
    timedelta(0),
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7),
)


def next_attempt(opened_at: datetime, attempts: int) -> datetime | None:
    """When attempt ``attempts + 1`` is due; None when the plan is used up."""
    return opened_at + ATTEMPTS_AFTER[attempts] if attempts < len(ATTEMPTS_AFTER) else None
