"""The presence service: a consultant's switch, heartbeat and live status; the truth is in PostgreSQL."""

from datetime import datetime, timedelta
from typing import Protocol

from core.db import Database, Tx
from core.errors import Refused
from core.ids import UserId
from core.settings import Settings
from matching.events import OfferMissed
from signaling import store
from signaling.events import CallEnded, CallOpened, PresenceChanged
from signaling.models import PresenceRow
from signaling.ports import Missing
from signaling.status import Facts, Status, status_of
from signaling.views import PresenceView

MISSES_UNTIL_AWAY = 2
# Heartbeats come every 10 s from each tab; anything sooner after a written one tells nothing new.
WRITE_EVERY = timedelta(seconds=9)


class AccountReadiness(Protocol):
    """Billing's event about a connected account, taken by shape."""

    @property
    def user_id(self) -> UserId:
        """The consultant."""
        ...

    @property
    def can_receive(self) -> bool:
        """Whether transfers arrive."""
        ...


class PresenceService:
    """Every change ends in ``_settle``, which alone derives and publishes the status."""

    def __init__(self, *, settings: Settings, missing: Missing) -> None:
        self._grace = timedelta(seconds=settings.presence_grace_s)
        self._missing = missing

    async def set_online(self, tx: Tx, user: UserId, online: bool) -> PresenceView:
        """Turn the switch. Turning it on also ends ``away``; refused while something is missing."""
        missing = list(await self._missing(tx, user))
        if online and missing:
            raise Refused(
                "You can go online once your profile is complete and you can be paid.",
                code="not_ready",
                missing=missing,
            )
        row = await store.lock_presence(tx, user)
        row.switched_on = online
        row.away_reason = None
        if online:
            row.last_seen_at = tx.now  # the one who turned it is there
        tx.touch([user])
        await self._settle(tx, row)
        return _view(row, missing)

    async def heartbeat(self, tx: Tx, user: UserId, *, force: bool = False) -> None:
        """Note that the consultant's tab is alive; ``force`` writes even if a moment ago was written."""
        row = await store.presence(tx, user)
        if row is None or (not row.switched_on and row.call_id is None):
            return
        recent = row.last_seen_at is not None and tx.now - row.last_seen_at < WRITE_EVERY
        if recent and row.status != Status.OFFLINE and not force:
            return
        row = await store.lock_presence(tx, user)
        await self._settle(tx, row)  # a gap nobody noticed, because no worker was there, is not online time
        row.last_seen_at = tx.now
        await self._settle(tx, row)

    async def view(self, tx: Tx, user: UserId) -> PresenceView:
        """The switch as its owner sees it."""
        row = await store.presence(tx, user)
        missing = list(await self._missing(tx, user))
        if row is None:
            return PresenceView(
                status="offline", switched_on=False, can_go_online=not missing, missing=missing, away_reason=None
            )
        return _view(row, missing)

    async def spent_ms(self, tx: Tx, user: UserId, since: datetime) -> dict[Status, int]:
        """How long this consultant was in each status since ``since``."""
        spent = dict.fromkeys(Status, 0)
        for span in await store.spans_since(tx, user, since):
            until = span.ended_at or tx.now
            spent[Status(span.status)] += (until - max(span.started_at, since)) // timedelta(milliseconds=1)
        return spent

    async def on_offer_missed(self, tx: Tx, event: OfferMissed) -> None:
        """Two rings in a row unanswered: away, until the consultant clicks."""
        if event.consecutive < MISSES_UNTIL_AWAY:
            return
        row = await store.lock_presence(tx, event.consultant_id)
        row.away_reason = "missed_rings"
        tx.touch([event.consultant_id])
        await self._settle(tx, row)

    async def on_call_opened(self, tx: Tx, event: CallOpened) -> None:
        """The consultant is in a meeting from accept on, before anything is held or seen."""
        row = await store.lock_presence(tx, event.consultant_id)
        row.call_id = event.call_id
        await self._settle(tx, row)

    async def on_call_ended(self, tx: Tx, event: CallEnded) -> None:
        """Back to what it was before the call."""
        row = await store.lock_presence(tx, event.consultant_id)
        if row.call_id == event.call_id:
            row.call_id = None
            await self._settle(tx, row)

    async def on_payout_account_changed(self, tx: Tx, event: AccountReadiness) -> None:
        """Who cannot be paid cannot be online."""
        row = await store.presence(tx, event.user_id)
        tx.touch([event.user_id])
        if event.can_receive or row is None or not row.switched_on:
            return
        row = await store.lock_presence(tx, event.user_id)
        row.switched_on = False
        await self._settle(tx, row)

    async def run_due(self, db: Database) -> int:
        """Show as offline everyone whose last heartbeat is older than the grace; the switch stays remembered."""
        silent = 0
        while True:
            async with db.begin() as tx:
                row = await store.claim_silent_presence(tx, tx.now - self._grace)
                if row is None:
                    return silent
                await self._settle(tx, row)
                silent += 1

    async def _settle(self, tx: Tx, row: PresenceRow) -> None:
        """Derive the status; if it is another one, book the time spent in the last and tell everybody."""
        facts = Facts(
            switched_on=row.switched_on,
            in_call=row.call_id is not None,
            away=row.away_reason is not None,
            last_seen_at=row.last_seen_at,
        )
        status = status_of(facts, now=tx.now, grace=self._grace)
        if row.status == status:
            return
        await store.close_span(tx, row, self._until(tx, row, status))
        row.status = status
        if status is not Status.OFFLINE:
            await store.open_span(tx, row)
        tx.touch([row.user_id])
        tx.signal("directory", f"{row.user_id}:{status}")
        await tx.publish(PresenceChanged(UserId(row.user_id), status))

    def _until(self, tx: Tx, row: PresenceRow, status: Status) -> datetime:
        """When the last status ended: now, or the end of the grace when it is only noticed after it.

        A worker that was dead for an hour must not make an hour of online time out of a tab that was closed.
        """
        if status is not Status.OFFLINE or not row.switched_on or row.last_seen_at is None:
            return tx.now
        if row.status == Status.IN_MEETING:  # the call kept it there, heartbeats or none
            return tx.now
        return min(tx.now, row.last_seen_at + self._grace)


def _view(row: PresenceRow, missing: list[str]) -> PresenceView:
    return PresenceView(
        status=Status(row.status).value,
        switched_on=row.switched_on,
        can_go_online=not missing,
        missing=missing,
        away_reason=row.away_reason,
    )
