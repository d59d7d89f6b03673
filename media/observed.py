"""What was observed of calls so far, for rooms that count with it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from core.db import Tx
from media.intervals import Side
from media.models import ObservedInterval


async def observed_ms(tx: Tx, call_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Connected milliseconds written down of each call, those of the running interval included.

    They are monotonic and at most a second old while a node carries the call; a call never seen is left out.
    """
    query = (
        select(ObservedInterval.call_id, func.sum(ObservedInterval.duration_ms))
        .where(ObservedInterval.call_id.in_(call_ids), ObservedInterval.side == Side.BOTH)
        .group_by(ObservedInterval.call_id)
    )
    return {call_id: int(ms) for call_id, ms in await tx.session.execute(query)}
