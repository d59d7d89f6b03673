"""Questions and their matches: post, edit, withdraw, see who fits; a preview for people without an account."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from core.ids import QuestionId
from core.money import Currency
from matching.questions.ranking import TOP
from matching.questions.service import DETAILS_MAX, TAG_MAX, TAGS_MAX, TITLE_MAX, TITLE_MIN, question_view
from matching.ranking.filters import Filters
from web.routing import Access, Call, route
from web.schemas import ConsultantCard, Empty, Input, Output, Utc

Title = Annotated[str, StringConstraints(min_length=TITLE_MIN, max_length=TITLE_MAX)]
Details = Annotated[str, StringConstraints(max_length=DETAILS_MAX)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=TAG_MAX)]
Tags = Annotated[list[Tag], Field(max_length=TAGS_MAX)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
LeastStars = Annotated[int, Field(ge=1, le=5)]
Rate = Annotated[int, Field(gt=0, le=100_000)]


class QuestionIn(Input):
    """A question; tags that are not given are read out of the text."""

    title: Title
    details: Details = ""
    tags: Tags | None = None
    language: Language


class QuestionPatch(Input):
    """What to change; a field that is not given stays as it is."""

    title: Title | None = None
    details: Details | None = None
    tags: Tags | None = None
    language: Language | None = None


class QuestionOut(Output):
    """A question as its owner sees it."""

    id: UUID
    title: str
    details: str
    tags: list[str]
    language: str
    state: Literal["open", "withdrawn", "answered"]
    created_at: Utc


class QuestionList(Output):
    """The customer's questions, newest first."""

    items: list[QuestionOut]


class PreviewIn(Input):
    """A question that nobody has posted yet."""

    title: Title
    details: Details = ""
    tags: Tags | None = None
    language: Language
    currency: Currency | None = None
    max_rate_minor_per_hour: Rate | None = None


class MatchQuery(Input):
    """How many matches to show (as many alternatives may follow), and what to narrow them down to."""

    limit: Annotated[int, Field(ge=1, le=20)] = TOP
    language: Language | None = None
    currency: Currency | None = None
    max_rate_minor_per_hour: Rate | None = None
    min_stars: LeastStars | None = None

    @model_validator(mode="after")
    def _rate_has_a_currency(self) -> Self:
        if self.max_rate_minor_per_hour is not None and self.currency is None:
            raise ValueError("a highest rate needs its currency")
        return self

    @property
    def filters(self) -> Filters:
        """The same for the ranking."""
        return Filters(self.language, self.currency, self.max_rate_minor_per_hour, self.min_stars)


class WeighedOut(Output):
    """One feature of the model: what it is for this consultant, and what one of it weighs."""

    name: str
    value: float
    weight: float


class SumOut(Output):
    """(sum of weight x value - ``low``) x ``scale``, as a whole number between 0 and 100 x the factor's weight."""

    weighed: list[WeighedOut]
    low: float
    scale: float


class FactorOut(Output):
    """One factor: at most ``weight`` points of the score.

    ``contribution_centi`` says how many, in hundredths; ``value`` is that share of the weight in percent, which for a
    learned factor is rounded. A learned factor's contribution is its ``sum``, another's is value x weight.
    """

    factor: str
    value: Annotated[int, Field(ge=0, le=100)]
    weight: int
    contribution_centi: int
    sum: SumOut | None


class ReasonOut(Output):
    """Why, as a code with parameters; the client writes the sentence."""

    code: str
    params: dict[str, Any]


class EstimateOut(Output):
    """What so many minutes of talk would cost."""

    minutes: int
    minor: int


class PriceOut(Output):
    """The rate per minute (a decimal number of minor units, for reading) and three examples."""

    per_minute_minor: str
    estimates: list[EstimateOut]


class MatchOut(Output):
    """One consultant with a score, to which the factors' contributions add up exactly."""

    consultant: ConsultantCard
    score: Annotated[int, Field(ge=0, le=100)]
    score_centi: int
    factors: list[FactorOut]
    reasons: list[ReasonOut]
    concerns: list[ReasonOut]
    inputs: dict[str, int | float | bool]
    price: PriceOut


class MatchesOut(Output):
    """The best, and who else comes into question."""

    matches: list[MatchOut]
    alternatives: list[MatchOut]
    model_version: str


