"""Changes: which rows were written since a process last looked, in tables whose trigger keeps ``changed_in``."""

from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Select, and_, bindparam, false, func, literal_column, select

from core.db import Tx
from matching.models import ConsultantRow, OutcomeRow

_XMIN: Final = literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger)
# This transaction's own writes may still be rolled back, so an index must not learn them; they are read once committed.
_OWN: Final = literal_column("coalesce(pg_current_xact_id_if_assigned()::text::bigint, -1)", BigInteger)
Row = TypeVar("Row", ConsultantRow, OutcomeRow)  # the tables with such a trigger


@dataclass(frozen=True, slots=True)
class News:
    """In which tables something was written since they were read, and the number to ask with next time where not."""

    here: int
    consultants: bool
    outcomes: bool


async def news(tx: Tx, *, consultants: int, outcomes: int) -> News:
    """What is worth reading, by one short statement: mostly nothing, since a mirror reads whatever is told.

    Each table is asked with its own number, that which ``since`` gave.
    """
    return News(*(await tx.session.execute(_NEWS, {"consultants": consultants, "outcomes": outcomes})).one())


async def since(tx: Tx, table: type[Row], seen: int) -> tuple[int, list[Row]]:
    """Rows of ``table`` written by transactions from ``seen`` on, and the number to ask with next time.

    No commit can slip between two calls: every transaction still running has a number of at least the snapshot's
    xmin (PostgreSQL manual, 9.27 "pg_snapshot_xmin"), so the next call asks from there on. A row may be given twice.
    """
    rows = (await tx.session.execute(query(table, seen, table).execution_options(populate_existing=True))).all()
    return int(rows[0].xmin), [found for _, found in rows if found is not None]


def query(table: type[Row], seen: int, *columns: Any) -> Select[Any]:
    """The same as a query: ``xmin``, the number to ask with next time, beside ``columns``; one empty row for none."""
    here = select(_XMIN.label("xmin")).subquery("here")
    newer = and_(table.changed_in >= seen, table.changed_in != _OWN)
    return select(here.c.xmin, *columns).select_from(here.outerjoin(table, newer))


def _written(table: type[ConsultantRow] | type[OutcomeRow], seen: str) -> ColumnElement[bool]:
    """Whether the newest row is news: the end of an index, where EXISTS would read a whole table that has none."""
    newest = select(func.max(table.changed_in)).where(table.changed_in != _OWN).scalar_subquery()
    return func.coalesce(newest >= bindparam(seen, type_=BigInteger), false())


_NEWS: Final = select(_XMIN, _written(ConsultantRow, "consultants"), _written(OutcomeRow, "outcomes"))
