"""MailService: carries what the outbox holds, exactly one letter a fact as far as a relay allows it.

A row is leased before its letter goes out and closed afterwards. A worker that dies in between leaves it to be sent
again, under the same Message-ID: of two equal letters a mailbox can tell that they are one.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from sqlalchemy import select

from billing.mails.letters import Reader, write
from billing.mails.models import MailRow
from billing.mails.outbox import Kind
from core import logs
from core.db import Database, Tx
from core.errors import Refused, Upstream
from core.ids import UserId
from core.mail import Letter, Mailer

log = logs.get(__name__)

# Longer than a relay may take to answer. It grows with each attempt: letters that always fail in a way nobody expected
# must not use up the ticks of all the others.
LEASE = timedelta(minutes=1)
LONGEST_LEASE = timedelta(hours=1)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
LATE = timedelta(days=3)  # what could not be told by then is on the page, and would only be news of the past


class Outcome(StrEnum):
    """What became of a letter."""

    SENT = "sent"
    REFUSED = "refused"  # the relay will never take it
    NOBODY = "nobody"  # there is no such person any more
    MOOT = "moot"  # what it would tell no longer holds
    LATE = "late"


class ReaderOf(Protocol):
    """Whom a person's letters go to; the wiring says who answers."""

    async def __call__(self, tx: Tx, user: UserId, /) -> Reader | None:
        """None when there is no such person."""
        ...


class MailService:
    """Sends what is due, one letter after the other; several workers share the rows, not the letters."""

    def __init__(self, *, mailer: Mailer | None, reader: ReaderOf, public_url: str) -> None:
        self._mailer = mailer
        self._reader = reader
        self._public_url = public_url

    async def run_due(self, db: Database) -> int:
        """Send every letter that is due; returns how many went out. Without a mailer nothing is due."""
        sent = 0
        while self._mailer is not None:
            async with db.begin() as tx:
                row = await _lease(tx)
            if row is None:
                break
            sent += await self._carry(db, self._mailer, row)
        return sent

    async def _carry(self, db: Database, mailer: Mailer, leased: MailRow) -> int:
        """Write and send one letter; an unexpected failure leaves it to the end of its lease, and the others go on."""
        async with db.begin() as tx:
            letter = await self._letter(tx, leased)
        outcome = letter if isinstance(letter, Outcome) else await _handed_over(mailer, letter, leased)
        async with db.begin() as tx:
            row = await tx.session.get_one(MailRow, leased.key, with_for_update=True)
            if row.outcome is None:
                _close(tx, row, outcome)
        return int(outcome is Outcome.SENT)

    async def _letter(self, tx: Tx, row: MailRow) -> Letter | Outcome:
        """The letter, or why there is none."""
        if tx.now - row.noted_at > LATE:
            return Outcome.LATE
        reader = await self._reader(tx, UserId(row.user_id))
        if reader is None:
            return Outcome.NOBODY
        written = await write(tx, Kind(row.kind), row.subject_id, reader, self._public_url)
        if written is None:
            return Outcome.MOOT
        return Letter(row.key, reader.email, written.subject, written.text, reader.locale, row.noted_at)


async def _handed_over(mailer: Mailer, letter: Letter, row: MailRow) -> Outcome | None:
    """What the relay said; None when it wants, or has, to be asked again."""
    try:
        await mailer.send(letter)
    except Upstream as error:
        log.warning("mail.postponed", key=row.key, attempts=row.attempts, why=error.message)
        return None
    except Refused:
        return Outcome.REFUSED
    return Outcome.SENT


async def _lease(tx: Tx) -> MailRow | None:
    """Take the row that has been due for longest; rows that another worker has in hand are passed over."""
    query = select(MailRow).where(MailRow.due_at <= tx.now).order_by(MailRow.due_at).limit(1)
    row = (await tx.session.scalars(query.with_for_update(skip_locked=True))).one_or_none()
    if row is not None:
        row.attempts += 1
        row.due_at = tx.now + min(LEASE * row.attempts, LONGEST_LEASE)
    return row


def _close(tx: Tx, row: MailRow, outcome: Outcome | None) -> None:
    if outcome is None:
        row.due_at = tx.now + min(FIRST_PAUSE * 2 ** min(row.attempts - 1, 10), LONGEST_PAUSE)
        return
    row.outcome, row.finished_at, row.due_at = outcome, tx.now, None
    log.info("mail.closed", key=row.key, outcome=outcome, attempts=row.attempts)
