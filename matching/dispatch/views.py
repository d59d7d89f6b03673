"""What customer and consultant see of a request and of a ring."""

from typing import Any
from uuid import UUID

from core.db import Tx
from core.ids import RequestId, UserId
from core.money import commission_minor
from matching.consultants import consultant_store
from matching.consultants.projection import Names
from matching.dispatch import promise, store
from matching.dispatch.request import State
from matching.models import OfferRow, QuestionRow, RequestRow, RequestStageRow
from matching.questions import question_store
from matching.ranking.explanation import mean_stars


class Views:
    """Builds RequestView and OfferView; names come from ``people``."""

    def __init__(self, names: Names, commission_bps: int) -> None:
        self._names = names
        self._commission_bps = commission_bps

    async def request(self, tx: Tx, row: RequestRow) -> dict[str, Any]:
        """A RequestView."""
        await tx.session.flush()
        question = await question_store.get(tx, row.question_id)
        stages = await store.stages(tx, row.id)
        ringing = await store.ringing_of_request(tx, row.id)
        seen = {one.consultant_id for one in stages if one.consultant_id is not None}
        seen |= {one.consultant_id for one in ringing}
        names = await self._names(tx, [UserId(user) for user in seen])
        return {
            "id": row.id,
            "question_id": row.question_id,
            "question_title": question.title,
            "state": row.state,
            "created_at": row.created_at,
            "promise_at": row.promise_at,
            "stages": [_stage(one, _name(names, one.consultant_id)) for one in stages],
            "ringing": [
                {
                    "offer_id": one.id,
                    "consultant_id": one.consultant_id,
                    "consultant_name": _name(names, one.consultant_id) or "",
                    "rings_until": one.rings_until,
                }
                for one in ringing
            ],
            "call_id": row.call_id,
            "waiting_over": row.waiting_over,
            "language": row.language,
            "min_stars": row.min_stars,
            "credit": await self._credit(tx, row),
            **await self._queue(tx, row, rung=bool(ringing)),
        }

    async def _credit(self, tx: Tx, row: RequestRow) -> dict[str, Any] | None:
        found = await promise.credit_of(tx, RequestId(row.id))
        return None if found is None else {"amount_minor": found.amount_minor, "currency": found.currency}

    async def _queue(self, tx: Tx, row: RequestRow, *, rung: bool) -> dict[str, int | None]:
        """The place in line and the usual wait while nobody is rung; None where there is nothing to say."""
        if row.state != State.RINGING or rung:
            return {"position": None, "usual_wait_s": None}
        return {"position": 1 + await store.waiting_before(tx, row), "usual_wait_s": await store.usual_wait_s(tx)}

    async def offers(self, tx: Tx, user: UserId) -> list[dict[str, Any]]:
        """The OfferViews that ring at this consultant."""
        await tx.session.flush()
        return [
            await self._offer(tx, offer, request, question)
            for offer, request, question in await store.ringing_of_consultant(tx, user)
        ]

    async def _offer(self, tx: Tx, offer: OfferRow, request: RequestRow, question: QuestionRow) -> dict[str, Any]:
        customer = UserId(request.customer_id)
        names = await self._names(tx, [customer])
        total, count = await consultant_store.customer_standing(tx, customer)
        rate = offer.rate_minor_per_hour
        return {
            "id": offer.id,
            "request_id": offer.request_id,
            "state": offer.state,
            "question": {
                "id": question.id,
                "title": question.title,
                "details": question.details,
                "language": question.language,
                "tags": question.tags,
            },
            "customer": {
                "display_name": names.get(customer, ""),
                "rating": mean_stars(total, count),
                "rating_count": count,
            },
            "reasons": offer.reasons,
            "rate_minor_per_hour": rate,
            "currency": offer.currency,
            "net_minor_per_hour": rate - commission_minor(rate, self._commission_bps),
            "cap_minor": request.cap_minor,
            "rings_until": offer.rings_until,
            "created_at": offer.created_at,
        }


def _name(names: Any, user: UUID | None) -> str | None:
    return None if user is None else names.get(UserId(user), "")


def _stage(row: RequestStageRow, name: str | None) -> dict[str, Any]:
    return {"stage": row.stage, "at": row.at, "consultant_id": row.consultant_id, "consultant_name": name}
