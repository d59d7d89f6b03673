"""Periods as people name them, PURE: whole days and months where the reader lives, as moments in UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from core.errors import Invalid

_MONTHS = 12


class Span(StrEnum):
    """The periods that have a name."""

    MONTH = "month"  # this calendar month
    LAST_MONTH = "last_month"
    YEAR = "year"  # this calendar year
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Period:
    """``starts_at`` inclusive, ``ends_at`` exclusive; None is without end on that side."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None


def named(span: Span, now: datetime, zone: str) -> Period:
    """The period of this name around ``now``."""
    first = now.astimezone(ZoneInfo(zone)).date().replace(day=1)
    if span is Span.ALL:
        return Period()
    if span is Span.YEAR:
        return Period(midnight(first.replace(month=1), zone), midnight(date(first.year + 1, 1, 1), zone))
    if span is Span.LAST_MONTH:
        return Period(midnight(months_after(first, -1), zone), midnight(first, zone))
    return Period(midnight(first, zone), midnight(months_after(first, 1), zone))


def between(first: date | None, last: date | None, zone: str) -> Period:
    """From the beginning of ``first`` to the end of ``last``; raises Invalid when the end comes first."""
    if first is not None and last is not None and last < first:
        raise Invalid("This period ends before it begins.", field="to")
    starts = None if first is None else midnight(first, zone)
    return Period(starts, None if last is None else midnight(last + timedelta(days=1), zone))


def of_month(month: str, zone: str) -> Period:
    """The calendar month ``2026-01`` in ``zone``."""
    first = date.fromisoformat(f"{month}-01")
    return Period(midnight(first, zone), midnight(months_after(first, 1), zone))


def year_to(period: Period, now: datetime, zone: str) -> Period:
    """The twelve calendar months up to the last one of ``period``: what is drawn beside it."""
    last = now if period.ends_at is None else period.ends_at - timedelta(microseconds=1)
    first = last.astimezone(ZoneInfo(zone)).date().replace(day=1)
    return Period(midnight(months_after(first, 1 - _MONTHS), zone), midnight(months_after(first, 1), zone))


def months_of(year: Period, zone: str) -> list[str]:
    """The names of the months that ``year_to`` gave, oldest first: ``2026-01``."""
    assert year.starts_at is not None
    first = year.starts_at.astimezone(ZoneInfo(zone)).date()
    return [f"{months_after(first, n):%Y-%m}" for n in range(_MONTHS)]


def months_after(first: date, count: int) -> date:
    """The first day of the month ``count`` months after that of ``first``."""
    months = first.year * 12 + first.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def midnight(day: date, zone: str) -> datetime:
    """When ``day`` begins in ``zone``, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
