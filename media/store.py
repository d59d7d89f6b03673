"""The queries of ``media``."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from core.db import Tx
from core.ids import CallId
from media.models import MediaNodeRow, MediaSession, ObservedInterval, RecordingFile
from media.recording.recorder import FileBegan, FileDone

NODE_DEAD_AFTER = timedelta(seconds=4)  # nodes are heard of every second
DATABASE_SETTLED_AFTER = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One interval as it is written."""

    call_id: UUID
    side: str
    n: int
    started_at: datetime
    duration_ms: int
    open: bool
    cause: str | None


async def session(tx: Tx, call_id: CallId, *, lock: bool = False) -> MediaSession | None:
    """The media session of a call."""
    return await tx.session.get(MediaSession, call_id, with_for_update=lock or None, populate_existing=True)


async def claim(tx: Tx, call_id: CallId, node_id: str, *, dead: str | None) -> MediaSession | None:
    """Make this node the one that carries the call; None when it may not (closed, unknown, or carried elsewhere).

    ``dead`` names a node whose process was found to be gone although its lease still runs.
    """
    row = await session(tx, call_id, lock=True)
    if row is None or row.state != "open":
        return None
    if row.node_id not in (None, node_id, dead) and await alive(tx, str(row.node_id)):
        return None
    row.node_id = node_id
    return row


async def last_numbers(tx: Tx, call_id: CallId) -> dict[str, int]:
    """The highest interval number of each side of a call."""
    found = await tx.session.execute(
        select(ObservedInterval.side, func.max(ObservedInterval.n))
        .where(ObservedInterval.call_id == call_id)
        .group_by(ObservedInterval.side)
    )
    return {side: n for side, n in found}  # noqa: C416 - rows, not pairs, for mypy


async def write_intervals(tx: Tx, node_id: str, rows: Sequence[IntervalRow]) -> None:
    """Write the intervals of any number of calls in one statement; a closed interval is never opened again."""
    if not rows:
        return
    await tx.session.execute(
        _UPSERT,
        {
            "node": node_id,
            "calls": [row.call_id for row in rows],
            "sides": [row.side for row in rows],
            "numbers": [row.n for row in rows],
            "starts": [row.started_at for row in rows],
            "durations": [row.duration_ms for row in rows],
            "opens": [row.open for row in rows],
            "causes": [row.cause for row in rows],
        },
    )


_UPSERT = text(
    "INSERT INTO observed_interval AS known (call_id, side, n, started_at, duration_ms, open, cause, node_id) "
    "SELECT rows.*, CAST(:node AS text) FROM unnest("
    "CAST(:calls AS uuid[]), CAST(:sides AS text[]), CAST(:numbers AS int[]), CAST(:starts AS timestamptz[]), "
    "CAST(:durations AS bigint[]), CAST(:opens AS boolean[]), CAST(:causes AS text[])) "
    "AS rows (call_id, side, n, started_at, duration_ms, open, cause) "
    "ON CONFLICT (call_id, side, n) DO UPDATE SET "
    "duration_ms = excluded.duration_ms, open = excluded.open, cause = excluded.cause "
    "WHERE known.open AND known.node_id = excluded.node_id"
)


async def write_recordings(tx: Tx, node_id: str, facts: Sequence[FileBegan | FileDone], *, keep: timedelta) -> None:
    """Book files as they begin and end; told twice, it stays as it is."""
    for fact in facts:
        if isinstance(fact, FileBegan):
            values = {
                "id": fact.id,
                "call_id": fact.call_id,
                "side": fact.side,
                "node_id": node_id,
                "started_at": fact.started_at,
                "expires_at": fact.started_at + keep,
            }
            await tx.session.execute(insert(RecordingFile).values(**values).on_conflict_do_nothing())
        else:
            await tx.session.execute(
                update(RecordingFile)
                .where(RecordingFile.id == fact.id)
                .values(finished=True, duration_ms=fact.duration_ms, bytes=fact.bytes)
            )


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a node tells of itself each second."""

    control_url: str
    calls: int
    capacity: int
    load_permille: int
    draining: bool


async def heartbeat(tx: Tx, node_id: str, told: Heartbeat) -> None:
    """Say that this node lives, where, and how busy it is."""
    values = asdict(told) | {"last_seen_at": tx.now}
    statement = insert(MediaNodeRow).values(id=node_id, **values)
    await tx.session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


async def release(tx: Tx, node_id: str) -> Sequence[MediaSession]:
    """Free this node's calls for any other; the sessions, in their new epoch."""
    found = await tx.session.scalars(
        update(MediaSession)
        .where(MediaSession.node_id == node_id, MediaSession.state == "open")
        .values(node_id=None, epoch=MediaSession.epoch + 1)
        .returning(MediaSession)
    )
    return found.all()


