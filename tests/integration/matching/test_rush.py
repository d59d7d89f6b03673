"""A rush: customers, consultants and two workers at once; nothing locks up, nobody is rung or matched twice."""

import asyncio
import contextlib
import random
from datetime import timedelta

from sqlalchemy import text

from core.errors import Conflict
from core.ids import CallId, QuestionId, RequestId, UserId
from matching.events import OfferAccepted
from signaling.events import CallEnded
from tests.integration.matching.conftest import Market

CUSTOMERS, CONSULTANTS, ROUNDS = 6, 3, 2
ACCEPTED = "SELECT count(*) FROM offer WHERE state = 'accepted'"


async def end_call(market: Market, customer: UserId, request: dict) -> None:
    async with market.db.begin() as tx:
        ended = CallEnded(
            call_id=CallId(request["call_id"]),
            request_id=RequestId(request["id"]),
            question_id=QuestionId(request["question_id"]),
            customer_id=customer,
            consultant_id=customer,
            reason="left",
            went_live=False,
        )
        await market.requests.on_call_ended(tx, ended)


async def customer_life(market: Market, customer: UserId, chance: random.Random) -> None:
    question = await market.question(customer)
    for _ in range(ROUNDS):
        request = await market.ring(customer, question_id=question)
        for _ in range(20):
            view = await market.view(customer)
            if view is None or view["state"] != "ringing":
                break
        with contextlib.suppress(Conflict):  # accepted in that very moment
            if chance.random() < 0.7:
                await market.cancel(customer, request["id"])
        view = await market.view(customer)
        while view is not None and view["state"] == "ringing":
            view = await market.view(customer)
        if view is not None and view["state"] == "matched":
            await end_call(market, customer, view)


async def consultant_life(market: Market, user: UserId, chance: random.Random) -> None:
    while True:
        for offer in await market.offers(user):
            answer = market.accept if chance.random() < 0.5 else market.decline
            with contextlib.suppress(Conflict):  # taken, withdrawn or expired in that very moment
                await answer(user, offer["id"])
        await market.presence(user, chance.choice(["available", "available", "away", "offline"]))


async def worker_life(market: Market) -> None:
    while True:
        market.clock.advance(timedelta(seconds=1))
        await market.requests.run_due(market.db)


async def test_a_rush_ends_without_deadlock_and_with_every_accept_once(market: Market) -> None:
    chance = random.Random(3)  # noqa: S311 - no secret
    consultants = [await market.consultant() for _ in range(CONSULTANTS)]
    customers = [await market.customer() for _ in range(CUSTOMERS)]
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        endless = [group.create_task(consultant_life(market, user, chance)) for user in consultants]
        endless += [group.create_task(worker_life(one)) for one in (market, market.twin())]
        async with asyncio.TaskGroup() as lives:
            for customer in customers:
                lives.create_task(customer_life(market, customer, chance))
        for task in endless:
            task.cancel()
    accepted = market.heard(OfferAccepted)
    assert len({event.request_id for event in accepted}) == len(accepted) > 0
    async with market.db.begin() as tx:
        assert await tx.session.scalar(text(ACCEPTED)) == len(accepted)
