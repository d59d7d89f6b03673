"""What happened to money."""

from dataclasses import dataclass

from core.events import Event
from core.ids import CallId, UserId


@dataclass(frozen=True, slots=True)
class HoldPlaced(Event):
    """The first hold of this call stands: media may start."""

    call_id: CallId


@dataclass(frozen=True, slots=True)
class HoldDeferred(Event):
    """The customer is trusted: the hold is placed during the call, and media may start without it."""

    call_id: CallId


@dataclass(frozen=True, slots=True)
class HoldFailed(Event):
    """The hold was declined, abandoned, or could not be asked for in time; ``reason`` is the call's close reason.

    One of ``hold_declined``, ``authentication_abandoned`` and ``payment_unavailable``; ``hold_missed`` is that of a
    trusted customer's hold that does not stand when the threshold is reached.
    """

    call_id: CallId
    reason: str


@dataclass(frozen=True, slots=True)
class CapReached(Event):
    """The paid time the customer allowed is used up; the call ends here."""

    call_id: CallId


@dataclass(frozen=True, slots=True)
class ChargeSettled(Event):
    """The charge is ``captured``, ``released`` or ``uncollectable``; ``gross_minor`` is what was captured.

    ``connected_ms`` is the connected time, ``threshold_passed`` whether it was long enough to cost money.
    """

    call_id: CallId
    customer_id: UserId
    consultant_id: UserId
    gross_minor: int
    state: str
    connected_ms: int
    threshold_passed: bool


@dataclass(frozen=True, slots=True)
class ChargeRefunded(Event):
    """A refund was carried out, or came back; ``refunded_minor`` is all that has been given back by now."""

    call_id: CallId
    customer_id: UserId
    consultant_id: UserId
    refunded_minor: int


@dataclass(frozen=True, slots=True)
class PayoutAccountChanged(Event):
    """Whether this consultant's connected account can receive transfers changed."""

    user_id: UserId
    can_receive: bool