async def sign_off(tx: Tx, node_id: str) -> None:
    """This node is no more."""
    await tx.session.execute(delete(MediaNodeRow).where(MediaNodeRow.id == node_id))


async def node(tx: Tx, node_id: str) -> MediaNodeRow | None:
    """What a node last told of itself."""
    return await tx.session.get(MediaNodeRow, node_id, populate_existing=True)


async def alive(tx: Tx, node_id: str) -> bool:
    """Whether this node was heard of lately."""
    seen = await tx.session.scalar(select(MediaNodeRow.last_seen_at).where(MediaNodeRow.id == node_id))
    return seen is not None and tx.now - seen < NODE_DEAD_AFTER


async def living_nodes(tx: Tx) -> Sequence[MediaNodeRow]:
    """The nodes that take new calls, the least loaded first."""
    found = await tx.session.scalars(
        select(MediaNodeRow)
        .where(MediaNodeRow.last_seen_at > tx.now - NODE_DEAD_AFTER, ~MediaNodeRow.draining)
        .where(MediaNodeRow.calls < MediaNodeRow.capacity)
        .order_by(MediaNodeRow.calls * 1000 / MediaNodeRow.capacity, MediaNodeRow.load_permille, MediaNodeRow.id)
    )
    return found.all()


async def sessions_of(tx: Tx, node_id: str) -> Sequence[MediaSession]:
    """The sessions this node carries that are not closed."""
    found = await tx.session.scalars(
        select(MediaSession).where(MediaSession.node_id == node_id, MediaSession.state != "closed")
    )
    return found.all()


async def orphan(tx: Tx) -> MediaSession | None:
    """A session that needs care and whose node is dead: it is closing, or an interval of it is still open.

    Right after PostgreSQL came back every node looks dead, because none could say that it lives: wait for them first.
    """
    up_for = await tx.session.scalar(text("SELECT now() - pg_postmaster_start_time()"))
    if up_for is None or up_for < DATABASE_SETTLED_AFTER:
        return None
    dead_before = tx.now - NODE_DEAD_AFTER
    living = select(MediaNodeRow.id).where(MediaNodeRow.last_seen_at > dead_before)
    open_interval = (
        select(ObservedInterval.n)
        .where(ObservedInterval.call_id == MediaSession.call_id, ObservedInterval.open)
        .where(ObservedInterval.node_id.not_in(living))
        .exists()
    )
    abandoned = MediaSession.node_id.is_(None) | MediaSession.node_id.not_in(living)
    found = await tx.session.scalars(
        select(MediaSession)
        .where(MediaSession.state != "closed")
        .where(((MediaSession.state == "closing") & abandoned) | open_interval)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return found.first()


async def close_open_intervals(
    tx: Tx, call_id: CallId, cause: str, *, except_node: str | None = None
) -> Sequence[ObservedInterval]:
    """Close what other nodes left open, with the duration they last wrote; the closed rows, in order."""
    found = await tx.session.scalars(
        update(ObservedInterval)
        .where(ObservedInterval.call_id == call_id, ObservedInterval.open)
        .where(ObservedInterval.node_id.is_distinct_from(except_node))
        .values(open=False, cause=cause)
        .returning(ObservedInterval)
    )
    return sorted(found.all(), key=lambda row: (row.side, row.n))
