"""A question rings where its language is spoken; where it is not, only when nobody is left who speaks it."""

from typing import Any

from core.ids import UserId
from tests.integration.matching.conftest import Market
from tests.integration.matching.test_ring import ringing

EXPERT: dict[str, Any] = {"biography": "Kubernetes Pods starten neu", "tags": ("kubernetes",)}


async def ring(market: Market, **changes: Any) -> tuple[UserId, dict[str, Any]]:
    """A German question rings."""
    customer = await market.customer()
    question = await market.question(customer, "Meine Kubernetes Pods starten neu", language="de")
    return customer, await market.ring(customer, question_id=question, **changes)


async def test_who_speaks_the_language_rings_before_whoever_fits_better(market: Market) -> None:
    english = await market.consultant("Kubernetes", **EXPERT)
    german = await market.consultant("Gartenbau", languages=("de",))
    customer, view = await ring(market)
    assert ringing(view) == [german], "and at once: no bar is set by who does not speak it"
    [offer] = await market.offers(german)
    await market.decline(german, offer["id"])
    assert ringing(await market.view(customer)) == [english], "nobody is left who speaks it"


async def test_while_somebody_who_speaks_it_is_in_a_call_nobody_else_rings_until_the_bar_is_gone(
    market: Market,
) -> None:
    english = await market.consultant("Kubernetes", **EXPERT)
    await market.consultant("Gartenbau", languages=("de",), status="in_meeting")
    customer, view = await ring(market)
    assert ringing(view) == []
    await market.later(19)
    assert ringing(await market.view(customer)) == []
    await market.later(2)
    assert ringing(await market.view(customer)) == [english]


async def test_one_who_speaks_it_and_whose_call_ends_rings_first(market: Market) -> None:
    await market.consultant("Kubernetes", **EXPERT)
    german = await market.consultant("Gartenbau", languages=("de",), status="in_meeting")
    customer, _ = await ring(market)
    await market.presence(german, "available")
    await market.later(2)
    assert ringing(await market.view(customer)) == [german]


async def test_with_nobody_who_speaks_it_online_the_others_ring_at_once(market: Market) -> None:
    english = await market.consultant("Kubernetes", **EXPERT)
    await market.consultant("Gartenbau", languages=("de",), status="in_meeting", rate_minor_per_hour=20_000)
    await market.consultant("Gartenbau", languages=("de",), status="offline")
    _, view = await ring(market)
    assert ringing(view) == [english], "the one in a call is too dear"


async def test_the_customers_own_choice_rings_whatever_they_speak(market: Market) -> None:
    english = await market.consultant("Kubernetes", **EXPERT)
    await market.consultant("Gartenbau", languages=("de",))
    _, view = await ring(market, consultant_id=english)
    assert ringing(view) == [english]
