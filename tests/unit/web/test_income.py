"""A consultant's day begins at midnight where the consultant lives."""

from datetime import UTC, datetime

import pytest

from web.routes.income import today


@pytest.mark.parametrize(
    ("now", "zone", "began"),
    [
        (datetime(2026, 1, 5, 9, 0, tzinfo=UTC), "Europe/Berlin", datetime(2026, 1, 4, 23, 0, tzinfo=UTC)),
        (datetime(2026, 3, 29, 12, 0, tzinfo=UTC), "Europe/Berlin", datetime(2026, 3, 28, 23, 0, tzinfo=UTC)),
        (datetime(2026, 10, 25, 12, 0, tzinfo=UTC), "Europe/Berlin", datetime(2026, 10, 24, 22, 0, tzinfo=UTC)),
        (datetime(2026, 1, 5, 1, 0, tzinfo=UTC), "America/New_York", datetime(2026, 1, 4, 5, 0, tzinfo=UTC)),
        (datetime(2026, 1, 5, 9, 0, tzinfo=UTC), "UTC", datetime(2026, 1, 5, tzinfo=UTC)),
    ],
)
def test_today_began_at_local_midnight_also_when_clocks_change(now: datetime, zone: str, began: datetime) -> None:
    assert today(now, zone) == began
