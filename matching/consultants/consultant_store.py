"""Queries on the consultant projection, customers' standing and blocks."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import fields
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Row, Select, Uuid, any_, bindparam, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from core.db import Tx
from core.ids import UserId
from matching import changes
from matching.models import BlockRow, ConsultantRow, CustomerStandingRow
from matching.ranking.index.consultant_facts import ConsultantFacts

_EMPTY: dict[str, Any] = {
    "headline": "",
    "biography": "",
    "tags": [],
    "languages": [],
    "time_zone": "UTC",
    "can_receive": False,
    "status": "offline",
    "rating_sum": 0,
    "rating_count": 0,
    "offers_received": 0,
    "offers_accepted": 0,
    "offers_declined": 0,
    "offers_missed": 0,
    "missed_in_a_row": 0,
    "calls": 0,
    "ring_token": 0,
    "contacts": 0,
    "successes": 0,
    "changed_in": 0,  # the trigger knows better
}


async def put(tx: Tx, user: UserId, **values: Any) -> None:
    """Write these columns of a consultant, whose row is made when this is the first that we hear of them."""
    await tx.session.execute(
        insert(ConsultantRow)
        .values(user_id=user, **{**_EMPTY, **values})
        .on_conflict_do_update(index_elements=["user_id"], set_=values)
    )


async def retire(tx: Tx, user: UserId) -> None:
    """Take somebody who is no consultant any more out of every ranking."""
    await tx.session.execute(update(ConsultantRow).where(ConsultantRow.user_id == user).values(can_receive=False))


async def count(tx: Tx, user: UserId, **increments: int) -> None:
    """Add to counters of a consultant."""
    changes = {name: getattr(ConsultantRow, name) + by for name, by in increments.items()}
    await tx.session.execute(update(ConsultantRow).where(ConsultantRow.user_id == user).values(changes))


async def missed(tx: Tx, user: UserId, response_ms: int) -> None:
    """Count a ring that ended in silence."""
    values = {
        "offers_missed": ConsultantRow.offers_missed + 1,
        "missed_in_a_row": ConsultantRow.missed_in_a_row + 1,
        "response_ms": _smoothed(response_ms),
    }
    await tx.session.execute(update(ConsultantRow).where(ConsultantRow.user_id == user).values(values))


async def missed_in_a_row(tx: Tx, user: UserId) -> int:
    """How many rings in a row ended in silence."""
    query = select(ConsultantRow.missed_in_a_row).where(ConsultantRow.user_id == user)
    return int(await tx.session.scalar(query) or 0)


async def forgive_misses(tx: Tx, user: UserId) -> None:
    """Start the count anew for somebody who comes back by their own will; a call in between is no coming back."""
    row = ConsultantRow
    back = update(row).where(row.user_id == user, row.status.in_(("away", "offline", "limited")))
    await tx.session.execute(back.values(missed_in_a_row=0))


async def answered(tx: Tx, user: UserId, response_ms: int, *, accepted: bool) -> None:
    """Count an answered ring and how long it took; an answer ends a run of misses."""
    counter = "offers_accepted" if accepted else "offers_declined"
    values = {
        counter: getattr(ConsultantRow, counter) + 1,
        "missed_in_a_row": 0,
        "response_ms": _smoothed(response_ms),
    }
    await tx.session.execute(update(ConsultantRow).where(ConsultantRow.user_id == user).values(values))


async def never_came(tx: Tx, user: UserId) -> None:
    """An accept that nobody followed into the call is no accept; in a row it counts as two rings in silence."""
    row = ConsultantRow
    values = {
        "offers_accepted": func.greatest(row.offers_accepted - 1, 0),
        "offers_missed": row.offers_missed + 1,
        "missed_in_a_row": row.missed_in_a_row + 2,
    }
    await tx.session.execute(update(row).where(row.user_id == user).values(values))


def _smoothed(response_ms: int) -> Any:
    """A running mean in which the newest answer weighs a quarter: three slow answers are felt, one is forgiven."""
    old = ConsultantRow.response_ms
    return case((old.is_(None), response_ms), else_=(3 * old + response_ms) / 4)


async def changed_since(tx: Tx, seen: int) -> tuple[int, list[ConsultantFacts]]:
    """Consultants written since ``seen``, and the number to ask with next time; see ``changes``."""
    rows = (await tx.session.execute(_changed(seen))).all()
    return int(rows[0].xmin), _facts_of_all(rows)


async def everybody(tx: Tx, *, chunk: int) -> AsyncIterator[tuple[int, list[ConsultantFacts]]]:
    """What ``changed_since`` tells whoever has seen nothing, ``chunk`` rows at a time: a market is never held twice."""
    rows = await tx.session.stream(_changed(0), execution_options={"yield_per": chunk})
    async for part in rows.partitions():
        yield int(part[0].xmin), _facts_of_all(part)


def _changed(seen: int) -> Select[Any]:
    return changes.query(ConsultantRow, seen, *(getattr(ConsultantRow, each.name) for each in fields(ConsultantFacts)))


def _facts_of_all(rows: Sequence[Row[Any]]) -> list[ConsultantFacts]:
    return [facts_of(row) for row in rows if row.user_id is not None]


def facts_of(row: ConsultantRow | Row[Any]) -> ConsultantFacts:
    """The row as the index and the explanation read it."""
    return ConsultantFacts(
        user_id=row.user_id,
        headline=row.headline,
        biography=row.biography,
        tags=tuple(row.tags),
        languages=tuple(row.languages),
        rate_minor_per_hour=row.rate_minor_per_hour,
        currency=row.currency,
        can_receive=row.can_receive,
        status=row.status,
        rating_sum=row.rating_sum,
        rating_count=row.rating_count,
        response_ms=row.response_ms,
        changed_in=row.changed_in,
    )


async def find(tx: Tx, user: UserId) -> ConsultantRow | None:
    """One consultant, as the transaction sees them now."""
    return await tx.session.get(ConsultantRow, user, populate_existing=True)


# One statement however many there are, and built once: building it takes as long as the database's answer.
_THESE: Final = (
    select(ConsultantRow)
    .where(ConsultantRow.user_id == any_(bindparam("users", type_=ARRAY(Uuid))))
    .execution_options(populate_existing=True)
)


async def find_many(tx: Tx, users: Collection[UUID]) -> dict[UUID, ConsultantRow]:
    """These consultants, by id."""
    return {row.user_id: row for row in await tx.session.scalars(_THESE, {"users": list(users)})}


async def gone(tx: Tx, users: Collection[UUID]) -> set[UUID]:
    """Those of ``users`` who are offline, or in a meeting: somebody came back to a call they had lost."""
    row, gone = ConsultantRow, ("offline", "in_meeting")
    return set(await tx.session.scalars(select(row.user_id).where(row.user_id.in_(users), row.status.in_(gone))))


async def page(tx: Tx, *, online: bool, offset: int, limit: int) -> Sequence[ConsultantRow]:
    """Consultants who may be shown, the available first."""
    row = ConsultantRow
    query = select(row).where(row.rate_minor_per_hour.is_not(None), row.can_receive)
    if online:
        query = query.where(row.status.in_(("available", "away", "in_meeting")))
    order = (case((row.status == "available", 0), (row.status == "offline", 2), else_=1), row.user_id)
    query = query.order_by(*order).offset(offset).limit(limit).execution_options(populate_existing=True)
    return (await tx.session.scalars(query)).all()


async def rate_consultant(tx: Tx, user: UserId, *, before: int | None, after: int | None) -> None:
    """Follow one rating of a consultant's from the stars it had to those it has; None where there is none."""
    if before != after:
        count_change = (after is not None) - (before is not None)
        await count(tx, user, rating_sum=(after or 0) - (before or 0), rating_count=count_change)


