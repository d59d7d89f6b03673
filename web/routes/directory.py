"""The directory: who can be asked, under which tags; open to everyone."""

from typing import Annotated

from pydantic import Field

from core.errors import NotFound
from core.ids import UserId
from web.routing import Access, Call, route
from web.schemas import ConsultantCard, Input, Output

PAGE = 20
DEEPEST = 2_000  # nobody reads on for a hundred pages; a machine should not be able to


class ConsultantQuery(Input):
    """What to look for, or whom. ``cursor`` is what the page before gave as ``next_cursor``."""

    q: Annotated[str, Field(max_length=200)] = ""
    name: Annotated[str, Field(max_length=60)] = ""
    online: bool = False
    cursor: Annotated[int, Field(ge=0, le=DEEPEST)] = 0


class ConsultantPage(Output):
    """A page of the directory."""

    items: list[ConsultantCard]
    online_count: int
    next_cursor: str | None


class TagQuery(Input):
    """The beginning of a tag."""

    q: Annotated[str, Field(max_length=40)] = ""


class TagList(Output):
    """Tags, the best suggestion first."""

    items: list[str]


@route("GET", "/api/consultants", access=Access.PUBLIC, query=ConsultantQuery, reply=ConsultantPage)
async def list_consultants(call: Call) -> ConsultantPage:
    """Consultants, the best text match first when a text is given; or those of a name."""
    query: ConsultantQuery = call.query
    async with call.house.db.begin() as tx:
        if query.name.strip():
            named = await call.house.profiles.called(tx, query.name, limit=PAGE)
            cards, more = await call.house.consultants.some(tx, named), False
        else:
            cards, more = await call.house.consultants.search(
                tx, text=query.q, online=query.online, offset=query.cursor, limit=PAGE
            )
        online_count = await call.house.consultants.online_count(tx)
    following = query.cursor + PAGE
    return ConsultantPage(
        items=[ConsultantCard.model_validate(card) for card in cards],
        online_count=online_count,
        next_cursor=str(following) if more and following <= DEEPEST else None,
    )


@route("GET", "/api/consultants/{user_id}", access=Access.PUBLIC, reply=ConsultantCard)
async def get_consultant(call: Call) -> ConsultantCard:
    """One consultant."""
    async with call.house.db.begin() as tx:
        card = await call.house.consultants.card(tx, UserId(call.id("user_id")))
    if card is None:
        raise NotFound
    return ConsultantCard.model_validate(card)


@route("GET", "/api/tags", access=Access.PUBLIC, query=TagQuery, reply=TagList)
async def list_tags(call: Call) -> TagList:
    """Tags that begin like this."""
    query: TagQuery = call.query
    async with call.house.db.begin() as tx:
        return TagList(items=await call.house.questions.suggest_tags(tx, query.q))
