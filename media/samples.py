"""Samples of quality: every two seconds of each side, from the node's own counts and from the browser's statistics."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core.db import Tx
from core.ids import CallId
from media import store
from media.models import QualitySample
from media.quality import Direction

EVERY_S = 2
MOST = 20_000


@dataclass(frozen=True, slots=True)
class Sample:
    """What one side's connection was like for two seconds.

    From the server: what this side sent. From the client: what it received. ``rtt_ms`` is None while unknown.
    """

    rtt_ms: int | None
    loss_permille: int
    jitter_ms: int
    kbps: int
    freezes: int = 0
    video_held: bool = False


@dataclass(slots=True)
class Sampler:
    """Turns one direction's running counts into samples."""

    packets: int = 0
    missing: int = 0
    bytes: int = 0
    at: float | None = None

    def sample(self, direction: Direction, rtt_s: float | None, now: float) -> Sample | None:
        """The time since the last sample; None for the first, and when nothing came."""
        streams = [count for name, count in direction.streams.items() if not name.endswith("_rtx")]
        packets, missing = sum(one.packets for one in streams), sum(one.missing for one in streams)
        size = sum(one.bytes for one in direction.streams.values())
        came, lost, more = packets - self.packets, missing - self.missing, size - self.bytes
        since, self.at = self.at, now
        self.packets, self.missing, self.bytes = packets, missing, size
        if since is None or came <= 0:
            return None
        lost = max(0, lost)  # a late packet is taken back from an earlier sample's losses
        sound = direction.streams.get("audio")
        jitter_s = sound.jitter_ticks / sound.clock_rate if sound else 0.0
        return Sample(
            rtt_ms=None if rtt_s is None else round(1000 * rtt_s),
            loss_permille=round(1000 * lost / (came + lost)),
            jitter_ms=round(1000 * jitter_s),
            kbps=round(8 * more / 1000 / (now - since)),
        )


@dataclass(frozen=True, slots=True)
class Told:
    """A sample on its way to the database."""

    call_id: UUID
    side: str
    source: Literal["server", "client"]
    at: datetime
    sample: Sample


async def write(tx: Tx, told: Sequence[Told]) -> None:
    """Write samples in one statement; a second one for the same two seconds is dropped."""
    if told:
        rows = [_row(one) for one in told]
        await tx.session.execute(insert(QualitySample).values(rows).on_conflict_do_nothing())


def _row(told: Told) -> dict[str, Any]:
    slot = told.at.replace(second=told.at.second - told.at.second % EVERY_S, microsecond=0)
    return {"call_id": told.call_id, "side": told.side, "source": told.source, "at": slot, **asdict(told.sample)}


class QualityService:
    """Samples of calls, for other rooms."""

    async def note(self, tx: Tx, call_id: CallId, side: str, sample: Sample) -> None:
        """Keep what a browser says of its connection. Before there is media there is nothing to say."""
        if await store.session(tx, call_id) is not None:
            await write(tx, [Told(call_id, side, "client", tx.now, sample)])

    async def of_call(self, tx: Tx, call_id: CallId) -> Sequence[QualitySample]:
        """All samples of a call, in order."""
        found = await tx.session.scalars(
            select(QualitySample)
            .where(QualitySample.call_id == call_id)
            .order_by(QualitySample.at, QualitySample.side, QualitySample.source)
            .limit(MOST)
        )
        return found.all()
