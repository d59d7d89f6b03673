"""The ring keeps the promises of decisions §6."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from core.errors import Conflict, Invalid, NotFound
from core.ids import CallId, OfferId, QuestionId, RequestId, UserId, new_id
from matching.dispatch import promise
from matching.dispatch.answers import AlreadyTaken, Expired, Withdrawn
from matching.dispatch.requests import AlreadyActive, AlreadyMatched, CardMissing
from matching.events import OfferAccepted, OfferMissed, RequestClosed
from matching.models import OfferRow
from people.events import RatingGiven, UserBlocked
from signaling.events import CallEnded, CallWentLive
from signaling.views import OfferView, RequestView
from tests.integration.matching.conftest import Market


def ringing(view: dict | None) -> list[UserId]:
    assert view is not None
    return [one["consultant_id"] for one in view["ringing"]]


def stages(view: dict | None) -> list[str]:
    assert view is not None
    return [one["stage"] for one in view["stages"]]


async def test_the_best_match_rings_first_and_both_sides_see_it(market: Market) -> None:
    await market.consultant("Garden design")
    anna = await market.consultant("Kubernetes operations", tags=("kubernetes",))
    customer = await market.customer()
    view = await market.ring(customer)
    assert ringing(view) == [anna]
    assert stages(view) == ["requested", "ringing"]
    RequestView.model_validate(view)
    [offer] = await market.offers(anna)
    OfferView.model_validate(offer)
    assert offer["net_minor_per_hour"] == 7_650
    assert offer["reasons"][0] == {"code": "tag_match", "params": {"tag": "kubernetes"}}


async def test_after_20_seconds_of_silence_the_next_rings(market: Market) -> None:
    anna = await market.consultant("Kubernetes operations", tags=("kubernetes",))
    ben = await market.consultant("Helps with many things")
    customer = await market.customer()
    assert ringing(await market.ring(customer)) == [anna]
    assert await market.later(19.9) == 0
    assert ringing(await market.view(customer)) == [anna]
    assert await market.later(0.1) == 1
    assert ringing(await market.view(customer)) == [ben]
    assert stages(await market.view(customer)) == ["requested", "ringing", "missed", "ringing"]
    assert await market.offers(anna) == []
    assert market.heard(OfferMissed) == [OfferMissed(consultant_id=anna, consecutive=1)]


async def test_a_decline_rings_the_next_at_once_and_keeps_the_reason(market: Market) -> None:
    anna = await market.consultant("Kubernetes operations", tags=("kubernetes",))
    ben = await market.consultant("Helps with many things")
    customer = await market.customer()
    await market.ring(customer)
    [offer] = await market.offers(anna)
    await market.decline(anna, offer["id"])
    assert ringing(await market.view(customer)) == [ben]
    with pytest.raises(Expired):
        await market.accept(anna, offer["id"])
    async with market.db.begin() as tx:
        kept = await tx.session.scalar(text("SELECT decline_reason FROM offer WHERE state = 'declined'"))
    assert kept == "busy"


async def test_after_a_minute_two_ring_at_once_and_the_first_accept_wins(market: Market) -> None:
    for _ in range(6):
        await market.consultant("Helps with many things")
    customer = await market.customer()
    await market.ring(customer)
    for _ in range(3):
        assert len(ringing(await market.view(customer))) == 1
        await market.later(20)
    first, second = ringing(await market.view(customer))
    [one], [other] = await market.offers(first), await market.offers(second)
    call = await market.accept(second, other["id"])
    with pytest.raises(AlreadyTaken):
        await market.accept(first, one["id"])
    assert await market.accept(second, other["id"]) == call, "accepting twice is the same call"
    view = await market.view(customer)
    assert view is not None
    assert (view["state"], view["call_id"], ringing(view)) == ("matched", call, [])
    [accepted] = market.heard(OfferAccepted)
    assert (accepted.consultant_id, accepted.cap_minor, accepted.rate_minor_per_hour) == (second, 6_000, 9_000)


async def test_a_hundred_parallel_accepts_make_one_call(market: Market) -> None:
    customer = await market.customer()
    request = await market.ring(customer)
    offers: list[tuple[UserId, OfferId]] = []
    async with market.db.begin() as tx:
        for _ in range(100):
            consultant, offer = UserId(uuid4()), OfferId(new_id())
            ring = OfferRow(
                id=offer,
                request_id=request["id"],
                consultant_id=consultant,
                state="ringing",
                rate_minor_per_hour=9_000,
                currency="eur",
                score_centi=0,
                reasons=[],
                created_at=tx.now,
                rings_until=tx.now,
            )
            tx.session.add(ring)
            offers.append((consultant, offer))
    async with asyncio.timeout(60):
        answers = await asyncio.gather(*(market.accept(*one) for one in offers), return_exceptions=True)
    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(won) == 1
    assert all(isinstance(answer, AlreadyTaken) for answer in answers if answer not in won)
    assert len(market.heard(OfferAccepted)) == 1


async def test_one_consultant_pressing_accept_a_hundred_times_gets_one_call(market: Market) -> None:
    anna = await market.consultant()
    await market.ring(await market.customer())
    [offer] = await market.offers(anna)
    async with asyncio.timeout(60):
        calls = await asyncio.gather(*(market.accept(anna, offer["id"]) for _ in range(100)))
    assert len(set(calls)) == 1
    assert len(market.heard(OfferAccepted)) == 1


async def test_cancel_stops_the_ring_and_a_late_accept_is_told_so(market: Market) -> None:
    anna = await market.consultant()
    customer = await market.customer()
    request = await market.ring(customer)
    [offer] = await market.offers(anna)
    assert (await market.cancel(customer, request["id"]))["state"] == "cancelled"
    assert await market.offers(anna) == []
    assert (await market.cancel(customer, request["id"]))["state"] == "cancelled", "twice is once"
    with pytest.raises(Withdrawn):
        await market.accept(anna, offer["id"])
    assert await market.view(customer) is None
    assert len(market.heard(RequestClosed)) == 1


async def test_a_consultant_who_goes_offline_while_ringing_is_passed_over_at_once(market: Market) -> None:
    anna = await market.consultant("Kubernetes operations", tags=("kubernetes",))
    ben = await market.consultant("Helps with many things")
    customer = await market.customer()
    await market.ring(customer)
    [offer] = await market.offers(anna)
    await market.presence(anna, "offline")
    assert await market.requests.run_due(market.db) == 1
    assert ringing(await market.view(customer)) == [ben]
    with pytest.raises(Withdrawn):
        await market.accept(anna, offer["id"])
    assert market.heard(OfferMissed) == []


async def test_an_accepted_request_is_left_not_cancelled(market: Market) -> None:
    anna = await market.consultant()
    customer = await market.customer()
    request = await market.ring(customer)
    await market.accept(anna, (await market.offers(anna))[0]["id"])
    with pytest.raises(AlreadyMatched):
        await market.cancel(customer, request["id"])


async def test_those_who_may_not_be_rung_are_never_rung(market: Market) -> None:
    customer = await market.customer()
    blocker, blocked = await market.consultant(), await market.consultant()
    await market.consultant(rate_minor_per_hour=12_001)
    await market.consultant(currency="chf")
    await market.consultant(can_receive=False)
    for status in ("offline", "away", "in_meeting"):
        await market.consultant(status=status)
    async with market.db.begin() as tx:
        await market.consultants.on_blocked(tx, UserBlocked(blocker_id=blocker, blocked_id=customer))
        await market.consultants.on_blocked(tx, UserBlocked(blocker_id=customer, blocked_id=blocked))
    await market.ring(customer)
    for _ in range(20):
        await market.later(10)
        view = await market.view(customer)
        assert stages(view) == ["requested"]


async def test_a_consultant_hears_one_ring_at_a_time(market: Market) -> None:
    anna = await market.consultant()
    first, second = await market.customer(), await market.customer()
    await market.ring(first)
    assert ringing(await market.ring(second)) == []
    assert len(await market.offers(anna)) == 1


async def test_parallel_rings_never_share_a_consultant(market: Market) -> None:
    consultants = [await market.consultant() for _ in range(5)]
    customers = [await market.customer() for _ in range(10)]
    async with asyncio.timeout(60):
        await asyncio.gather(*(market.ring(customer) for customer in customers))
    for _ in range(3):  # those who came too late look again within seconds
        await market.later(2)
    rung = [user for customer in customers for user in ringing(await market.view(customer))]
    assert sorted(rung) == sorted(consultants)


async def test_a_waiting_customer_gets_whoever_comes_online(market: Market) -> None:
    anna = await market.consultant(status="offline")
    customer = await market.customer()
    assert ringing(await market.ring(customer)) == []
    await market.presence(anna, "available")
    assert await market.requests.run_due(market.db) == 1, "woken, not polled"
    assert ringing(await market.view(customer)) == [anna]


async def test_after_two_minutes_the_customer_decides(market: Market) -> None:
    customer = await market.customer()
    request = await market.ring(customer)
    await market.later(119.9)
    assert (await market.view(customer) or {})["waiting_over"] is False
    await market.later(2)
    assert (await market.view(customer) or {})["waiting_over"] is True
    async with market.db.begin() as tx:
        view = await market.requests.keep_waiting(tx, customer, RequestId(request["id"]))
    assert view["waiting_over"] is False
    await market.later(601)
    assert (await market.view(customer) or {})["state"] == "exhausted"
    assert [event.reason for event in market.heard(RequestClosed)] == ["exhausted"]


async def test_two_misses_in_a_row_are_told(market: Market) -> None:
    anna = await market.consultant()
    for n in (1, 2):
        customer = await market.customer()
        await market.ring(customer)
        await market.later(20)
        assert market.heard(OfferMissed)[-1] == OfferMissed(consultant_id=anna, consecutive=n)
    late = await market.customer()
    assert ringing(await market.ring(late)) == [], "away now"
    await market.presence(anna, "available")
    await market.requests.run_due(market.db)
    assert ringing(await market.view(late)) == [anna]
    await market.later(20)
    assert market.heard(OfferMissed)[-1].consecutive == 1, "who comes back starts anew"


async def test_an_answer_ends_the_run_of_misses(market: Market) -> None:
    anna = await market.consultant()
    await market.ring(await market.customer())
    await market.later(20)
    await market.ring(await market.customer())
    [offer] = await market.offers(anna)
    await market.decline(anna, offer["id"])
    await market.ring(await market.customer())
    await market.later(20)
    assert [event.consecutive for event in market.heard(OfferMissed)] == [1, 1]


async def test_a_double_submit_is_one_request(market: Market) -> None:
    await market.consultant()
    customer = await market.customer()
    question, key = await market.question(customer), uuid4()
    async with asyncio.timeout(60):
        views = await asyncio.gather(
            *(market.ring(customer, question_id=question, idempotency_key=key) for _ in range(10))
        )
    assert len({view["id"] for view in views}) == 1
    with pytest.raises(AlreadyActive):
        await market.ring(customer, question_id=question)


async def test_without_card_consent_or_sense_nobody_is_rung(market: Market) -> None:
    customer = await market.customer()
    question = await market.question(customer)
    for wrong in (
        {"consent": False},
        {"cap_minor": 49},
        {"cap_minor": 100_000_000},
        {"max_rate_minor_per_hour": 0},
        {"max_rate_minor_per_hour": 100_001},
    ):
        with pytest.raises(Invalid):
            await market.ring(customer, question_id=question, **wrong)
    with pytest.raises(NotFound):
        await market.ring(await market.customer(), question_id=question)
    market.cards.clear()
    with pytest.raises(CardMissing):
        await market.ring(customer, question_id=question)


async def test_the_chosen_consultant_rings_first(market: Market) -> None:
    await market.consultant("Kubernetes operations", tags=("kubernetes",))
    ben = await market.consultant("Garden design")
    dear = await market.consultant(rate_minor_per_hour=50_000)
    customer = await market.customer()
    with pytest.raises(Invalid):
        await market.ring(customer, consultant_id=dear)
    with pytest.raises(NotFound):
        await market.ring(customer, consultant_id=UserId(uuid4()))
    assert ringing(await market.ring(customer, consultant_id=ben)) == [ben]


async def test_somebody_elses_offer_or_request_does_not_exist(market: Market) -> None:
    anna = await market.consultant()
    customer = await market.customer()
    request = await market.ring(customer)
    [offer] = await market.offers(anna)
    with pytest.raises(NotFound):
        await market.accept(UserId(uuid4()), offer["id"])
    with pytest.raises(NotFound):
        await market.decline(UserId(uuid4()), offer["id"])
    with pytest.raises(NotFound):
        await market.cancel(UserId(uuid4()), request["id"])


async def ended(
    market: Market, request: dict, consultant: UserId, customer: UserId, *, went_live: bool, **how: Any
) -> CallId:
    call = await market.accept(consultant, (await market.offers(consultant))[0]["id"])
    question = QuestionId(request["question_id"])
    async with market.db.begin() as tx:
        if went_live:
            live = CallWentLive(call_id=CallId(call), customer_id=customer, consultant_id=consultant)
            await market.requests.on_call_went_live(tx, live)
    async with market.db.begin() as tx:
        end = CallEnded(
            call_id=CallId(call),
            request_id=RequestId(request["id"]),
            question_id=question,
            customer_id=customer,
            consultant_id=consultant,
            went_live=went_live,
            **{"reason": "hold_declined", **how},
        )
        await market.requests.on_call_ended(tx, end)
    return CallId(call)


@pytest.mark.parametrize(
    ("reason", "absent", "credited"),
    [
        ("no_show", ("consultant",), True),
        ("no_show", ("customer",), False),
        ("no_show", ("consultant", "customer"), False),
        ("left", ("consultant",), False),
    ],
)
async def test_whoever_accepts_and_never_comes_breaks_the_promise(
    market: Market, reason: str, absent: tuple[str, ...], credited: bool
) -> None:
    anna, customer = await market.consultant(), await market.customer()
    request = await market.ring(customer)
    await ended(market, request, anna, customer, went_live=False, reason=reason, absent=absent)
    async with market.db.begin() as tx:
        credit = await promise.credit_of(tx, RequestId(request["id"]))
    assert (credit is not None) == credited


async def test_a_call_that_never_went_live_leaves_the_question_open_to_ring_anew(market: Market) -> None:
    anna = await market.consultant()
    customer = await market.customer()
    request = await market.ring(customer)
    await ended(market, request, anna, customer, went_live=False)
    assert await market.view(customer) is None
    await market.presence(anna, "available")
    assert ringing(await market.ring(customer, question_id=request["question_id"])) == [anna]


async def test_a_call_that_went_live_answers_the_question_and_its_rating_reaches_the_right_side(market: Market) -> None:
    anna = await market.consultant()
    customer = await market.customer()
    request = await market.ring(customer)
    call = await ended(market, request, anna, customer, went_live=True)
    async with market.db.begin() as tx:
        question = await market.questions.get(tx, customer, QuestionId(request["question_id"]))
        assert question.state == "answered"
        assert stages(await market.requests.get(tx, customer, RequestId(request["id"])))[-1] == "connected"
        for rater, ratee, given in ((customer, anna, 5), (anna, customer, 3)):
            rating = RatingGiven(call_id=call, rater_id=rater, ratee_id=ratee, stars=given)
            await market.consultants.on_rating(tx, rating)
    async with market.db.begin() as tx:
        card = await market.consultants.card(tx, anna)
    assert card is not None
    assert (card["rating"], card["rating_count"]) == (5.0, 1)
    await market.presence(anna, "available")
    await market.ring(customer)
    [offer] = await market.offers(anna)
    assert (offer["customer"]["rating"], offer["customer"]["rating_count"]) == (3.0, 1)


async def test_a_question_cannot_change_while_it_rings(market: Market) -> None:
    await market.consultant()
    customer = await market.customer()
    request = await market.ring(customer)
    with pytest.raises(Conflict):
        async with market.db.begin() as tx:
            await market.questions.withdraw(tx, customer, QuestionId(request["question_id"]))
    await market.cancel(customer, request["id"])
    async with market.db.begin() as tx:
        row = await market.questions.withdraw(tx, customer, QuestionId(request["question_id"]))
    assert row.state == "withdrawn"
    with pytest.raises(Conflict):
        await market.ring(customer, question_id=request["question_id"])
