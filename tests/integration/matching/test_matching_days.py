"""The figures of a day are those of the stored facts, and a fact that comes late changes them."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from matching.learning import matching_days
from matching.learning.matching_days import ALL, Day, total
from tests.integration.matching.conftest import Market
from tests.integration.matching.past import Asked, write

MORNING = datetime(2026, 1, 2, 8, tzinfo=UTC)
THREE = [{"words": 1.0, "record": 0.0}] * 3


async def days(market: Market, since: datetime = MORNING) -> dict[tuple[int, str], Day]:
    async with market.db.begin() as tx:
        found = await matching_days.read(tx, since=since, until=market.clock.now())
    return {(one.day.day, one.version): one for one in found}


@pytest.fixture
async def past(market: Market) -> Market:
    """Six questions of one day under two versions, and one of the next."""
    hour = timedelta(hours=1)
    await write(
        market.db,
        [
            Asked(MORNING, THREE, good=0, stars=5, answered_after_s=10, p_success=[0.85, 0.15, 0.05]),
            Asked(MORNING + hour, THREE, good=1, stars=4, answered_after_s=20, p_success=[0.85, 0.15, 0.05]),
            Asked(MORNING + 2 * hour, THREE, good=2, stars=None, answered_after_s=130),
            Asked(MORNING + 3 * hour, THREE, good=0, refunded=True, answered_after_s=40, version="second"),
            Asked(MORNING + 4 * hour, THREE, good=None, answered_after_s=50, version="second"),
            Asked(MORNING + 5 * hour, THREE, good=None, answered_after_s=None, version="second"),
            Asked(MORNING + 24 * hour, THREE, good=0, answered_after_s=5),
        ],
    )
    return market


async def test_a_days_figures_are_the_stored_facts(past: Market) -> None:
    found = await days(past)
    assert set(found) == {(2, ALL), (2, "first"), (2, "second"), (3, ALL), (3, "first")}
    day = found[2, ALL].figures
    assert (day.questions, day.rung, day.answered, day.answered_in_time) == (6, 6, 5, 4)
    assert day.met_in_time == 4
    assert day.median_s == pytest.approx(40)
    assert day.p95_s == pytest.approx(114)
    assert (day.connected, day.completed, day.refunded) == (5, 4, 1)
    assert (day.stars_sum, day.stars_count) == (14, 3)
    assert (day.placed, day.hits3, day.newcomer_contacts) == (3, 3, 5)
    assert day.reciprocal_sum == pytest.approx(1 + 1 / 2 + 1 / 3)
    second = found[2, "second"].figures
    assert (second.questions, second.completed, second.refunded, second.placed) == (3, 1, 1, 0)


async def test_what_was_foretold_is_held_against_what_came_true(past: Market) -> None:
    bins = (await days(past))[2, ALL].figures.calibration
    assert [(n, one.n, one.came_true) for n, one in enumerate(bins) if one.n] == [(0, 2, 0), (1, 2, 1), (8, 2, 1)]
    assert bins[8].foretold == pytest.approx(1.7)


async def test_versions_add_up_to_the_whole_day(past: Market) -> None:
    found = await days(past)
    added = total(found[2, version].figures for version in ("first", "second"))
    whole = found[2, ALL].figures
    assert (added.questions, added.completed, added.stars_sum) == (whole.questions, whole.completed, whole.stars_sum)
    assert added.calibration == whole.calibration


async def test_stored_days_are_read_back_and_a_late_refund_changes_them_when_they_are_kept_anew(past: Market) -> None:
    before = await days(past)
    async with past.db.begin() as tx:
        assert await matching_days.keep(tx, since=MORNING, until=past.clock.now()) == 5
    assert await days(past) == before
    async with past.db.begin() as tx:
        await tx.session.execute(text("UPDATE outcome SET refunded = true"))
    assert await days(past) == before, "stored"
    async with past.db.begin() as tx:
        await matching_days.keep(tx, since=MORNING, until=past.clock.now())
    assert (await days(past))[2, ALL].figures.refunded == 5


async def test_a_newcomers_contacts_are_their_first_twenty(market: Market) -> None:
    old, fresh = uuid4(), uuid4()
    earlier = [Asked(MORNING - timedelta(hours=n), THREE[:1], people=[old], answered_after_s=1) for n in range(1, 21)]
    await write(market.db, [*earlier, *(Asked(MORNING, THREE[:1], people=[one]) for one in (old, fresh))])
    assert sum(one.figures.newcomer_contacts for key, one in (await days(market)).items() if key == (2, ALL)) == 9


async def test_without_any_question_there_are_no_days(market: Market) -> None:
    assert await days(market) == {}
    assert total([]).questions == 0
