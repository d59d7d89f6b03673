"""The bill once more, PURE, written apart from the meter on purpose: exact fractions, and only what a receipt says.

The rules are those of the price snapshot: connected time is the sum of the intervals; under the threshold, under the
currency's minimum, or where no hold ever stood, a call costs nothing; from the threshold on the whole call (or only
what is past it) is charged at the rate per hour, half up, up to the cap; VAT is the part of the price that its rate
makes it, half up. Whether there is any follows from where both sides are taxed.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any

HOUR_MS = 3_600_000
BPS = 10_000
EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
RATED = f"{EU} CH GB"  # where a rate is known
# The currencies of receipts, and how many decimals an amount has in each (ISO 4217).
DECIMALS = {"eur": 2, "usd": 2, "gbp": 2, "chf": 2, "jpy": 0}
SKIPPED = "demo_skip"  # the demo's clock was moved: the next interval follows without a gap


def half_up(value: Fraction) -> int:
    """Round to the nearest whole number, halves upwards."""
    return floor(value + Fraction(1, 2))


class Bill:
    """What a receipt's price and intervals come to; ``held`` says whether a hold ever stood."""

    def __init__(self, price: dict[str, Any], intervals: list[dict[str, Any]], *, held: bool) -> None:
        self._price = price
        self._intervals = sorted(intervals, key=lambda interval: int(interval["n"]))
        self.connected_ms = sum(interval["duration_ms"] for interval in intervals)
        passed = held and self.connected_ms >= price["threshold_ms"]
        full = self._price_at(self.connected_ms) if passed else 0
        self.due_minor = full if full >= price["minimum_minor"] else 0
        counted = min(self.connected_ms, self._cap_ms) - self._free_ms
        self.billed_ms = counted if self.due_minor else 0

    @property
    def _rate(self) -> Fraction:
        """Minor units per millisecond."""
        return Fraction(self._price["rate_minor_per_hour"], HOUR_MS)

    @property
    def _free_ms(self) -> int:
        return int(self._price["threshold_ms"]) if self._price["policy"] == "after_threshold" else 0

    @property
    def _cap_ms(self) -> int:
        """The last whole millisecond the cap pays for; never before the threshold."""
        paid: int = floor(self._price["cap_minor"] / self._rate)
        return max(int(self._price["threshold_ms"]), self._free_ms + paid)

    def _price_at(self, connected_ms: int) -> int:
        """The price when the clock stands here, of a call that is charged."""
        counted = max(0, min(connected_ms, self._cap_ms) - self._free_ms)
        return min(half_up(counted * self._rate), int(self._price["cap_minor"]))

    def lines(self) -> list[dict[str, Any]]:
        """Every stretch of the call: what it was, from when to when, and what it costs."""
        found: list[dict[str, Any]] = []
        clock, previous = 0, None
        for interval in self._intervals:
            start = moment(interval["started_at"])
            if previous is not None:
                found += _gap(*previous, start)
            found += self._stretches(clock, interval["duration_ms"], start)
            clock += interval["duration_ms"]
            previous = (start + timedelta(milliseconds=interval["duration_ms"]), interval["cause"])
        return found

    def _stretches(self, clock: int, duration_ms: int, start: datetime) -> Iterator[dict[str, Any]]:
        position, end = clock, clock + duration_ms
        while position < end:
            kind, until = self._kind_at(position, end)
            amount = self._price_at(until) - self._price_at(position) if kind == "talk" else 0
            yield _line(
                kind,
                start + timedelta(milliseconds=position - clock),
                start + timedelta(milliseconds=until - clock),
                until - position,
                amount,
            )
            position = until

    def _kind_at(self, position: int, end: int) -> tuple[str, int]:
        """What the time from ``position`` on is, and until when it is that."""
        if not self.due_minor:
            return "free", end if self._cap_ms <= position else min(end, self._cap_ms)
        if position < self._free_ms:
            return "free", min(end, self._free_ms)
        if position < self._cap_ms:
            return "talk", min(end, self._cap_ms)
        return "cap", end


def _gap(ended: datetime, cause: str | None, start: datetime) -> Iterator[dict[str, Any]]:
    span_ms = (start - ended) // timedelta(milliseconds=1)
    if span_ms > 0 and cause != SKIPPED:
        yield _line("unbilled", ended, start, span_ms, 0, cause)


def _line(
    kind: str, start: datetime, end: datetime, duration_ms: int, amount_minor: int, cause: str | None = None
) -> dict[str, Any]:
    return {
        "kind": kind,
        "from": written(start),
        "to": written(end),
        "duration_ms": duration_ms,
        "cause": cause,
        "amount_minor": amount_minor,
    }


def moment(text: str) -> datetime:
    """A moment as receipts write it; ValueError for any other way."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def written(at: datetime) -> str:
    """The same as text."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def vat_in(gross_minor: int, price: dict[str, Any]) -> int:
    """The tax in a price that includes it."""
    rate = price["tax_rate_bps"] if price["tax_mode"] == "inclusive" else 0
    return half_up(Fraction(gross_minor * rate, BPS + rate))


def taxed_as(tax: dict[str, Any]) -> tuple[str, str] | None:
    """The mode and the reason that follow from the facts; None where the facts alone do not say the mode.

    That is so before the supplier stated anything. A small business is one by its own word.
    """
    home, away = tax["supplier"]["country"], tax["customer"]["country"]
    if home is None:
        return None
    if tax["reason"] == "small_business":
        return "exempt", "small_business"
    if home not in RATED.split():
        return "outside_scope", "no_rate"
    if away in {None, home}:
        return "inclusive", "domestic" if away else "customer_unstated"
    return _across_a_border(tax) if {home, away} <= set(EU.split()) else ("outside_scope", "outside_eu")


def _across_a_border(tax: dict[str, Any]) -> tuple[str, str]:
    """Between two member states: a VAT number makes a business, two of them turn the charge round."""
    if tax["customer"]["vat_id"] is None:
        return "inclusive", "eu_consumer"
    if tax["supplier"]["vat_id"] is None:
        return "inclusive", "supplier_unregistered"
    return "reverse_charge", "eu_business"


def commission_of(gross_minor: int, commission_bps: int) -> int:
    """The platform's part."""
    return half_up(Fraction(gross_minor * commission_bps, BPS))
