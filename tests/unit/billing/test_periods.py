"""A period begins and ends at midnight where its reader lives, also when clocks change."""

from datetime import UTC, date, datetime

import pytest

from billing.periods import Period, Span, between, months_after, months_of, named, year_to
from core.errors import Invalid

NOW = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # the first of April in Berlin already


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("span", "zone", "period"),
    [
        (Span.MONTH, "UTC", Period(at(2026, 3, 1), at(2026, 4, 1))),
        (Span.MONTH, "Europe/Berlin", Period(at(2026, 3, 31, 22), at(2026, 4, 30, 22))),
        (Span.LAST_MONTH, "Europe/Berlin", Period(at(2026, 2, 28, 23), at(2026, 3, 31, 22))),
        (Span.YEAR, "America/New_York", Period(at(2026, 1, 1, 5), at(2027, 1, 1, 5))),
        (Span.ALL, "UTC", Period()),
    ],
)
def test_named_periods(span: Span, zone: str, period: Period) -> None:
    assert named(span, NOW, zone) == period


def test_days_are_whole_and_the_last_one_counts() -> None:
    assert between(date(2026, 3, 29), date(2026, 3, 29), "Europe/Berlin") == Period(
        at(2026, 3, 28, 23), at(2026, 3, 29, 22)
    )
    assert between(date(2026, 1, 1), None, "UTC") == Period(at(2026, 1, 1), None)
    with pytest.raises(Invalid):
        between(date(2026, 1, 2), date(2026, 1, 1), "UTC")


@pytest.mark.parametrize("span", list(Span))
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati"])
def test_the_year_beside_a_period_is_twelve_months_and_ends_with_it(span: Span, zone: str) -> None:
    period = named(span, NOW, zone)
    year = year_to(period, NOW, zone)
    names = months_of(year, zone)
    assert len(names) == len(set(names)) == 12
    assert names == sorted(names)
    assert period.ends_at in (None, year.ends_at)


def test_months_follow_one_another_across_years() -> None:
    assert months_after(date(2026, 1, 1), -1) == date(2025, 12, 1)
    assert months_after(date(2025, 12, 1), 1) == date(2026, 1, 1)
    assert months_after(date(2025, 12, 1), 25) == date(2028, 1, 1)
