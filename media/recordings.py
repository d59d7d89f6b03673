"""Recordings as other rooms see them: consents, files, signed addresses, retention. The node does the writing."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import UUID

import av
from sqlalchemy import func, select

from core import logs
from core.db import Database, Tx
from core.errors import Conflict, NotFound
from core.ids import CallId, UserId
from core.settings import Settings
from media import store
from media.models import MediaNodeRow, MediaSession, RecordingConsent, RecordingFile
from media.recording.webm import mend
from media.sessions import CHANNEL

log = logs.get(__name__)

ADDRESS_LASTS = timedelta(minutes=30)  # of one file, for a player that seeks in it
STRAY_AFTER = timedelta(hours=1)
OURS = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(webm|mended)")
BATCH = 20


@dataclass(frozen=True, slots=True)
class RecordingState:
    """``off``; ``asked`` by one side; ``on``: both consent, and what passes is recorded."""

    possible: bool
    state: Literal["off", "asked", "on"]
    by: Literal["customer", "consultant"] | None


class RecordingService:
    """Consents belong to the session's row; the node that carries the call reads them on NOTIFY and at each tick."""

    def __init__(self, settings: Settings) -> None:
        self._folder = Path(settings.recordings_dir) if settings.recordings_dir else None
        # A key of its own: an address of a file must never pass for something else that the secret signs.
        self._key = hmac.new(settings.secret_key.encode(), b"recording-address", hashlib.sha256).digest()

    async def consent(self, tx: Tx, call_id: CallId, user: UserId, *, given: bool) -> None:
        """Agree to be recorded, or not (any longer): one *no* takes back both.

        Raises ``NotFound`` for who is not in the call, ``Conflict`` when it has ended or nothing can be recorded.
        """
        if self._folder is None:
            raise Conflict("Calls cannot be recorded here.", code="no_recording")
        row = await store.session(tx, call_id, lock=True)
        if row is None or row.state != "open":
            raise Conflict("This call has no media now; there is nothing to record.", code="no_media")
        side = _side(row, user)
        if side is None:
            raise NotFound
        if given:
            setattr(row, f"recording_{side}", True)
        else:
            row.recording_customer = row.recording_consultant = False
        last = await tx.session.scalar(select(func.max(RecordingConsent.n)).where(RecordingConsent.call_id == call_id))
        tx.session.add(
            RecordingConsent(call_id=call_id, n=(last or 0) + 1, side=side, user_id=user, given=given, at=tx.now)
        )
        tx.signal(CHANNEL, str(call_id))
        tx.touch([row.customer_id, row.consultant_id])

    async def state(self, tx: Tx, call_id: CallId) -> RecordingState:
        """Where consent stands."""
        row = await store.session(tx, call_id)
        possible = self._folder is not None
        if row is None or row.state != "open" or not (row.recording_customer or row.recording_consultant):
            return RecordingState(possible, "off", None)
        if row.recording_customer and row.recording_consultant:
            return RecordingState(possible, "on", None)
        return RecordingState(possible, "asked", "customer" if row.recording_customer else "consultant")

    async def files(self, tx: Tx, call_id: CallId, user: UserId) -> Sequence[RecordingFile]:
        """The files of a call that are there, for who was in it; raises ``NotFound`` for anybody else."""
        row = await store.session(tx, call_id)
        if row is None:
            return []
        if _side(row, user) is None:
            raise NotFound
        found = await tx.session.scalars(
            select(RecordingFile)
            .where(RecordingFile.call_id == call_id, RecordingFile.deleted_at.is_(None))
            .order_by(RecordingFile.started_at, RecordingFile.side)
        )
        return found.all()

    def address(self, file_id: UUID, now: datetime) -> str:
        """Where a browser fetches a file, for a while; whoever has the address has the file."""
        until = int((now + ADDRESS_LASTS).timestamp())
        return f"/api/recordings/{file_id}?until={until}&signature={self._sign(file_id, until)}"

    async def open(self, tx: Tx, file_id: UUID, until: int, signature: str) -> Path:
        """The file behind a signed address; raises ``NotFound`` when it is forged, too old, or the file is gone."""
        genuine = hmac.compare_digest(self._sign(file_id, until).encode(), signature.encode())
        if not genuine or until < tx.now.timestamp() or self._folder is None:
            raise NotFound("This address is no longer valid; open the recording again.")
        row = await tx.session.get(RecordingFile, file_id)
        path = self._folder / f"{file_id}.webm"
        if row is None or row.deleted_at is not None or not path.is_file():
            raise NotFound("This recording is no longer there.")
        return path

    async def run_due(self, db: Database) -> int:
        """Delete what is kept long enough, and mend what a killed node left."""
        if self._folder is None or not self._folder.is_dir():
            return 0
        done = 0
        async with db.begin() as tx:
            done += await self._expire(tx, self._folder)
        async with db.begin() as tx:
            done += await self._mend(tx, self._folder)
        return done

    async def sweep(self, db: Database) -> int:
        """Delete files nobody knows of: their node was killed before it could say that they exist."""
        if self._folder is None or not self._folder.is_dir():
            return 0
        done = 0
        for path in self._folder.iterdir():
            name = OURS.fullmatch(path.name)
            age = datetime.now(UTC) - datetime.fromtimestamp(path.stat().st_mtime, UTC)
            if name is None or age < STRAY_AFTER:
                continue
            async with db.begin() as tx:
                row = await tx.session.get(RecordingFile, UUID(name[1]))
            if row is None or name[2] == "mended":  # half of a mending that was interrupted
                log.info("recording.stray_deleted", file=path.name)
                path.unlink(missing_ok=True)
                done += 1
        return done

    async def _expire(self, tx: Tx, folder: Path) -> int:
        found = await tx.session.scalars(
            select(RecordingFile)
            .where(RecordingFile.deleted_at.is_(None), RecordingFile.expires_at <= tx.now)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        rows = found.all()
        for row in rows:
            (folder / f"{row.id}.webm").unlink(missing_ok=True)
            row.deleted_at = tx.now
        return len(rows)

    async def _mend(self, tx: Tx, folder: Path) -> int:
        living = select(MediaNodeRow.id).where(MediaNodeRow.last_seen_at > tx.now - store.NODE_DEAD_AFTER)
        row = await tx.session.scalar(
            select(RecordingFile)
            .where(~RecordingFile.finished, RecordingFile.deleted_at.is_(None), RecordingFile.node_id.not_in(living))
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return 0
        path = folder / f"{row.id}.webm"
        try:
            row.duration_ms = await asyncio.to_thread(mend, path)
            row.bytes = path.stat().st_size
        except (av.FFmpegError, OSError) as error:
            log.warning("recording.lost", file=path.name, error=repr(error))
            path.unlink(missing_ok=True)
            row.deleted_at = tx.now
        row.finished = True
        return 1

    def _sign(self, file_id: UUID, until: int) -> str:
        return hmac.new(self._key, f"{file_id}:{until}".encode(), hashlib.sha256).hexdigest()


def _side(row: MediaSession, user: UserId) -> Literal["customer", "consultant"] | None:
    return "customer" if user == row.customer_id else "consultant" if user == row.consultant_id else None
