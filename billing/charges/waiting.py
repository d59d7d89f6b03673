"""Whether a charge waits for two people who lost each other, PURE: read from its row alone."""

from datetime import datetime

from billing.charges.charge import State
from billing.models import ChargeRow


def is_open(charge: ChargeRow, now: datetime) -> bool:
    """Whether its call was lost and the time to come back is not over."""
    ended = charge.state == State.METERING and charge.call_ended_at is not None
    return ended and charge.rescue_until is not None and now < charge.rescue_until


def returns_until(charge: ChargeRow, now: datetime) -> datetime | None:
    """Until when either side may come back, if they may now: not before every interval of the lost call is final."""
    return charge.rescue_until if is_open(charge, now) and charge.books_closed_at is not None else None
