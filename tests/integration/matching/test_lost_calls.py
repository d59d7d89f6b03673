"""Somebody came back to a lost call: what rings meanwhile, and what its customer may ask for."""

import pytest

from core.ids import CallId, QuestionId, RequestId, UserId, new_id
from matching.dispatch.requests import AlreadyActive
from signaling.events import CallContinued, CallEnded
from tests.integration.matching.conftest import Market


class Lost:
    """A call that was talked in and lost."""

    def __init__(self, market: Market, request: dict, customer: UserId, consultant: UserId, call: CallId) -> None:
        self._market, self.request = market, request
        self.customer, self.consultant, self.call = customer, consultant, call

    async def end(self, call: CallId, reason: str) -> None:
        """One of its calls is over."""
        event = CallEnded(
            call_id=call,
            request_id=RequestId(self.request["id"]),
            question_id=QuestionId(self.request["question_id"]),
            customer_id=self.customer,
            consultant_id=self.consultant,
            reason=reason,
            went_live=True,
        )
        async with self._market.db.begin() as tx:
            await self._market.requests.on_call_ended(tx, event)
        await self._market.presence(self.consultant, "available")

    async def come_back(self) -> CallId:
        """A call that goes on with it, as the flow tells of it."""
        call = CallId(new_id())
        event = CallContinued(call, self.call, RequestId(self.request["id"]), self.customer, self.consultant)
        async with self._market.db.begin() as tx:
            await self._market.requests.on_call_continued(tx, event)
        await self._market.presence(self.consultant, "in_meeting")
        return call


async def lost(market: Market) -> Lost:
    anna, customer = await market.consultant(), await market.customer()
    request = await market.ring(customer)
    call = await market.accept(anna, (await market.offers(anna))[0]["id"])
    found = Lost(market, request, customer, anna, CallId(call))
    await found.end(found.call, "connection_lost")
    return found


async def test_who_is_called_back_rings_nobody_else_meanwhile(market: Market) -> None:
    found = await lost(market)
    assert await market.view(found.customer) is None
    second = await found.come_back()
    view = await market.view(found.customer)
    assert view is not None
    assert view["state"] == "matched"
    with pytest.raises(AlreadyActive):
        await market.ring(found.customer)
    await found.end(second, "customer_left")
    assert await market.view(found.customer) is None
    assert (await market.ring(found.customer))["state"] == "ringing"


async def test_a_customer_who_rings_for_something_else_is_not_called_back(market: Market) -> None:
    found = await lost(market)
    other = await market.ring(found.customer)
    with pytest.raises(AlreadyActive):
        await found.come_back()
    await market.cancel(found.customer, other["id"])
    await found.come_back()


async def test_a_ring_at_a_consultant_who_is_called_back_goes_to_the_next(market: Market) -> None:
    found = await lost(market)
    ben = await market.consultant()
    request = await market.ring(await market.customer(), consultant_id=found.consultant)
    assert [one["consultant_id"] for one in request["ringing"]] == [found.consultant]
    await found.come_back()
    await market.later(0)
    assert await market.offers(found.consultant) == []
    assert len(await market.offers(ben)) == 1
