"""What a consultant's live status follows from."""

from datetime import UTC, datetime, timedelta

import pytest

from signaling.status import Facts, Status, status_of

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
GRACE = timedelta(seconds=30)


def status(*, on: bool = True, in_call: bool = False, away: bool = False, silent_s: float | None = 0) -> Status:
    seen = None if silent_s is None else NOW - timedelta(seconds=silent_s)
    return status_of(Facts(on, in_call, away, seen), now=NOW, grace=GRACE)


def test_who_is_switched_on_and_heard_is_available() -> None:
    assert status() is Status.AVAILABLE


@pytest.mark.parametrize(("silent_s", "expected"), [(30, Status.AVAILABLE), (30.001, Status.OFFLINE)])
def test_a_killed_tab_is_offline_after_the_grace_and_not_before(silent_s: float, expected: Status) -> None:
    assert status(silent_s=silent_s) is expected


def test_who_was_never_heard_is_offline() -> None:
    assert status(silent_s=None) is Status.OFFLINE


def test_who_is_switched_off_is_offline() -> None:
    assert status(on=False) is Status.OFFLINE


def test_missed_rings_make_away() -> None:
    assert status(away=True) is Status.AWAY


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("away", [True, False])
@pytest.mark.parametrize("silent_s", [0, 3600, None])
def test_a_call_is_a_meeting_whatever_else_is_true(on: bool, away: bool, silent_s: float | None) -> None:
    assert status(on=on, away=away, in_call=True, silent_s=silent_s) is Status.IN_MEETING
