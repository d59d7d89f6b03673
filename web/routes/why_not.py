"""Why not X: what keeps somebody off the list of matches, as far as it is the customer's to know."""

from typing import Literal
from uuid import UUID

from core.ids import QuestionId
from web.routes.questions import MatchQuery, ReasonOut
from web.routing import Access, Call, route
from web.schemas import Output


class WhyNotIn(MatchQuery):
    """Whom to explain, for the same list of matches."""

    consultant_id: UUID


class GapOut(Output):
    """One factor of the consultant beside that of the last one shown; hundredths of a point."""

    factor: str
    value: int
    contribution_centi: int
    other_value: int
    other_contribution_centi: int
    difference_centi: int


class WhyNotOut(Output):
    """Where the consultant stands. The gaps' differences add up to ``score_centi - last_score_centi`` exactly."""

    outcome: Literal["shown", "behind", "busy", "filtered", "not_available"]
    obstacles: list[ReasonOut]
    place: int | None
    score_centi: int | None
    last_score_centi: int | None
    last_consultant_id: UUID | None
    gaps: list[GapOut]
    model_version: str


@route(
    "POST",
    "/api/questions/{question_id}/why-not",
    access=Access.CUSTOMER,
    body=WhyNotIn,
    reply=WhyNotOut,
    owned="question",
)
async def question_why_not(call: Call) -> WhyNotOut:
    """Why somebody is not among the matches. Who is blocked, offline or unknown gets one and the same answer."""
    body: WhyNotIn = call.body
    async with call.house.db.begin() as tx:
        found = await call.house.ranking.why_not(
            tx,
            call.user,
            QuestionId(call.id("question_id")),
            body.consultant_id,
            limit=body.limit,
            filters=body.filters,
        )
    return WhyNotOut(
        outcome=found.outcome.value,
        obstacles=[ReasonOut.model_validate(each) for each in found.obstacles],
        place=found.place,
        score_centi=found.score_centi,
        last_score_centi=None if found.last is None else found.last.score_centi,
        last_consultant_id=None if found.last is None else found.last.user_id,
        gaps=[GapOut.model_validate(each) for each in found.gaps],
        model_version=call.house.ranking.version,
    )