async def rate_customer(tx: Tx, user: UserId, stars: int) -> None:
    """Add a rating to a customer's."""
    row = CustomerStandingRow
    await tx.session.execute(
        insert(row)
        .values(user_id=user, rating_sum=stars, rating_count=1)
        .on_conflict_do_update(
            index_elements=["user_id"],
            set_={"rating_sum": row.rating_sum + stars, "rating_count": row.rating_count + 1},
        )
    )


async def customer_standing(tx: Tx, user: UserId) -> tuple[int, int]:
    """Sum and number of a customer's ratings."""
    query = select(CustomerStandingRow.rating_sum, CustomerStandingRow.rating_count)
    found = (await tx.session.execute(query.where(CustomerStandingRow.user_id == user))).one_or_none()
    return (0, 0) if found is None else (found[0], found[1])


async def block(tx: Tx, blocker: UserId, blocked: UserId) -> None:
    """Remember that these two are never matched."""
    query = insert(BlockRow).values(blocker_id=blocker, blocked_id=blocked)
    await tx.session.execute(query.on_conflict_do_nothing())


async def blocked_with(tx: Tx, user: UserId) -> set[UUID]:
    """Everybody who blocked this user or was blocked by them."""
    row = BlockRow
    other = case((row.blocker_id == user, row.blocked_id), else_=row.blocker_id)
    return set(await tx.session.scalars(select(other).where(or_(row.blocker_id == user, row.blocked_id == user))))


async def online_count(tx: Tx) -> int:
    """How many consultants are available."""
    row = ConsultantRow
    query = select(func.count()).where(row.status == "available", row.can_receive, row.rate_minor_per_hour.is_not(None))
    return int(await tx.session.scalar(query) or 0)
