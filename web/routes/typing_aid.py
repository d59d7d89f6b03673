"""Help while a question is typed: its topics, one question back, and one's own question that says the same."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from matching.questions.service import DETAILS_MAX, TITLE_MAX
from web.routes.questions import Details, Language, Tags
from web.routing import Access, Call, route
from web.schemas import Input, Output

Typed = Annotated[str, StringConstraints(max_length=TITLE_MAX)]


class KeywordsIn(Input):
    """A text that is being typed."""

    text: Annotated[str, StringConstraints(max_length=TITLE_MAX + DETAILS_MAX)]


class KeywordsOut(Output):
    """What the text is about."""

    tags: list[str]
    keywords: list[str]


class TypingIn(Input):
    """A question as far as it is typed, with the tags that were chosen already."""

    title: Typed
    details: Details = ""
    tags: Tags = Field(default_factory=list)
    language: Language


class RefiningOut(Output):
    """Ask which of this kind; the client writes the sentence. ``topic`` when they are of no one kind."""

    facet: str
    tags: list[str]


class TypingOut(Output):
    """Tags the text names, and the question whose answer would part the consultants best, if one would."""

    tags: list[str]
    keywords: list[str]
    refining: RefiningOut | None


class SimilarIn(Input):
    """A question as far as it is typed."""

    title: Typed
    details: Details = ""


class SimilarQuestionOut(Output):
    """One's own open question that asks the same."""

    id: UUID
    title: str


class SimilarOut(Output):
    """The question to reuse, or None."""

    question: SimilarQuestionOut | None


@route("POST", "/api/keywords", access=Access.PUBLIC, body=KeywordsIn, reply=KeywordsOut, limit="typing")
async def extract_keywords(call: Call) -> KeywordsOut:
    """Tags and telling words of a text that is being typed."""
    body: KeywordsIn = call.body
    async with call.house.db.begin() as tx:
        found = await call.house.questions.keywords(tx, body.text)
    return KeywordsOut(tags=list(found.tags), keywords=list(found.keywords))


@route("POST", "/api/questions/typing", access=Access.PUBLIC, body=TypingIn, reply=TypingOut, limit="typing")
async def post_typing(call: Call) -> TypingOut:
    """Topics of a question that is being typed, and one question that would narrow it down; nothing is stored."""
    body: TypingIn = call.body
    async with call.house.db.begin() as tx:
        found = await call.house.typing_aid.suggest(
            tx, f"{body.title}\n{body.details}", language=body.language, tags=tuple(body.tags)
        )
    return TypingOut(
        tags=list(found.tags),
        keywords=list(found.keywords),
        refining=None if found.refining is None else RefiningOut.model_validate(found.refining),
    )


@route("POST", "/api/questions/similar", access=Access.CUSTOMER, body=SimilarIn, reply=SimilarOut, limit="typing")
async def post_similar(call: Call) -> SimilarOut:
    """One's own open question that asks the same, so that it can be used again."""
    body: SimilarIn = call.body
    async with call.house.db.begin() as tx:
        found = await call.house.typing_aid.similar(tx, call.user, body.title, body.details)
    return SimilarOut(question=None if found is None else SimilarQuestionOut.model_validate(found))
