"""When a connected account is paid out, PURE: what a consultant may choose, and what is told to Stripe."""

from dataclasses import dataclass
from typing import Any

from core.errors import Refused

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
SHORTEST_DELAY, LONGEST_DELAY = 14, 31  # days; the shorter one is the time in which most disputes and refunds come
LAST_ANCHOR = 28  # every month has that day


@dataclass(frozen=True, slots=True)
class Wanted:
    """A schedule: ``weekly`` on a weekday, ``monthly`` on a day, or ``manual`` (nothing leaves by itself)."""

    interval: str = "weekly"
    weekly_anchor: str | None = "monday"
    monthly_anchor: int | None = None
    delay_days: int = SHORTEST_DELAY

    def as_json(self) -> dict[str, Any]:
        """For the database; equal schedules are equal there."""
        return {
            "interval": self.interval,
            "weekly_anchor": self.weekly_anchor,
            "monthly_anchor": self.monthly_anchor,
            "delay_days": self.delay_days,
        }


DEFAULT = Wanted()
HELD = Wanted("manual", None, None)


def chosen(interval: str, *, weekly_anchor: str | None, monthly_anchor: int | None, delay_days: int) -> Wanted:
    """A schedule a consultant asks for; raises Refused with what is possible."""
    if not SHORTEST_DELAY <= delay_days <= LONGEST_DELAY:
        raise Refused(f"The delay is {SHORTEST_DELAY} to {LONGEST_DELAY} days.", code="delay_invalid")
    if interval == "manual":
        return Wanted("manual", None, None, delay_days)
    if interval == "weekly":
        if weekly_anchor not in WEEKDAYS:
            raise Refused("Choose a weekday from Monday to Friday.", code="anchor_invalid")
        return Wanted("weekly", weekly_anchor, None, delay_days)
    if interval != "monthly" or monthly_anchor is None or not 1 <= monthly_anchor <= LAST_ANCHOR:
        raise Refused(f"Choose a day from 1 to {LAST_ANCHOR}.", code="anchor_invalid")
    return Wanted("monthly", None, monthly_anchor, delay_days)


def agrees(wanted: dict[str, Any], seen: dict[str, Any]) -> bool:
    """Whether what Stripe has is what is wanted; what an interval does not use is not compared."""
    names = ["interval"]
    if wanted["interval"] != "manual":
        names += ["delay_days"]
    if wanted["interval"] in {"weekly", "monthly"}:
        names += [f"{wanted['interval']}_anchor"]
    return all(wanted.get(name) == seen.get(name) for name in names)
