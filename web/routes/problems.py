"""*Problem with this call*: said by one side, answered by the evidence or by finance, read by both."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from billing.finance.models import ProblemRow
from billing.problems.rules import Category
from billing.problems.service import AWAITING
from core.db import Tx
from core.ids import CallId
from web.routes.finance import READERS
from web.routes.refunds import Reason
from web.routing import Access, Call, route
from web.schemas import Input, Output, Utc

Words = Annotated[str, Field(min_length=3, max_length=2_000)]


class ProblemOut(Output):
    """What was said and what came of it. ``mine`` is what the reader said; ``finding`` is the evidence's word.

    While it is ``awaiting`` a second person, finance alone reads ``decision``.
    """

    id: UUID
    charge_id: UUID
    mine: bool
    category: Category
    words: str
    opened_at: Utc
    state: Literal["open", "awaiting", "answered", "decided"]
    finding: str
    facts: dict[str, Any]
    reply: str | None
    decided_at: Utc | None
    decision: str | None
    refunded: bool


class MaybeProblemOut(Output):
    """The problem with this call, if anybody said something."""

    problem: ProblemOut | None


class ProblemsOut(Output):
    """What waits for a decision or for a second person, oldest first."""

    items: list[ProblemOut]


class ProblemIn(Input):
    """What was wrong."""

    category: Category
    words: Words


class ReplyIn(Input):
    """The other side's view."""

    words: Words


class ProblemDecisionIn(Input):
    """Finance's decision; both sides read the words. What is given back is given back for a reason."""

    decision: Words
    refund_minor: Annotated[int, Field(ge=0, le=2_147_483_647)] = 0
    reason: Reason | None = None


@route("GET", "/api/calls/{call_id}/problem", access=Access.USER, reply=MaybeProblemOut, owned="call")
async def get_problem(call: Call) -> MaybeProblemOut:
    """What was said about this call, and the answer."""
    async with call.house.db.begin() as tx:
        row = await call.house.problems.of_call(tx, call.user, CallId(call.id("call_id")))
        return MaybeProblemOut(problem=None if row is None else await _problem(call, tx, row))


@route("POST", "/api/calls/{call_id}/problem", access=Access.USER, body=ProblemIn, reply=ProblemOut, owned="call")
async def post_problem(call: Call) -> ProblemOut:
    """Say what was wrong with this call; the answer comes at once where the evidence is conclusive."""
    body: ProblemIn = call.body
    async with call.house.db.begin() as tx:
        call_id = CallId(call.id("call_id"))
        row = await call.house.problems.say(tx, call.user, call_id, body.category, body.words)
        return await _problem(call, tx, row)


@route("POST", "/api/calls/{call_id}/problem/reply", access=Access.USER, body=ReplyIn, reply=ProblemOut, owned="call")
async def post_problem_reply(call: Call) -> ProblemOut:
    """Say how it was for you, while nobody has decided."""
    body: ReplyIn = call.body
    async with call.house.db.begin() as tx:
        call_id = CallId(call.id("call_id"))
        return await _problem(call, tx, await call.house.problems.reply(tx, call.user, call_id, body.words))


@route("GET", "/api/finance/problems", access=READERS, reply=ProblemsOut)
async def get_problems(call: Call) -> ProblemsOut:
    """What waits for a decision, or for a second person to agree to one."""
    async with call.house.db.begin() as tx:
        rows = await call.house.problems.waiting(tx)
        return ProblemsOut(items=[await _problem(call, tx, row, finance=True) for row in rows])


@route("POST", "/api/finance/problems/{problem_id}", access=Access.FINANCE, body=ProblemDecisionIn, reply=ProblemOut)
async def post_problem_decision(call: Call) -> ProblemOut:
    """Decide, with money back or without."""
    body: ProblemDecisionIn = call.body
    async with call.house.db.begin() as tx:
        row = await call.house.problems.decide(
            tx,
            call.id("problem_id"),
            call.user,
            decision=body.decision,
            refund_minor=body.refund_minor,
            reason=body.reason,
        )
        return await _problem(call, tx, row, finance=True)


async def _problem(call: Call, tx: Tx, row: ProblemRow, *, finance: bool = False) -> ProblemOut:
    shown = {name: getattr(row, name) for name in ProblemOut.model_fields if hasattr(row, name)}
    shown["mine"] = row.opened_by == call.user
    shown["refunded"] = await call.house.problems.refunded(tx, row)
    if row.state == AWAITING and not finance:
        shown["decision"] = None
    return ProblemOut(**shown)
