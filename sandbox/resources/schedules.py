"""When a connected account is paid out (docs.stripe.com/connect/manage-payout-schedule)."""

from typing import Any

from sandbox.errors import invalid
from sandbox.form import Params, choice, integer

_PATH = "settings[payouts][schedule]"
_DAYS = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
_INTERVALS = {"manual", "daily", "weekly", "monthly"}
_MINIMUM_DELAY = {"US": 2}
_USUAL_DELAY, LONGEST_DELAY = 3, 31
_LAST_DAY = 31


def changed(current: dict[str, Any], params: Params, country: str) -> dict[str, Any]:
    """The schedule after a request, validated as Stripe does; ``current`` is empty for a new account."""
    given = ((params.get("settings") or {}).get("payouts") or {}).get("schedule") or {}
    shortest = _MINIMUM_DELAY.get(country, _USUAL_DELAY)
    interval = choice(given, "interval", _INTERVALS, current.get("interval", "daily"))
    after: dict[str, Any] = {"delay_days": current.get("delay_days", shortest), "interval": interval}
    if interval != "manual" and "delay_days" in given:  # under 'manual' the last configured delay stays
        after["delay_days"] = _delay(given, shortest)
    for name, belongs, reads in (
        ("weekly_anchor", "weekly", _weekday),
        ("monthly_anchor", "monthly", _day_of_month),
    ):
        if interval != belongs:
            if name in given:
                raise invalid(f"{name} is only applicable if interval is {belongs}.", f"{_PATH}[{name}]")
        elif name in given:
            after[name] = reads(given)
        elif name in current:
            after[name] = current[name]
        else:
            raise invalid(f"{name} is required if interval is {belongs}.", f"{_PATH}[{name}]")
    return after


def _delay(given: Params, shortest: int) -> int:
    if given["delay_days"] == "minimum":
        return shortest
    days = integer(given, "delay_days")
    assert days is not None
    if not shortest <= days <= LONGEST_DELAY:
        raise invalid(
            f"delay_days must be between {shortest} and {LONGEST_DELAY} for this account.", f"{_PATH}[delay_days]"
        )
    return days


def _weekday(given: Params) -> str:
    return choice(given, "weekly_anchor", _DAYS, "monday")


def _day_of_month(given: Params) -> int:
    day = integer(given, "monthly_anchor")
    if day is None or not 1 <= day <= _LAST_DAY:
        raise invalid(f"monthly_anchor must be between 1 and {_LAST_DAY}.", f"{_PATH}[monthly_anchor]")
    return day
