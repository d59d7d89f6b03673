"""ProblemService: somebody says what was wrong, the evidence answers or a person decides, and both sides see it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, text

from billing import timeline
from billing.charges import calls, review, store
from billing.charges.charge import FINAL, State
from billing.finance import approvals
from billing.finance.models import ProblemRow
from billing.models import ChargeRow
from billing.problems.rules import Answer, Category, Facts, Finding, decide
from billing.refunds import store as refund_store
from billing.refunds.models import RefundRow
from billing.refunds.plan import refundable_minor
from billing.refunds.service import AWAITING as REFUND_AWAITING
from billing.refunds.service import RefundService
from core import audit
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.ids import CallId, UserId, new_id

OPEN, AWAITING, ANSWERED, DECIDED = "open", "awaiting", "answered", "decided"
_WAITING = {OPEN, AWAITING}  # nobody was told anything yet
_REASON = {
    Finding.NEVER_CONNECTED: "consultant_absent",
    Finding.OVERLAPPING_CALL: "duplicate",
    Finding.TAKEN_TOO_MUCH: "duplicate",
}


class ProblemService:
    """Use cases of a problem: one per call."""

    def __init__(self, refunds: RefundService) -> None:
        self._refunds = refunds

    async def of_call(self, tx: Tx, user: UserId, call_id: CallId) -> ProblemRow | None:
        """The problem with a call, one's own first, for its two sides; NotFound for everybody else."""
        charge = await _own(tx, user, call_id)
        return await _said_by(tx, charge.id, user) or await _said_to(tx, charge.id, user)

    async def say(self, tx: Tx, user: UserId, call_id: CallId, category: Category, words: str) -> ProblemRow:
        """Take down what was wrong, and answer at once where the evidence is conclusive.

        While the bill may be looked at, a conclusive answer means that it is not taken at all; one that people must
        decide holds nothing up.

        Raises NotFound, and Conflict before the call is settled or when something was said already.
        """
        looked = await _own(tx, user, call_id)
        charge = await store.lock(tx, looked.id)
        reviewing = charge.state == State.REVIEWING
        if not reviewing and charge.state not in FINAL:
            raise Conflict("This call is not settled yet; try again in a minute.", code="not_settled")
        if await _said_by(tx, charge.id, user) is not None:
            raise Conflict("You have reported this call already; the answer is on its page.", code="reported")
        facts = await _facts(tx, charge)
        answer = decide(category, facts) if user == charge.customer_id else Answer(Finding.UNDECIDED)
        if answer.refund_minor and await self._refunds.needs_two(tx, charge.id, answer.refund_minor):
            answer = Answer(Finding.UNDECIDED)  # so much is for people to give back
        row = ProblemRow(
            id=new_id(),
            charge_id=charge.id,
            opened_by=user,
            category=category,
            words=words,
            opened_at=tx.now,
            state=ANSWERED if answer.conclusive else OPEN,
            finding=answer.finding,
            facts={
                "connected_ms": facts.connected_ms,
                "gross_minor": facts.gross_minor,
                "captured_minor": facts.captured_minor,
                "refunded_minor": facts.refunded_minor,
                "overlaps_ms": facts.overlaps_ms,
                "refund_minor": answer.refund_minor,
                "waived": reviewing and answer.refund_minor > 0,
            },
            reply=None,
            replied_at=None,
            decided_by=None,
            decided_at=tx.now if answer.conclusive else None,
            decision=None,
            refund_id=None,
        )
        tx.session.add(row)
        timeline.record(tx, charge.id, "problem_reported", category=category, finding=answer.finding)
        if answer.refund_minor and reviewing:
            await review.waive(tx, charge)
        elif answer.refund_minor:
            refund = await self._refunds.request(
                tx,
                charge.id,
                amount_minor=answer.refund_minor,
                reason=_REASON[answer.finding],
                note=f"decided by the evidence: {answer.finding}",
                key=f"problem:{row.id}",
                by=None,
            )
            await tx.session.flush()
            row.refund_id = refund.id
        tx.touch([charge.customer_id, charge.consultant_id])
        return row

    async def reply(self, tx: Tx, user: UserId, call_id: CallId, words: str) -> ProblemRow:
        """The other side says theirs, once, while it is open."""
        looked = await _own(tx, user, call_id)
        charge = await store.lock(tx, looked.id)
        row = await _said_to(tx, charge.id, user)
        if row is None:
            raise Conflict("The other side has not reported anything about this call.", code="nothing_said")
        if row.state not in _WAITING or row.reply is not None:
            raise Conflict("This was answered already.", code="decided")
        row.reply, row.replied_at = words, tx.now
        tx.touch([charge.customer_id, charge.consultant_id])
        return row

    async def decide(
        self, tx: Tx, problem_id: UUID, by: UserId, *, decision: str, refund_minor: int, reason: str | None = None
    ) -> ProblemRow:
        """Finance decides, with money back for ``reason`` or without; ``decision`` is what both sides will read.

        Where a second person must agree to the refund, it is their word that decides; until then nobody is told.
        Raises NotFound, Forbidden to the call's own two people, Conflict when decided, Invalid without a reason, and
        what ``RefundService.request`` raises.
        """
        looked = await tx.session.get(ProblemRow, problem_id)
        if looked is None:
            raise NotFound
        charge = await store.lock(tx, looked.charge_id)
        row = await tx.session.get(ProblemRow, problem_id, populate_existing=True)
        assert row is not None
        approvals.refuse_own(charge, by)
        if row.state != OPEN:
            raise Conflict("This was decided already.", code="decided")
        row.decided_by, row.decision = by, decision
        if refund_minor:
            if reason is None:
                raise Invalid("Say why this is given back.", field="reason")
            before = await self._refunds.of_charge(tx, charge.id)
            refund = await self._refunds.request(
                tx,
                charge.id,
                amount_minor=refund_minor,
                reason=reason,
                note=decision,
                key=f"problem:{row.id}:{len(before)}",  # decided anew after a rejection, it is another refund
                by=by,
            )
            row.refund_id = refund.id
            if refund.state == REFUND_AWAITING:
                row.state = AWAITING
                timeline.record(tx, charge.id, "problem_awaiting", refund_minor=refund_minor)
                audit.record(tx, "finance.problem_awaiting", subject=str(row.id), actor=by, refund_minor=refund_minor)
                tx.touch([charge.customer_id, charge.consultant_id])
                return row
        _decided(tx, charge, row, by, refund_minor)
        return row

    async def refund_decided(self, tx: Tx, refund_id: UUID, by: UserId, *, approved: bool) -> None:
        """The second person decided about a refund: with it the problem it is for is decided, or open again."""
        query = select(ProblemRow).where(ProblemRow.refund_id == refund_id).execution_options(populate_existing=True)
        row = (await tx.session.scalars(query)).one_or_none()
        if row is None or row.state != AWAITING:
            return
        charge = await store.lock(tx, row.charge_id)  # held already: the refund was decided under it
        refund = await tx.session.get(RefundRow, refund_id)
        assert refund is not None
        if approved:
            _decided(tx, charge, row, by, refund.amount_minor)
            return
        row.state, row.decided_by, row.decision, row.refund_id = OPEN, None, None, None
        timeline.record(tx, charge.id, "problem_reopened", refund_minor=refund.amount_minor)
        audit.record(tx, "finance.problem_reopened", subject=str(row.id), actor=by, refund_minor=refund.amount_minor)
        tx.touch([charge.customer_id, charge.consultant_id])

    async def waiting(self, tx: Tx) -> Sequence[ProblemRow]:
        """What finance must decide, or a second person agree to, oldest first."""
        query = select(ProblemRow).where(ProblemRow.state.in_(_WAITING)).order_by(ProblemRow.opened_at)
        return list(await tx.session.scalars(query))

    async def refunded(self, tx: Tx, row: ProblemRow) -> bool:
        """Whether money was given back for it, or is on its way."""
        state = await tx.session.scalar(select(RefundRow.state).where(RefundRow.id == row.refund_id))
        return state in {"sending", "done"}


