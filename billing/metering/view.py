"""The meter as people see it, PURE: the same truth for both sides, the hold's errands for the customer alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.charges import charge as charges
from billing.charges import hold as holds_
from billing.charges import late_hold, raises, waiting
from billing.metering import store
from billing.metering.bill import bill, cap_ms, extension_minor
from billing.metering.intervals import Connected, Interval, running
from billing.models import ChargeRow, HoldRaiseRow, HoldRow


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Where the customer confirms a hold with the bank."""

    url: str


@dataclass(frozen=True, slots=True)
class LateHold:
    """A trusted customer's hold: ``later``, ``asked`` at ``due_ms`` of connected time, ``stands`` or ``missed``."""

    due_ms: int
    state: str


@dataclass(frozen=True, slots=True)
class MeterView:
    """Exactly ``signaling.views.MeterView``; a client extrapolates from ``as_of`` while ``running``."""

    call_id: object
    charge_state: str
    currency: str
    rate_minor_per_hour: int
    commission_bps: int
    policy: str
    threshold_ms: int
    cap_minor: int
    held_minor: int
    connected_ms: int
    as_of: datetime
    running: bool
    unbilled_cause: str | None
    unbilled_since: datetime | None
    gross_minor: int
    net_minor: int
    cap_ms: int
    extend_minor: int | None
    authenticate: Authenticate | None
    late_hold: LateHold | None
    final: bool
    returns_until: datetime | None


def meter_view(
    charge: ChargeRow,
    holds: Sequence[HoldRow],
    raised: Sequence[HoldRaiseRow],
    intervals: Sequence[Interval],
    known: Connected,
    now: datetime,
    *,
    call_id: object,
    role: str,
) -> MeterView:
    """What the call has cost by ``now``; once settled, what it did cost."""
    price = store.price_of(charge)
    current = running(intervals)
    settled = charge.gross_minor is not None
    counted = charge.connected_ms if settled else known.ms
    due = bill(price, counted or 0)
    last = intervals[-1] if intervals and current is None and charge.call_ended_at is None else None
    return MeterView(
        call_id=call_id,
        charge_state=charge.state,
        currency=charge.currency,
        rate_minor_per_hour=charge.rate_minor_per_hour,
        commission_bps=charge.commission_bps,
        policy=charge.policy,
        threshold_ms=charge.threshold_ms,
        cap_minor=charge.cap_minor,
        held_minor=sum(hold.amount_minor for hold in holds if hold.state in holds_.RESERVED),
        connected_ms=due.connected_ms,
        as_of=now,
        running=current is not None and not settled,
        unbilled_cause=last.cause if last else None,
        unbilled_since=last.ended_at if last else None,
        gross_minor=charge.gross_minor if charge.gross_minor is not None else due.gross_minor,
        net_minor=charge.net_minor if charge.net_minor is not None else due.net_minor,
        cap_ms=cap_ms(price),
        extend_minor=_extend(charge, holds, raised) if role == "customer" else None,
        authenticate=_authenticate(holds) if role == "customer" else None,
        late_hold=_late_hold(charge, holds),
        final=charge.state in charges.FINAL,
        returns_until=waiting.returns_until(charge, now),
    )


def _extend(charge: ChargeRow, holds: Sequence[HoldRow], raised: Sequence[HoldRaiseRow]) -> int | None:
    """One extension at a time, while the call runs, and none before a late hold stands."""
    if (
        charge.state != charges.State.METERING
        or charge.call_ended_at is not None
        or raises.pending(holds, raised)
        or late_hold.awaited(charge)
    ):
        return None
    return extension_minor(store.price_of(charge))


def _late_hold(charge: ChargeRow, holds: Sequence[HoldRow]) -> LateHold | None:
    if charge.late_hold_ms is None:
        return None
    if charge.secured_at is not None:
        state = "stands"
    elif any(hold.state in holds_.UNDECIDED for hold in holds):
        state = "asked"
    else:
        state = "missed" if charge.marked_ms >= charge.late_hold_ms else "later"
    return LateHold(charge.late_hold_ms, state)


def _authenticate(holds: Sequence[HoldRow]) -> Authenticate | None:
    asked = [hold.authenticate_url for hold in holds if hold.state == holds_.State.NEEDS_ACTION]
    return Authenticate(asked[-1]) if asked and asked[-1] else None
