"""The call service: opens, advances and ends calls; the only writer of their state."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from core import logs
from core.db import Database, Tx
from core.errors import Conflict, NotFound, Refused
from core.ids import CallId, QuestionId, RequestId, UserId
from core.settings import Settings
from matching.events import OfferAccepted
from media.events import IntervalClosed, IntervalOpened, MediaMoved, ParticipantSeen, ParticipantUnseen
from people.events import AccessRevoked, UserBlocked
from signaling import opening, store
from signaling import pause as pauses
from signaling.call import CloseReason, Move, Role, State, advance, overdue
from signaling.call_views import CallViews
from signaling.events import CallEnded, CallOpened, CallPaused, CallResumed, CallWentLive
from signaling.models import CallRow
from signaling.pause import Pause, PauseAction
from signaling.ports import Sessions
from signaling.views import CallSummary, CallView

log = logs.get(__name__)

# Causes of a closed interval that mean: a side is gone. The others are wanted (pause, end, demo clock).
LOSSES = ("customer_unseen", "consultant_unseen", "node_lost")


class AboutCall(Protocol):
    """Any event that names a call; billing's are taken by shape, for ``signaling`` never imports it."""

    @property
    def call_id(self) -> CallId:
        """The call."""
        ...


class HoldRefused(AboutCall, Protocol):
    """The hold failed; ``reason`` is a ``CloseReason``."""

    @property
    def reason(self) -> str:
        """Why."""
        ...


@dataclass(frozen=True, slots=True)
class ActiveCall:
    """The call a user is in right now."""

    call_id: CallId
    role: Role
    state: State