def _decided(tx: Tx, charge: ChargeRow, row: ProblemRow, by: UserId, refund_minor: int) -> None:
    row.state, row.decided_at = DECIDED, tx.now
    timeline.record(tx, charge.id, "problem_decided", refund_minor=refund_minor)
    audit.record(tx, "finance.problem_decided", subject=str(row.id), actor=by, refund_minor=refund_minor)
    tx.touch([charge.customer_id, charge.consultant_id])


async def _said_by(tx: Tx, charge_id: UUID, user: UserId) -> ProblemRow | None:
    query = select(ProblemRow).where(ProblemRow.charge_id == charge_id, ProblemRow.opened_by == user)
    return (await tx.session.scalars(query)).one_or_none()


async def _said_to(tx: Tx, charge_id: UUID, user: UserId) -> ProblemRow | None:
    query = select(ProblemRow).where(ProblemRow.charge_id == charge_id, ProblemRow.opened_by != user)
    return (await tx.session.scalars(query)).one_or_none()


async def _own(tx: Tx, user: UserId, call_id: CallId) -> ChargeRow:
    charge = await store.charge_of_call(tx, call_id)
    if charge is None or user not in {charge.customer_id, charge.consultant_id}:
        raise NotFound
    return charge


async def _facts(tx: Tx, charge: ChargeRow) -> Facts:
    query = text(
        "SELECT coalesce(sum(greatest(0, extract(epoch FROM least(i.started_at + i.duration_ms * interval '1 ms',"
        " j.started_at + j.duration_ms * interval '1 ms') - greatest(i.started_at, j.started_at)) * 1000)), 0) "
        "FROM billable_interval i, charge c CROSS JOIN LATERAL (SELECT c.call_id UNION ALL "
        "SELECT k.call_id FROM continued_call k WHERE k.charge_id = c.id) part "
        "JOIN billable_interval j ON j.call_id = part.call_id "
        "WHERE i.call_id = ANY(:calls) AND c.id <> :charge "
        "AND c.customer_id = :customer AND c.consultant_id = :consultant "
        "AND c.captured_minor > c.refunded_minor + c.credited_minor AND c.created_at < :created"
    )
    overlaps = await tx.session.scalar(
        query,
        {
            "calls": [part.call_id for part in await calls.parts(tx, charge)],
            "charge": charge.id,
            "customer": charge.customer_id,
            "consultant": charge.consultant_id,
            "created": charge.created_at,
        },
    )
    given = charge.captured_minor - refundable_minor(await refund_store.captures(tx, charge.id))
    # What will be taken is as good as taken to who says that it should not be.
    due = await review.expected(tx, charge) if charge.state == State.REVIEWING else None
    return Facts(
        connected_ms=charge.connected_ms or 0 if due is None else due.connected_ms,
        gross_minor=charge.gross_minor or 0 if due is None else due.gross_minor,
        captured_minor=charge.captured_minor if due is None else due.gross_minor,
        refunded_minor=given,  # with what is on its way, and what a bank has kept or sent back
        overlaps_ms=int(overlaps or 0),
    )
