"""What the benches of money stand on: people who can pay and be paid, and work that goes on meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from app.demo_people import CONSULTANTS
from app.seed import register, save_card, set_up, user_id
from app.stack import Stack
from app.wiring import build, close
from core.ids import UserId
from core.settings import Settings
from core.tasks import finish
from people.roles import Role
from web.context import House

AT_ONCE = 8  # accounts made at the same time
QUICK_COST = 4  # of bcrypt: hundreds of accounts, and nobody wants to break into them


@dataclass(frozen=True, slots=True)
class Two:
    """A customer with a card and a consultant who can be paid."""

    customer: str
    customer_id: UserId
    consultant: str
    consultant_id: UserId


@asynccontextmanager
async def house_of(stack: Stack) -> AsyncIterator[House]:
    """The services of an installation, in this process."""
    settings = Settings.model_validate({name.lower(): value for name, value in stack.env.items()})
    house = build(settings, bcrypt_cost=QUICK_COST)
    async with house.jobs.app.open_async():
        yield house
    await close(house)


async def people(house: House, count: int, rate_minor_per_hour: int) -> list[Two]:
    """``count`` pairs, made by the demo's own steps."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(n: int) -> Two:
        async with gate:
            customer = f"bench-customer-{n}@demo.example"
            await register(house, customer, f"Customer {n}", Role.CUSTOMER)
            await save_card(house, http, customer)
            consultant = replace(
                CONSULTANTS[0],
                email=f"bench-consultant-{n}@demo.example",
                name=f"Consultant {n}",
                rate_minor_per_hour=rate_minor_per_hour,
            )
            await register(house, consultant.email, consultant.name, Role.CONSULTANT)
            await set_up(house, http, consultant)
            async with house.db.begin() as tx:
                ids = await user_id(tx, customer), await user_id(tx, consultant.email)
            return Two(customer, ids[0], consultant.email, ids[1])

    async with aiohttp.ClientSession() as http:
        return list(await asyncio.gather(*(one(n) for n in range(count))))


@asynccontextmanager
async def background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run ``work`` meanwhile; an error of it is raised at the end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        failed = task.exception() if task.done() and not task.cancelled() else None
        await finish(task)
        if failed is not None:
            raise failed
