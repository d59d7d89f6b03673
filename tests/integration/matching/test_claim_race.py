"""Many claim the same consultant at the same moment: one rings, and whoever rings can end the ring."""

import asyncio
from uuid import UUID

from sqlalchemy import text

from core.ids import UserId
from matching.consultants import consultant_store
from matching.dispatch import claims, offer
from tests.integration.matching.conftest import Market

CLAIMERS, TRIES = 6, 120
FORGET = text("DELETE FROM offer WHERE id = :ring")  # a request rings nobody twice, but here it shall again and again


async def rings_won(market: Market, consultant: UserId, request: UUID) -> int:
    """Claim again and again, and decline what was won."""
    won = 0
    for _ in range(TRIES):
        async with market.db.begin() as tx:
            ring = await claims.claim(
                tx,
                consultant,
                request_id=request,
                currency="eur",
                max_rate_minor_per_hour=12_000,
                rings_until=tx.now,
                score_centi=0,
                reasons=[],
            )
        if ring is None:
            continue
        won += 1
        async with market.db.begin() as tx:
            assert await claims.settle(tx, ring, offer.Move.DECLINE), "a claim that was lost raised the token"
            await tx.session.execute(FORGET, {"ring": ring.id})
    return won


async def count_calls(market: Market, consultant: UserId) -> None:
    """Write the same row for another reason, as ends of calls, ratings and presence do."""
    for _ in range(TRIES):
        async with market.db.begin() as tx:
            await consultant_store.count(tx, consultant, calls=1)


async def test_a_lost_claim_does_not_fence_off_the_ring_it_lost_to(market: Market) -> None:
    requests = [(await market.ring(await market.customer()))["id"] for _ in range(CLAIMERS)]
    anna = await market.consultant()
    async with asyncio.TaskGroup() as group:
        group.create_task(count_calls(market, anna))
        claimers = [group.create_task(rings_won(market, anna, request)) for request in requests]
    won = sum(claimer.result() for claimer in claimers)
    assert 0 < won < CLAIMERS * TRIES, "they were in one another's way"
    async with market.db.begin() as tx:
        counted = (await tx.session.execute(text("SELECT ring_token, offers_received, calls FROM consultant"))).one()
    assert tuple(counted) == (won, won, TRIES), "every ring is counted, and nothing else is"