class CallService:
    """Use cases and event handlers of calls."""

    def __init__(self, *, settings: Settings, sessions: Sessions, views: CallViews) -> None:
        self._sessions = sessions
        self._views = views
        self._join = timedelta(seconds=settings.prepare_join_s)
        self._lost = timedelta(seconds=settings.lost_s)
        # Billing ends a hold that nobody confirms; this is the net below it, should billing's provider be down.
        self._prepare = timedelta(seconds=settings.authenticate_s + settings.prepare_join_s)

    # ── accept → hold ────────────────────────────────────────────────────────────────────────────────────────

    async def on_offer_accepted(self, tx: Tx, event: OfferAccepted) -> None:
        """Open the call; the hold comes next."""
        row = await opening.open_call(
            tx,
            call_id=event.call_id,
            request_id=event.request_id,
            question_id=event.question_id,
            customer_id=event.customer_id,
            consultant_id=event.consultant_id,
            deadline_at=tx.now + self._prepare,
        )
        tx.touch([event.customer_id, event.consultant_id])
        await tx.publish(
            CallOpened(
                call_id=event.call_id,
                reference=row.reference,
                request_id=event.request_id,
                question_id=event.question_id,
                customer_id=event.customer_id,
                consultant_id=event.consultant_id,
                rate_minor_per_hour=event.rate_minor_per_hour,
                max_rate_minor_per_hour=event.max_rate_minor_per_hour,
                currency=event.currency,
                cap_minor=event.cap_minor,
                terms_version=event.terms_version,
                consented_at_iso=event.consented_at_iso,
            )
        )

    async def on_hold_placed(self, tx: Tx, event: AboutCall) -> None:
        """The hold stands, or comes later: let media start; both sides now have a minute to join."""
        row = await self._lock(tx, event.call_id)
        if row.state != State.PREPARING or row.media_ready:
            return
        row.media_ready = True
        row.deadline_at = tx.now + self._join
        self._touch(tx, row)
        await self._sessions.open(tx, event.call_id, UserId(row.customer_id), UserId(row.consultant_id))

    async def on_hold_failed(self, tx: Tx, event: HoldRefused) -> None:
        """No money can be held, before media or when it begins to cost: the call ends kindly for both."""
        await self.end(tx, event.call_id, CloseReason(event.reason))

    # ── what the server sees ─────────────────────────────────────────────────────────────────────────────────

    async def on_participant_seen(self, tx: Tx, event: ParticipantSeen) -> None:
        """A side sends. In an agreed pause no interval will open, so being both there is what reconnects."""
        row = await self._lock(tx, event.call_id)
        sides = await store.participants(tx, row.id)
        side = sides[Role(event.role)]
        side.seen, side.last_seen_at = True, event.at
        if row.pause == Pause.AGREED and row.state == State.INTERRUPTED and all(s.seen for s in sides.values()):
            self._reconnect(row)
        self._touch(tx, row)

    async def on_participant_unseen(self, tx: Tx, event: ParticipantUnseen) -> None:
        """A side is gone: from now it has 90 s to come back."""
        row = await self._lock(tx, event.call_id)
        side = (await store.participants(tx, row.id))[Role(event.role)]
        side.seen, side.last_seen_at = False, event.last_packet_at
        self._interrupt(tx, row)
        self._touch(tx, row)

    async def on_interval_opened(self, tx: Tx, event: IntervalOpened) -> None:
        """Both sides are seen: the call is live."""
        row = await self._lock(tx, event.call_id)
        self._touch(tx, row)
        if row.state not in (State.PREPARING, State.INTERRUPTED):
            return
        first = row.live_at is None
        self._reconnect(row)
        if first:
            row.live_at = event.started_at
            await tx.publish(CallWentLive(event.call_id, UserId(row.customer_id), UserId(row.consultant_id)))

    async def on_interval_closed(self, tx: Tx, event: IntervalClosed) -> None:
        """Connected time stopped; whether that is a loss depends on the cause."""
        row = await self._lock(tx, event.call_id)
        if event.cause == "node_lost":  # nobody is left to report the sides one by one
            await store.unsee_everyone(tx, row.id)
        if event.cause in LOSSES:
            self._interrupt(tx, row)
        self._touch(tx, row)

    async def on_media_moved(self, tx: Tx, event: MediaMoved) -> None:
        """Another node carries the call from now on; both sides see it in the call and join again."""
        row = await self._lock(tx, event.call_id)
        row.media_epoch = max(row.media_epoch, event.epoch)
        self._touch(tx, row)

    async def on_cap_reached(self, tx: Tx, event: AboutCall) -> None:
        """The paid time is used up."""
        await self.end(tx, event.call_id, CloseReason.CAP_REACHED)

    # ── people ───────────────────────────────────────────────────────────────────────────────────────────────

    async def on_access_revoked(self, tx: Tx, event: AccessRevoked) -> None:
        """Have every web process close these sockets; an account that is gone altogether leaves its call too."""
        tx.signal("revoked", f"{event.user_id}:{event.family_id or ''}")
        if event.family_id is None and event.reason == "disabled":
            active = await store.active_call(tx, event.user_id)
            if active is not None:
                await self.end(tx, CallId(active.id), CloseReason.REMOVED)

    async def on_user_blocked(self, tx: Tx, event: UserBlocked) -> None:
        """Whoever blocks the other side of a running call has left it."""
        active = await store.active_call(tx, event.blocker_id)
        if active is not None and event.blocked_id in (active.customer_id, active.consultant_id):
            await self.leave(tx, CallId(active.id), event.blocker_id)

    async def leave(self, tx: Tx, call_id: CallId, user: UserId) -> CallView:
        """End the call for both sides; leaving an ended call changes nothing."""
        role = await self.participants(tx, call_id, user)
        await self.end(tx, call_id, role.left)
        return await self.get(tx, call_id, user)

    async def pause(self, tx: Tx, call_id: CallId, user: UserId, action: PauseAction) -> CallView:
        """Propose, agree to, decline or end a pause."""
        role = await self.participants(tx, call_id, user)
        row = await self._lock(tx, call_id)
        if row.state == State.ENDED or (row.state != State.LIVE and action in (PauseAction.PROPOSE, PauseAction.AGREE)):
            raise Conflict("A pause needs both of you in the call.")
        before = Pause(row.pause)
        proposer = Role(row.pause_by) if row.pause_by else None
        after = pauses.advance(before, action, actor=role, proposer=proposer)
        row.pause, row.pause_since = after, (None if after is Pause.NONE else tx.now)
        row.pause_by = None if after is Pause.NONE else (proposer or role)
        self._touch(tx, row)
        if after is Pause.AGREED:
            await tx.publish(CallPaused(call_id))
        elif before is Pause.AGREED:
            await tx.publish(CallResumed(call_id))
        return await self.get(tx, call_id, user)

    async def set_media_state(
        self,
        tx: Tx,
        call_id: CallId,
        user: UserId,
        *,
        microphone: bool,
        camera: bool,
        screen: bool,
        video_held: bool = False,
    ) -> None:
        """Note what a side says it is sending, for the other side's icons."""
        role = await self.participants(tx, call_id, user)
        row = await self._lock(tx, call_id)
        if row.state == State.ENDED:
            raise Conflict("This call has ended.", code="ended")
        side = (await store.participants(tx, row.id))[role]
        said = (microphone, camera, screen, video_held)
        if (side.microphone, side.camera, side.screen, side.video_held) != said:
            side.microphone, side.camera, side.screen, side.video_held = said
            self._touch(tx, row)

    # ── questions about calls ────────────────────────────────────────────────────────────────────────────────

    async def participants(self, tx: Tx, call_id: CallId, user: UserId) -> Role:
        """This user's side of the call; NotFound for everybody else."""
        return _role(await store.call(tx, call_id), user)

    async def first(self, tx: Tx, call_id: CallId) -> CallId:
        """Where the conversation of this call began: itself, or the call that was lost and gone on with."""
        row = await store.call(tx, call_id)
        while row is not None and row.continues_call_id is not None:
            row = await store.call(tx, CallId(row.continues_call_id))
        if row is None:
            raise NotFound
        return CallId(row.id)

    async def media_role(self, tx: Tx, call_id: CallId, user: UserId) -> Role:
        """This user's side, if media may be negotiated now."""
        row = await store.call(tx, call_id)
        role = _role(row, user)
        assert row is not None
        if row.state == State.ENDED:
            raise Conflict("This call has ended.", code="ended")
        if not row.media_ready:
            raise Refused("The reserve is not confirmed yet; wait for media_ready.", code="not_ready")
        return role

    async def take_over(self, tx: Tx, call_id: CallId, user: UserId, peer_id: str) -> list[str]:
        """Note that this side now talks through ``peer_id``; returns the peers it replaced."""
        role = await self.media_role(tx, call_id, user)
        await self._lock(tx, call_id)  # two devices joining at once come one after the other
        return await store.add_peer(tx, call_id, role, peer_id)

    async def peer_owner(self, tx: Tx, call_id: CallId, user: UserId, peer_id: str) -> Role:
        """This user's side, if ``peer_id`` was given to it."""
        role = await self.media_role(tx, call_id, user)
        if not await store.owns_peer(tx, call_id, role, peer_id):
            raise NotFound
        return role

    async def active_call(self, tx: Tx, user: UserId) -> ActiveCall | None:
        """The call this user is in, if any."""
        row = await store.active_call(tx, user)
        return None if row is None else ActiveCall(CallId(row.id), _role(row, user), State(row.state))

    async def get(self, tx: Tx, call_id: CallId, user: UserId) -> CallView:
        """The call as this user sees it."""
        row = await store.call(tx, call_id)
        role = _role(row, user)
        assert row is not None
        return await self._views.whole(tx, row, role)

    async def current(self, tx: Tx, user: UserId) -> CallView | None:
        """The snapshot's call: the running one, or one that ended less than ten minutes ago."""
        row = await store.latest_call(tx, user)
        if row is None or (row.ended_at is not None and tx.now - row.ended_at > timedelta(minutes=10)):
            return None
        return await self._views.whole(tx, row, _role(row, user))

    async def history(
        self, tx: Tx, user: UserId, *, cursor: str | None = None, limit: int = 20
    ) -> tuple[list[CallSummary], str | None]:
        """A page of this user's calls, newest first, and the cursor of the next page."""
        return await self._views.history(tx, user, cursor=cursor, limit=limit)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def run_due(self, db: Database) -> int:
        """End every call whose deadline has passed, each in its own transaction."""
        ended = 0
        while True:
            async with db.begin() as tx:
                row = await store.claim_overdue_call(tx)
                if row is None:
                    return ended
                await self._end(tx, row, overdue(State(row.state), media_ready=row.media_ready))
                ended += 1

    async def end(self, tx: Tx, call_id: CallId, reason: CloseReason) -> None:
        """End the call for ``reason``; a call that has ended keeps its first reason."""
        row = await self._lock(tx, call_id)
        if row.state != State.ENDED:
            await self._end(tx, row, reason)

    async def _end(self, tx: Tx, row: CallRow, reason: CloseReason) -> None:
        row.state = advance(State(row.state), Move.END)
        row.close_reason, row.ended_at, row.deadline_at = reason, tx.now, None
        row.pause, row.pause_by, row.pause_since = Pause.NONE, None, None
        sides = await store.participants(tx, row.id)
        absent = tuple(sorted(role for role, side in sides.items() if side.last_seen_at is None))
        await store.unsee_everyone(tx, row.id)
        self._touch(tx, row)
        log.info("call.ended", call_id=str(row.id), reason=reason)
        await tx.publish(
            CallEnded(
                call_id=CallId(row.id),
                request_id=RequestId(row.request_id),
                question_id=QuestionId(row.question_id),
                customer_id=UserId(row.customer_id),
                consultant_id=UserId(row.consultant_id),
                reason=reason,
                went_live=row.live_at is not None,
                absent=absent,
            )
        )

    def _interrupt(self, tx: Tx, row: CallRow) -> None:
        if row.state == State.LIVE:
            row.state = advance(State.LIVE, Move.LOSE)
            row.deadline_at = tx.now + self._lost

    def _reconnect(self, row: CallRow) -> None:
        row.state = advance(State(row.state), Move.CONNECT)
        row.deadline_at = None

    async def _lock(self, tx: Tx, call_id: CallId) -> CallRow:
        row = await store.lock_call(tx, call_id)
        if row is None:
            raise NotFound
        return row

    def _touch(self, tx: Tx, row: CallRow) -> None:
        tx.touch([row.customer_id, row.consultant_id])


def _role(row: CallRow | None, user: UserId) -> Role:
    """Which side ``user`` is; NotFound for a stranger, as for a call that does not exist."""
    if row is not None and row.customer_id == user:
        return Role.CUSTOMER
    if row is not None and row.consultant_id == user:
        return Role.CONSULTANT
    raise NotFound