@route("POST", "/api/questions", access=Access.CUSTOMER, body=QuestionIn, reply=QuestionOut, status=201)
async def post_question(call: Call) -> QuestionOut:
    """Post a question."""
    body: QuestionIn = call.body
    async with call.house.db.begin() as tx:
        row = await call.house.questions.post(
            tx, call.user, title=body.title, details=body.details, language=body.language, tags=body.tags
        )
        return QuestionOut.model_validate(question_view(row))


@route("GET", "/api/questions", access=Access.CUSTOMER, reply=QuestionList)
async def list_questions(call: Call) -> QuestionList:
    """One's own questions, newest first."""
    async with call.house.db.begin() as tx:
        rows = await call.house.questions.of_customer(tx, call.user)
        return QuestionList(items=[QuestionOut.model_validate(question_view(row)) for row in rows])


@route("GET", "/api/questions/{question_id}", access=Access.CUSTOMER, reply=QuestionOut, owned="question")
async def get_question(call: Call) -> QuestionOut:
    """One of one's own questions."""
    async with call.house.db.begin() as tx:
        row = await call.house.questions.get(tx, call.user, QuestionId(call.id("question_id")))
        return QuestionOut.model_validate(question_view(row))


@route(
    "PATCH",
    "/api/questions/{question_id}",
    access=Access.CUSTOMER,
    body=QuestionPatch,
    reply=QuestionOut,
    owned="question",
)
async def edit_question(call: Call) -> QuestionOut:
    """Change an open question."""
    body: QuestionPatch = call.body
    async with call.house.db.begin() as tx:
        row = await call.house.questions.edit(
            tx,
            call.user,
            QuestionId(call.id("question_id")),
            title=body.title,
            details=body.details,
            language=body.language,
            tags=body.tags,
        )
        return QuestionOut.model_validate(question_view(row))


@route(
    "POST",
    "/api/questions/{question_id}/withdraw",
    access=Access.CUSTOMER,
    body=Empty,
    reply=QuestionOut,
    owned="question",
)
async def withdraw_question(call: Call) -> QuestionOut:
    """Take an open question back."""
    async with call.house.db.begin() as tx:
        row = await call.house.questions.withdraw(tx, call.user, QuestionId(call.id("question_id")))
        return QuestionOut.model_validate(question_view(row))


@route(
    "GET",
    "/api/questions/{question_id}/matches",
    access=Access.CUSTOMER,
    query=MatchQuery,
    reply=MatchesOut,
    owned="question",
)
async def question_matches(call: Call) -> MatchesOut:
    """Who fits this question, and why."""
    query: MatchQuery = call.query
    async with call.house.db.begin() as tx:
        return MatchesOut.model_validate(
            await call.house.ranking.for_question(
                tx, call.user, QuestionId(call.id("question_id")), limit=query.limit, filters=query.filters
            )
        )


@route("POST", "/api/matches/preview", access=Access.PUBLIC, body=PreviewIn, reply=MatchesOut, limit="typing")
async def preview_matches(call: Call) -> MatchesOut:
    """Who would fit a question that is not posted yet; nothing is stored."""
    body: PreviewIn = call.body
    async with call.house.db.begin() as tx:
        return MatchesOut.model_validate(
            await call.house.ranking.preview(
                tx,
                title=body.title,
                details=body.details,
                language=body.language,
                tags=body.tags,
                currency=body.currency,
                max_rate_minor_per_hour=body.max_rate_minor_per_hour,
            )
        )


@route("POST", "/api/questions/{question_id}/tell-me", access=Access.CUSTOMER, body=Empty, owned="question")
async def tell_me(call: Call) -> None:
    """Wish to be told, within a day and once, when a consultant who fits is online; the snapshot carries it."""
    async with call.house.db.begin() as tx:
        await call.house.wishes.make(tx, call.user, QuestionId(call.id("question_id")))


@route("DELETE", "/api/questions/{question_id}/tell-me", access=Access.CUSTOMER, owned="question")
async def do_not_tell_me(call: Call) -> None:
    """Take the wish back, or put its notice away."""
    async with call.house.db.begin() as tx:
        await call.house.wishes.forget(tx, call.user, QuestionId(call.id("question_id")))
