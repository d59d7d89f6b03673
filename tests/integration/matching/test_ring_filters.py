"""What a customer narrowed the list down to holds for every ring, not for the first alone."""

from typing import Any

from core.ids import UserId
from matching.consultants import consultant_store
from tests.integration.matching.conftest import Market
from tests.integration.matching.test_ring import ringing


async def rated(market: Market, stars: int, **profile: Any) -> UserId:
    """A consultant whom one customer gave so many stars."""
    user = await market.consultant("Kubernetes", tags=("kubernetes",), **profile)
    async with market.db.begin() as tx:
        await consultant_store.rate_consultant(tx, user, before=None, after=stars)
    await market.presence(user, "available")
    return user


async def decline(market: Market, consultant: UserId) -> None:
    [offer] = await market.offers(consultant)
    await market.decline(consultant, offer["id"])


async def test_after_a_decline_only_who_passes_the_filters_rings(market: Market) -> None:
    both = ("en", "de")
    chosen = await rated(market, 5, languages=both)
    other = await rated(market, 4, languages=both)
    await rated(market, 5, languages=("en",))
    await rated(market, 3, languages=both)
    await market.consultant("Kubernetes", tags=("kubernetes",), languages=both)
    customer = await market.customer()
    view = await market.ring(customer, consultant_id=chosen, language="de", min_stars=4)
    assert (ringing(view), view["language"], view["min_stars"]) == ([chosen], "de", 4)
    await decline(market, chosen)
    assert ringing(await market.view(customer)) == [other]
    await decline(market, other)
    assert ringing(await market.view(customer)) == []
    await market.later(70)
    assert ringing(await market.view(customer)) == [], "waiting relaxes the fit bar, not what the customer asked for"


async def test_who_comes_online_and_passes_the_filters_rings(market: Market) -> None:
    german = await rated(market, 5, languages=("de",))
    await market.presence(german, "away")
    customer = await market.customer()
    await rated(market, 5, languages=("en",))
    assert ringing(await market.ring(customer, language="de")) == []
    await market.presence(german, "available")
    await market.later(2)
    assert ringing(await market.view(customer)) == [german]
