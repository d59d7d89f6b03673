"""Attachments of questions: taken in, listed, handed out to those who may read them, deleted in time."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from core import logs
from core.db import Database, Tx
from core.errors import Conflict, NotFound
from core.ids import CallId, OfferId, QuestionId, UserId, new_id
from core.settings import Settings
from matching.attachments import attachment_store
from matching.attachments.attachment_files import AttachmentFiles
from matching.attachments.attachment_types import MOST_BYTES, MOST_BYTES_OF_ONE, MOST_FILES, ending_of, safe_name
from matching.models import AttachmentRow
from matching.questions import question_store
from matching.questions.question import State

log = logs.get(__name__)

BATCH = 20
MOST_PER_TICK = 100


class TooMany(Conflict):
    """A question may have three files; remove one first."""

    code = "attachment_count"


class NoSpace(Conflict):
    """Your files take up 100 MB; remove some of them first."""

    code = "attachment_space"


class QuestionClosed(Conflict):
    """Files can be attached while the question is open."""

    code = "question_closed"


class NoAttachments(Conflict):
    """Files cannot be attached here."""

    code = "no_attachments"


class AttachmentService:
    """Rows say who may read what; the folder holds the content, one file for equal ones."""

    def __init__(self, settings: Settings) -> None:
        self._files = AttachmentFiles(Path(settings.attachments_dir)) if settings.attachments_dir else None
        self._kept = timedelta(days=settings.attachment_days)

    async def add(
        self,
        db: Database,
        user: UserId,
        question: QuestionId,
        *,
        name: str,
        media_type: str,
        pieces: AsyncIterator[bytes],
    ) -> AttachmentRow:
        """Take in a file for one's own open question. No transaction is open while bytes arrive."""
        async with db.begin() as tx:  # before a byte is read: whose, open, room for one more, a type we take
            await self._room(tx, user, question)
        ending_of(media_type)
        files = self._folder()
        incoming = await files.receive(pieces, media_type)
        try:
            async with db.begin() as tx:
                await self._room(tx, user, question)
                await attachment_store.lock_content(tx, incoming.digest)
                row = AttachmentRow(
                    id=new_id(),
                    question_id=question,
                    customer_id=user,
                    name=safe_name(name, media_type),
                    media_type=media_type,
                    bytes=incoming.size,
                    sha256=incoming.digest,
                    created_at=tx.now,
                    expires_at=tx.now + self._kept,
                )
                tx.session.add(row)
                await tx.session.flush()
                await asyncio.to_thread(files.keep, incoming)
                return row
        finally:
            incoming.discard()

    def _folder(self) -> AttachmentFiles:
        if self._files is None:
            raise NoAttachments
        return self._files

    async def _room(self, tx: Tx, user: UserId, question: QuestionId) -> None:
        """The question's row lock makes the count hold until the transaction ends."""
        row = await question_store.own(tx, user, question, lock=True)
        if row.state != State.OPEN:
            raise QuestionClosed
        if len(await attachment_store.of_question(tx, question)) >= MOST_FILES:
            raise TooMany
        if await attachment_store.bytes_of(tx, user) > MOST_BYTES_OF_ONE - MOST_BYTES:
            raise NoSpace

    async def of_question(self, tx: Tx, user: UserId, question: QuestionId) -> Sequence[AttachmentRow]:
        """What one's own question has attached."""
        await question_store.own(tx, user, question)
        return await attachment_store.of_question(tx, question)

    async def of_offer(self, tx: Tx, consultant: UserId, offer: OfferId) -> Sequence[AttachmentRow]:
        """What the question of a ring has attached, while it rings or once it is accepted."""
        return await attachment_store.of_offer(tx, consultant, offer)

    async def of_call(self, tx: Tx, user: UserId, call: CallId) -> Sequence[AttachmentRow]:
        """What the question of a call has attached, for the two who are in it."""
        return await attachment_store.of_call(tx, user, call)

    async def open(self, tx: Tx, user: UserId, attachment: UUID) -> tuple[AttachmentRow, Path]:
        """An attachment and where its content lies, for who may read it; raises NotFound for anybody else."""
        row = await attachment_store.readable(tx, user, attachment)
        path = self._folder().path(row.sha256)
        if not path.is_file():
            raise NotFound("This file is no longer there.")
        return row, path

    async def remove(self, tx: Tx, user: UserId, attachment: UUID) -> None:
        """Delete one's own attachment; nobody reads it from now on."""
        row = await attachment_store.own(tx, user, attachment)
        row.deleted_at = tx.now

    async def run_due(self, db: Database) -> int:
        """Delete what is kept long enough, and the content of whatever is deleted and nobody else attached."""
        if self._files is None:
            return 0
        async with db.begin() as tx:
            await attachment_store.expire(tx, limit=BATCH)
        done = 0
        while done < MOST_PER_TICK and await self._remove_one(db, self._files):
            done += 1
        return done

    async def _remove_one(self, db: Database, files: AttachmentFiles) -> bool:
        async with db.begin() as tx:
            row = await attachment_store.claim_deleted(tx)
            if row is None:
                return False
            await self._drop(tx, files, row.sha256)
            row.removed_at = tx.now  # if this is rolled back, the content is looked for again and found gone
            return True

    async def _drop(self, tx: Tx, files: AttachmentFiles, digest: str) -> bool:
        await attachment_store.lock_content(tx, digest)
        if await attachment_store.is_needed(tx, digest):
            return False
        await asyncio.to_thread(files.remove, digest)
        return True

    async def sweep(self, db: Database) -> int:
        """Delete content nobody knows of: its sender's process was killed before it could say that it exists."""
        if self._files is None:
            return 0
        done = 0
        for digest in await asyncio.to_thread(list, self._files.old_ones(time.time())):
            async with db.begin() as tx:
                if await self._drop(tx, self._files, digest):
                    log.info("attachment.stray_deleted", digest=digest[:12])
                    done += 1
        return done
