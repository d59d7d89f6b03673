"""What counts for and against a consultant: answers and silence do, rings that somebody else ended do not."""

from core.ids import UserId
from matching.consultants import consultant_store
from tests.integration.matching.conftest import Market


async def counted(market: Market, user: UserId) -> tuple[int, int, int]:
    """Accepted, declined and missed rings."""
    async with market.db.begin() as tx:
        row = await consultant_store.find(tx, user)
    assert row is not None
    return row.offers_accepted, row.offers_declined, row.offers_missed


async def test_accepted_declined_and_missed_rings_count_once_each(market: Market) -> None:
    users = {}
    for answer in ("accept", "decline", "miss"):
        user = users[answer] = await market.consultant("Kubernetes operations", tags=("kubernetes",))
        await market.ring(await market.customer())
        [offer] = await market.offers(user)
        if answer == "accept":
            await market.accept(user, offer["id"])
        elif answer == "decline":
            await market.decline(user, offer["id"])
            await market.decline(user, offer["id"])
        else:
            await market.later(20)
        await market.presence(user, "offline")
    assert await counted(market, users["accept"]) == (1, 0, 0)
    assert await counted(market, users["decline"]) == (0, 1, 0)
    assert await counted(market, users["miss"]) == (0, 0, 1)


async def test_a_ring_the_customer_takes_back_does_not_count(market: Market) -> None:
    anna, customer = await market.consultant("Kubernetes"), await market.customer()
    request = await market.ring(customer)
    await market.cancel(customer, request["id"])
    assert await counted(market, anna) == (0, 0, 0)


async def test_a_ring_that_somebody_else_answers_first_does_not_count(market: Market) -> None:
    users = [await market.consultant("Helps with many things") for _ in range(6)]
    customer = await market.customer()
    await market.ring(customer)
    for _ in range(3):
        await market.later(20)
    first, second = [user for user in users if await market.offers(user)]
    [offer] = await market.offers(second)
    before = await counted(market, first)
    await market.accept(second, offer["id"])
    assert await counted(market, first) == before
    assert await counted(market, second) == (1, 0, 0)


async def test_going_offline_while_it_rings_does_not_count(market: Market) -> None:
    anna = await market.consultant("Kubernetes")
    await market.ring(await market.customer())
    await market.presence(anna, "offline")
    await market.later(1)
    assert await market.offers(anna) == []
    assert await counted(market, anna) == (0, 0, 0)
