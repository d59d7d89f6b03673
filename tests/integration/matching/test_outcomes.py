"""Outcomes: every fact of an accepted ring is kept once, in whatever order and however often it is told."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from billing.events import ChargeRefunded, ChargeSettled
from core.db import Tx
from core.ids import CallId, QuestionId, UserId
from matching import changes
from matching.consultants import consultant_store
from matching.events import OfferAccepted, OfferMissed
from matching.learning import outcomes
from matching.learning.outcomes_log import OutcomeLog
from matching.models import OutcomeRow
from people.events import RatingGiven
from signaling.events import CallEnded, CallWentLive
from tests.integration.matching.conftest import Market

Told = Callable[[Tx, Any], Awaitable[None]]


class Story:
    """One accepted ring and everything that may be told about it."""

    def __init__(self, market: Market, customer: UserId, consultant: UserId, accepted: OfferAccepted) -> None:
        self.market, self.customer, self.consultant, self.accepted = market, customer, consultant, accepted
        self.call = accepted.call_id
        self.log = OutcomeLog()

    async def tell(self, *facts: tuple[Told, Any]) -> None:
        for handler, event in facts:
            async with self.market.db.begin() as tx:
                await handler(tx, event)

    def live(self) -> tuple[Told, Any]:
        return self.log.on_call_went_live, CallWentLive(self.call, self.customer, self.consultant)

    def ended(self, *, went_live: bool = True, reason: str = "left", absent: tuple[str, ...] = ()) -> tuple[Told, Any]:
        question, request = self.accepted.question_id, self.accepted.request_id
        event = CallEnded(self.call, request, question, self.customer, self.consultant, reason, went_live, absent)
        return self.log.on_call_ended, event

    def settled(self, connected_ms: int = 900_000) -> tuple[Told, Any]:
        passed = connected_ms >= 600_000
        event = ChargeSettled(self.call, self.customer, self.consultant, 100, "captured", connected_ms, passed)
        return self.log.on_charge_settled, event

    def refunded(self, minor: int) -> tuple[Told, Any]:
        event = ChargeRefunded(self.call, self.customer, self.consultant, minor)
        return self.log.on_charge_refunded, event

    def rated(self, stars: int | None) -> tuple[Told, Any]:
        event = RatingGiven(self.call, self.customer, self.consultant, stars)

        async def both(tx: Tx, given: RatingGiven) -> None:  # in the order of app/flow.py
            await self.market.consultants.on_rating(tx, given)
            await self.log.on_rating(tx, given)

        return both, event

    async def hang_up(self) -> None:
        """The call is over, and the consultant is free for the next."""
        handler, event = self.ended()
        await self.tell((handler, event), (self.market.requests.on_call_ended, event))
        await self.market.presence(self.consultant, "available")

    async def outcome(self) -> outcomes.Outcome:
        async with self.market.db.begin() as tx:
            row = await outcomes.locked(tx, self.call)
        assert row is not None
        outcome = outcomes.outcome_of(row)
        assert outcome.succeeded == row.succeeded, "the column says what the rule says"
        return outcome

    async def counters(self) -> tuple[int, int, int, int]:
        """Contacts, successes, ratings and their sum."""
        async with self.market.db.begin() as tx:
            row = await consultant_store.find(tx, self.consultant)
        assert row is not None
        return row.contacts, row.successes, row.rating_count, row.rating_sum


@pytest.fixture
async def story(market: Market) -> Story:
    consultant = await market.consultant("Kubernetes operations", contacts=0, tags=("kubernetes",))
    return await began(market, await market.customer(), consultant)


async def began(market: Market, customer: UserId, consultant: UserId) -> Story:
    """A ring that was accepted."""
    await market.ring(customer)
    [offer] = await market.offers(consultant)
    await market.accept(consultant, offer["id"])
    story = Story(market, customer, consultant, market.heard(OfferAccepted)[-1])
    await story.tell((story.log.on_offer_accepted, story.accepted))
    return story


@pytest.mark.parametrize(
    ("absent", "counts"), [(("consultant",), (0, 1)), (("customer",), (1, 0)), (("consultant", "customer"), (1, 0))]
)
async def test_an_accept_that_nobody_followed_counts_as_a_miss_once(
    story: Story, absent: tuple[str, ...], counts: tuple[int, int]
) -> None:
    ended = story.ended(went_live=False, reason="no_show", absent=absent)
    await story.tell(ended, ended)
    async with story.market.db.begin() as tx:
        row = await consultant_store.find(tx, story.consultant)
    assert row is not None
    assert (row.offers_accepted, row.offers_missed) == counts
    assert [one.consecutive for one in story.market.heard(OfferMissed)] == [2] * counts[1], "away until they click"


async def test_an_accepted_ring_begins_an_outcome_with_the_question_as_it_was(story: Story) -> None:
    outcome = await story.outcome()
    assert outcome.text.startswith("My k8s pods keep restarting")
    assert (outcome.tags, outcome.language) == (("kubernetes",), "en")
    assert (outcome.connected, outcome.completed, outcome.stars, outcome.ended_at) == (False, False, None, None)
    assert await story.counters() == (0, 0, 0, 0)


async def test_everything_told_twice_and_in_any_order_ends_in_the_same_row_and_counters(story: Story) -> None:
    facts = [story.live(), story.ended(), story.settled(), story.rated(5), story.refunded(0)]
    await story.tell(*facts)
    expected, counted = await story.outcome(), await story.counters()
    assert (expected.connected, expected.completed, expected.connected_ms, expected.stars) == (True, True, 900_000, 5)
    assert counted == (1, 1, 1, 5)
    for order in itertools.islice(itertools.permutations(facts), 0, 120, 17):
        await story.tell(*order, (story.log.on_offer_accepted, story.accepted))
        assert await story.outcome() == expected, "nothing was written at all"
        assert await story.counters() == counted


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
async def test_events_out_of_order_count_the_same(story: Story, order: tuple[int, ...]) -> None:
    facts = [story.live(), story.ended(), story.settled(), story.rated(4)]
    await story.tell(*(facts[n] for n in order))
    assert (await story.outcome()).succeeded
    assert await story.counters() == (1, 1, 1, 4)


async def test_a_rating_that_is_changed_is_followed_and_not_added(story: Story) -> None:
    await story.tell(story.live(), story.settled(), story.rated(5), story.rated(2))
    assert (await story.outcome()).stars == 2
    assert await story.counters() == (1, 0, 1, 2)
    await story.tell(story.rated(4))
    assert await story.counters() == (1, 1, 1, 4)


async def test_a_rating_that_is_taken_back_leaves_no_trace(story: Story) -> None:
    await story.tell(story.live(), story.settled(), story.rated(1))
    assert await story.counters() == (1, 0, 1, 1)
    for _ in range(2):
        await story.tell(story.rated(None))
        assert await story.counters() == (1, 1, 0, 0)


async def test_a_refund_takes_the_success_back_and_one_that_fails_returns_it(story: Story) -> None:
    await story.tell(story.live(), story.settled(), story.refunded(500))
    assert await story.counters() == (1, 0, 0, 0)
    await story.tell(story.refunded(0))
    assert await story.counters() == (1, 1, 0, 0)


async def test_a_call_under_the_threshold_is_a_contact_but_no_success(story: Story) -> None:
    await story.tell(story.live(), story.ended(), story.settled(599_999))
    assert await story.counters() == (1, 0, 0, 0)


async def test_a_call_that_never_went_live_is_no_contact(story: Story) -> None:
    await story.tell(story.ended(went_live=False), story.settled(0))
    assert await story.counters() == (0, 0, 0, 0)
    assert (await story.outcome()).ended_at is not None


async def test_a_pair_that_talks_again_and_again_counts_once_and_votes_less_each_time(
    story: Story, market: Market
) -> None:
    await story.tell(story.live(), story.settled(), story.rated(2))
    await story.hang_up()
    again = await began(market, story.customer, story.consultant)
    await again.tell(again.live(), again.settled())
    await again.hang_up()
    assert await story.counters() == (1, 1, 1, 2), "the second call went well"
    third = await began(market, story.customer, story.consultant)
    await third.tell(third.live(), third.settled())
    await third.hang_up()
    assert await story.counters() == (1, 1, 1, 2)
    await again.tell(again.refunded(500))
    assert await story.counters() == (1, 1, 1, 2), "the third stands"
    await third.tell(third.refunded(500))
    assert await story.counters() == (1, 0, 1, 2)
    assert [(await one.outcome()).nth for one in (story, again, third)] == [1, 2, 3]
    other = await began(market, await market.customer(), story.consultant)
    await other.tell(other.live(), other.settled())
    assert await story.counters() == (2, 1, 1, 2)


async def test_the_customers_own_stars_are_not_the_outcome(story: Story) -> None:
    await story.tell((story.log.on_rating, RatingGiven(story.call, story.consultant, story.customer, 1)))
    assert (await story.outcome()).stars is None


async def test_a_call_that_nobody_accepted_here_changes_nothing(story: Story) -> None:
    stranger = CallId(uuid4())
    await story.tell((story.log.on_call_went_live, CallWentLive(stranger, story.customer, story.consultant)))
    assert await story.counters() == (0, 0, 0, 0)


async def test_changed_since_gives_what_was_committed_and_never_misses_a_commit(story: Story, market: Market) -> None:
    async with market.db.begin() as tx:
        seen, rows = await outcomes.changed_since(tx, 0)
    assert [row.call_id for row in rows] == [story.call]
    async with market.db.begin() as slow:
        await story.log.on_call_went_live(slow, story.live()[1])
        async with market.db.begin() as tx:
            later, rows = await outcomes.changed_since(tx, seen)
        assert all(not row.connected for row in rows), "not committed yet"
    async with market.db.begin() as tx:
        _, rows = await outcomes.changed_since(tx, later)
    assert [row.connected for row in rows] == [True]
    assert QuestionId(rows[0].question_id) == story.accepted.question_id


async def test_news_tells_which_table_was_written_and_only_once_it_is_committed(story: Story, market: Market) -> None:
    async with market.db.begin() as tx:
        first = await changes.news(tx, consultants=0, outcomes=0)
    assert (first.consultants, first.outcomes) == (True, True)
    while first.consultants or first.outcomes:  # until whatever was under way meanwhile, an ANALYZE perhaps, is over
        async with market.db.begin() as tx:
            first = await changes.news(tx, consultants=first.here, outcomes=first.here)

    async def new(tx: Tx) -> tuple[bool, bool]:
        found = await changes.news(tx, consultants=first.here, outcomes=first.here)
        return found.consultants, found.outcomes

    async with market.db.begin() as slow:
        assert await new(slow) == (False, False)
        await slow.session.execute(update(OutcomeRow).where(OutcomeRow.call_id == story.call).values(stars=5))
        assert await new(slow) == (False, False), "it may still be rolled back"
        async with market.db.begin() as tx:
            assert await new(tx) == (False, False)
    async with market.db.begin() as tx:
        assert await new(tx) == (False, True)
