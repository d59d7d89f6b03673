"""Dispatch: one plan for all who wait, leases with tokens, the promise's credit, and being told when somebody is."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from billing.events import HoldPlaced
from core.ids import CallId, QuestionId, RequestId, UserId
from matching.dispatch import claims, offer, store
from matching.dispatch.answers import Expired, Withdrawn
from matching.dispatch.ring_order import Standing, draw
from matching.dispatch.wishes import KEPT, TooManyWishes, WishService
from matching.events import OfferMissed, PromiseMissed
from matching.models import OfferRow, RequestRow
from matching.questions import question_store
from people.events import UserBlocked
from signaling.events import CallWentLive
from signaling.views import RequestView, WishView
from tests.integration.matching.conftest import Market

TWO = {"Kubernetes operations": ("kubernetes",), "Tax law for freelancers": ("tax",)}


def ringing(view: dict | None) -> list[UserId]:
    assert view is not None
    return [one["consultant_id"] for one in view["ringing"]]


async def test_a_poor_fit_waits_a_moment_for_the_good_one_who_is_in_a_call(market: Market) -> None:
    anna = await market.consultant("Kubernetes pods keep restarting", tags=("kubernetes",), status="in_meeting")
    ben = await market.consultant("Garden design", languages=("fr",))
    customer = await market.customer()
    assert ringing(await market.ring(customer)) == []
    await market.later(6)
    assert ringing(await market.view(customer)) == []
    await market.presence(anna, "available")
    await market.requests.run_due(market.db)
    assert ringing(await market.view(customer)) == [anna], "free in time"
    other = await market.customer()
    assert ringing(await market.ring(other)) == [ben], "nobody better is in a call: rung at once"


async def test_a_poor_fit_rings_when_nobody_better_came(market: Market) -> None:
    await market.consultant("Kubernetes pods keep restarting", tags=("kubernetes",), status="in_meeting")
    ben = await market.consultant("Garden design", languages=("fr",))
    customer = await market.customer()
    assert ringing(await market.ring(customer)) == []
    for _ in range(10):
        await market.later(2)
    assert ringing(await market.view(customer)) == [ben], "after one ring's length at the latest"


async def test_who_is_too_dear_is_not_waited_for(market: Market) -> None:
    await market.consultant("Kubernetes pods", tags=("kubernetes",), status="in_meeting", rate_minor_per_hour=50_000)
    ben = await market.consultant("Garden design", languages=("fr",))
    assert ringing(await market.ring(await market.customer())) == [ben]


async def test_two_who_wait_each_get_their_expert(market: Market) -> None:
    first, second = await market.customer(), await market.customer()
    pods = await market.question(first, "My kubernetes pods keep restarting")
    tax = await market.question(second, "Which tax applies to freelancers")
    for customer, question in ((first, pods), (second, tax)):
        assert ringing(await market.ring(customer, question_id=question)) == []
    lawyer, operator = [
        await market.consultant(headline, tags=TWO[headline], status="offline") for headline in reversed(TWO)
    ]
    for one in (lawyer, operator):
        await market.presence(one, "available")
    assert await market.requests.run_due(market.db) == 2
    assert ringing(await market.view(first)) == [operator]
    assert ringing(await market.view(second)) == [lawyer]


async def test_a_decline_frees_the_consultant_for_the_other_who_waits(market: Market) -> None:
    anna = await market.consultant()
    first, second = await market.customer(), await market.customer()
    await market.ring(first)
    assert ringing(await market.ring(second)) == []
    [ring] = await market.offers(anna)
    await market.decline(anna, ring["id"])
    assert ringing(await market.view(second)) == [anna], "in the same moment, not at the next tick"


async def test_a_cancelled_ring_frees_the_consultant_for_the_other_who_waits(market: Market) -> None:
    anna = await market.consultant()
    first, second = await market.customer(), await market.customer()
    request = await market.ring(first)
    await market.ring(second)
    await market.cancel(first, request["id"])
    await market.requests.run_due(market.db)
    assert ringing(await market.view(second)) == [anna], "woken, not polled"


@pytest.mark.parametrize("customer_blocks", [True, False])
async def test_a_block_stops_the_ring_at_once_and_is_no_miss(market: Market, customer_blocks: bool) -> None:
    anna = await market.consultant()
    customer = await market.customer()
    assert ringing(await market.ring(customer)) == [anna]
    [ring] = await market.offers(anna)
    blocker, blocked = (customer, anna) if customer_blocks else (anna, customer)
    async with market.db.begin() as tx:
        await market.consultants.on_blocked(tx, UserBlocked(blocker_id=blocker, blocked_id=blocked))
    with pytest.raises(Withdrawn):
        await market.accept(anna, ring["id"])
    await market.requests.run_due(market.db)
    assert await market.offers(anna) == []
    assert ringing(await market.view(customer)) == []
    assert market.heard(OfferMissed) == []
    assert ringing(await market.ring(await market.customer())) == [anna], "free for everybody else"


async def test_every_ring_of_a_consultant_has_a_higher_token(market: Market) -> None:
    anna = await market.consultant()
    for _ in range(3):
        customer = await market.customer()
        request = await market.ring(customer)
        await market.cancel(customer, request["id"])
    async with market.db.begin() as tx:
        tokens = list(await tx.session.scalars(select(OfferRow.token).where(OfferRow.consultant_id == anna)))
    assert sorted(tokens) == [1, 2, 3]


async def test_an_answer_after_the_lease_changes_nothing_even_before_anybody_looked(market: Market) -> None:
    anna = await market.consultant()
    customer = await market.customer()
    await market.ring(customer)
    [ring] = await market.offers(anna)
    market.clock.advance(timedelta(seconds=21.5))
    with pytest.raises(Expired):
        await market.accept(anna, ring["id"])
    with pytest.raises(Expired):
        await market.decline(anna, ring["id"])
    await market.requests.run_due(market.db)
    assert market.heard(OfferMissed) == [OfferMissed(consultant_id=anna, consecutive=1)]


@pytest.mark.parametrize("move", list(offer.Move))
async def test_no_move_with_an_old_token_changes_anything(market: Market, move: offer.Move) -> None:
    anna = await market.consultant()
    await market.ring(await market.customer())
    async with market.db.begin() as tx:
        held: OfferRow = (await tx.session.scalars(select(OfferRow))).one()
        tx.session.expunge(held)  # a process that sleeps from here on
    async with market.db.begin() as tx:  # meanwhile the ring is ended and the consultant claimed anew
        live = (await tx.session.scalars(select(OfferRow))).one()
        assert await claims.settle(tx, live, offer.Move.WITHDRAW)
    again = await market.ring(await market.customer())
    before = await facts(market)
    async with market.db.begin() as tx:
        assert not await claims.settle(tx, held, move), "its ring is over"
    async with market.db.begin() as tx:
        new = (await tx.session.scalars(select(OfferRow).where(OfferRow.request_id == again["id"]))).one()
        tx.session.expunge(new)
        new.token -= 1
        assert not await claims.settle(tx, new, move), "its token is old"
    assert await facts(market) == before
    assert ringing(again) == [anna]


async def facts(market: Market) -> list[tuple]:
    async with market.db.begin() as tx:
        rows = await tx.session.execute(text("SELECT id, state, token, answered_at FROM offer ORDER BY id"))
        return [tuple(row) for row in rows]


async def claim_and_die(market: Market, request: RequestId, consultant: UserId) -> None:
    async with market.db.begin() as tx:
        row = await store.locked(tx, request)
        ring = await claims.claim(
            tx,
            consultant,
            request_id=row.id,
            currency="eur",
            max_rate_minor_per_hour=12_000,
            rings_until=tx.now,
            score_centi=0,
            reasons=[],
        )
        assert ring is not None
        raise ConnectionError


async def test_a_process_that_dies_within_a_claim_leaves_nothing_behind(market: Market) -> None:
    customer = await market.customer()
    request = await market.ring(customer)
    anna = await market.consultant()
    with pytest.raises(ConnectionError):
        await claim_and_die(market, request["id"], anna)
    await market.requests.run_due(market.db)
    assert ringing(await market.view(customer)) == [anna]
    assert len(await market.offers(anna)) == 1, "one ring, and it is the living process's"


async def test_the_draws_of_a_ring_are_stored_and_can_be_drawn_again(market: Market) -> None:
    anna = await market.consultant(contacts=0)
    customer = await market.customer()
    question = await market.question(customer)
    request = await market.ring(customer, question_id=question)
    async with market.db.begin() as tx:
        [match] = await question_store.matches_of(tx, question)
    assert match.inputs["ring"]["request_id"] == str(request["id"])
    [result] = match.results
    assert result["ring"]["draw"] == draw(request["id"], anna, Standing())


@pytest.mark.parametrize("narrowed", [{"language": "de"}, {"min_stars": 5}])
async def test_whoever_narrows_down_who_is_rung_waits_by_choice(market: Market, narrowed: dict[str, Any]) -> None:
    customer = await market.customer()
    await market.ring(customer, **narrowed)
    await market.later(120.1)
    view = RequestView.model_validate(await market.view(customer))
    assert (view.waiting_over, view.credit) == (True, None)
    assert market.heard(PromiseMissed) == []


async def test_a_missed_promise_is_credited_once(market: Market) -> None:
    customer = await market.customer()
    request = await market.ring(customer)
    await market.later(119.9)
    assert (await market.view(customer) or {})["credit"] is None
    await market.later(0.2)
    view = RequestView.model_validate(await market.view(customer))
    assert view.credit is not None
    assert (view.credit.amount_minor, view.credit.currency) == (1_000, "eur"), "five minutes of 120.00 an hour"
    async with market.db.begin() as tx:
        await market.requests.keep_waiting(tx, customer, RequestId(request["id"]))
    await market.later(121)
    assert len(market.heard(PromiseMissed)) == 1


async def test_ringing_again_and_again_earns_one_small_credit_a_day_within_the_cap(market: Market) -> None:
    customer = await market.customer()

    async def missed_once_more(cap_minor: int) -> None:
        request = await market.ring(customer, max_rate_minor_per_hour=100_000, cap_minor=cap_minor)
        await market.later(121)
        await market.cancel(customer, request["id"])

    for _ in range(3):
        await missed_once_more(900)
    [credited] = market.heard(PromiseMissed)
    assert credited.amount_minor == 900, "five minutes of 1,000.00 an hour are more than the cap"
    market.clock.advance(timedelta(days=1))
    await missed_once_more(50_000)
    assert [event.amount_minor for event in market.heard(PromiseMissed)] == [900, 1_000], "nor ever more than that"


async def test_an_answer_in_time_is_not_credited(market: Market) -> None:
    anna = await market.consultant()
    customer = await market.customer()
    await market.ring(customer)
    await market.accept(anna, (await market.offers(anna))[0]["id"])
    await market.later(200)
    assert (await market.view(customer) or {})["credit"] is None
    assert market.heard(PromiseMissed) == []


async def test_every_stage_up_to_the_call_is_stored_with_its_time(market: Market) -> None:
    anna = await market.consultant()
    customer = await market.customer()
    request = await market.ring(customer)
    market.clock.advance(timedelta(seconds=4))
    call = CallId(await market.accept(anna, (await market.offers(anna))[0]["id"]))
    for _ in range(2):  # announced twice, stored once
        market.clock.advance(timedelta(seconds=2))
        async with market.db.begin() as tx:
            await market.requests.on_hold_placed(tx, HoldPlaced(call_id=call))
    async with market.db.begin() as tx:
        live = CallWentLive(call_id=call, customer_id=customer, consultant_id=anna)
        await market.requests.on_call_went_live(tx, live)
    async with market.db.begin() as tx:
        view = RequestView.model_validate(await market.requests.get(tx, customer, RequestId(request["id"])))
    seen = [(one.stage, (one.at - view.created_at).total_seconds()) for one in view.stages]
    assert seen == [("requested", 0), ("ringing", 0), ("accepted", 4), ("hold", 6), ("connected", 8)]


async def test_the_place_in_line_counts_those_who_wait_longer(market: Market) -> None:
    customers = [await market.customer() for _ in range(3)]
    for customer in customers:
        await market.ring(customer)
        market.clock.advance(timedelta(seconds=1))
    views = [await market.view(customer) or {} for customer in customers]
    assert [view["position"] for view in views] == [1, 2, 3]
    assert [view["usual_wait_s"] for view in views] == [None] * 3, "nobody was answered yet: nothing is known"


async def test_the_usual_wait_is_the_median_of_what_was_measured(market: Market) -> None:
    for seconds in (4, 5, 6, 7, 8):
        anna = await market.consultant()
        await market.ring(await market.customer())
        market.clock.advance(timedelta(seconds=seconds))
        await market.accept(anna, (await market.offers(anna))[0]["id"])
    view = await market.ring(await market.customer())
    assert (view["position"], view["usual_wait_s"]) == (1, 6)


class Wishes:
    """A customer with a question nobody is online for, who wants to be told."""

    def __init__(self, market: Market, customer: UserId, question: QuestionId) -> None:
        self.market, self.customer, self.question = market, customer, question
        self.service = WishService(market.consultants, market._names)

    async def make(self) -> None:
        async with self.market.db.begin() as tx:
            await self.service.make(tx, self.customer, self.question)

    async def seen(self) -> list[WishView]:
        await self.service.run_due(self.market.db)
        async with self.market.db.begin() as tx:
            return [WishView.model_validate(one) for one in await self.service.view(tx, self.customer)]


@pytest.fixture
async def wishes(market: Market) -> Wishes:
    customer = await market.customer()
    made = Wishes(market, customer, await market.question(customer))
    await made.make()
    return made


async def test_the_customer_is_told_once_when_somebody_who_fits_comes_online(market: Market, wishes: Wishes) -> None:
    await market.consultant("Garden design")
    [waiting] = await wishes.seen()
    assert waiting.told_at is None, "a gardener is nobody for this question"
    anna = await market.consultant("Kubernetes operations", tags=("kubernetes",))
    [told] = await wishes.seen()
    assert (told.consultant_id, told.told_at is not None) == (anna, True)
    market.clock.advance(timedelta(minutes=1))
    await market.presence(anna, "offline")
    await market.presence(anna, "available")
    assert await wishes.seen() == [told], "once"


async def test_who_has_nothing_in_common_is_said_to_and_is_not_told_of(market: Market, wishes: Wishes) -> None:
    await market.consultant("Garden design")
    async with market.db.begin() as tx:
        answer = await market.ranking.for_question(tx, wishes.customer, wishes.question)
    assert [{each["code"] for each in match["concerns"]} for match in answer["matches"]] == [
        {"nothing_in_common", "no_ratings"}
    ], "so the list offers to tell"
    [waiting] = await wishes.seen()
    assert waiting.told_at is None


async def test_somebody_who_is_there_already_is_told_of_at_once(market: Market, wishes: Wishes) -> None:
    await market.consultant("Kubernetes operations", tags=("kubernetes",))
    await wishes.make()
    [told] = await wishes.seen()
    assert told.told_at is not None


async def test_a_customer_waits_for_ten_answers_and_no_more(market: Market, wishes: Wishes) -> None:
    last = wishes.question
    for _ in range(9):
        wishes.question = last = await market.question(wishes.customer)
        await wishes.make()
    wishes.question = await market.question(wishes.customer)
    with pytest.raises(TooManyWishes):
        await wishes.make()
    wishes.question = last
    await wishes.make()  # again, for one of the ten
    assert len(await wishes.seen()) == 10


async def test_a_wish_ends_by_itself_by_ringing_by_withdrawing_and_by_hand(market: Market, wishes: Wishes) -> None:
    market.clock.advance(KEPT)
    await market.consultant("Kubernetes operations", tags=("kubernetes",))
    assert await wishes.seen() == []
    await wishes.make()
    async with market.db.begin() as tx:
        await wishes.service.forget(tx, wishes.customer, wishes.question)
    assert await wishes.seen() == []
    await wishes.make()
    request = await market.ring(wishes.customer, question_id=wishes.question)
    assert await wishes.seen() == []
    await market.cancel(wishes.customer, request["id"])
    await wishes.make()
    async with market.db.begin() as tx:
        await market.questions.withdraw(tx, wishes.customer, wishes.question)
    assert await wishes.seen() == []


async def test_two_workers_at_once_never_ring_anybody_twice(market: Market) -> None:
    for _ in range(3):
        await market.consultant(status="offline")
    customers = [await market.customer() for _ in range(6)]
    for customer in customers:
        await market.ring(customer)
    for user in list(market.profiles):
        await market.presence(user, "available")
    twin = market.twin()
    async with asyncio.timeout(30):
        await asyncio.gather(*(one.requests.run_due(market.db) for one in (market, twin, market, twin)))
    await market.later(2)
    rung = [user for customer in customers for user in ringing(await market.view(customer))]
    assert sorted(rung) == sorted(market.profiles)
    async with market.db.begin() as tx:
        assert len((await tx.session.scalars(select(RequestRow).where(RequestRow.due_at.is_(None)))).all()) == 0
