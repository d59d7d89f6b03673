"""A call as a client sees it: the row joined with the other side's name and the question's words."""

from collections.abc import Mapping
from uuid import UUID

from core.cursors import cursor_of, place
from core.db import Tx
from core.ids import CallId, QuestionId, UserId
from core.settings import Settings
from signaling import store
from signaling.call import Role, State
from signaling.models import CallRow
from signaling.pause import Pause
from signaling.ports import DescribeQuestion, Names, RecordingOf
from signaling.views import (
    CallQuestion,
    CallSummary,
    CallView,
    Participant,
    Participants,
    PauseView,
    Person,
    RecordingView,
)


class CallViews:
    """Builds views; changes nothing."""

    def __init__(
        self, *, settings: Settings, names: Names, describe_question: DescribeQuestion, recording_of: RecordingOf
    ) -> None:
        self._recording_of = recording_of
        self._demo = settings.environment in ("demo", "test")
        self._names = names
        self._describe = describe_question

    async def whole(self, tx: Tx, row: CallRow, role: Role) -> CallView:
        """The call, seen from ``role``."""
        sides = await store.participants(tx, row.id)
        other = _other(row, role)
        names = await self._names(tx, [other])
        title, details = await self._describe(tx, QuestionId(row.question_id))
        awaited = row.media_ready or row.state == State.INTERRUPTED
        return CallView(
            id=row.id,
            reference=row.reference,
            state=State(row.state).value,
            close_reason=row.close_reason,
            role=role.value,
            other=_person(other, names),
            question=CallQuestion(id=row.question_id, title=title, details=details),
            created_at=row.created_at,
            live_at=row.live_at,
            ended_at=row.ended_at,
            deadline_at=row.deadline_at if awaited else None,
            media_ready=row.media_ready,
            media_epoch=row.media_epoch,
            participants=Participants(
                customer=Participant.model_validate(sides[Role.CUSTOMER]),
                consultant=Participant.model_validate(sides[Role.CONSULTANT]),
            ),
            pause=_pause(row),
            recording=RecordingView.model_validate(await self._recording_of(tx, CallId(row.id))),
            demo=self._demo,
            continues_call_id=row.continues_call_id,
        )

    async def history(
        self, tx: Tx, user: UserId, *, cursor: str | None, limit: int
    ) -> tuple[list[CallSummary], str | None]:
        """A page of summaries and the cursor of the next one."""
        rows = await store.calls_before(tx, user, place(cursor, UUID) if cursor else None, limit + 1)
        page = list(rows[:limit])
        roles = {row.id: Role.CUSTOMER if row.customer_id == user else Role.CONSULTANT for row in page}
        names = await self._names(tx, [_other(row, roles[row.id]) for row in page]) if page else {}
        items = [await self._summary(tx, row, roles[row.id], names) for row in page]
        return items, (cursor_of(page[-1].created_at, page[-1].id) if len(rows) > limit else None)

    async def _summary(self, tx: Tx, row: CallRow, role: Role, names: Mapping[UserId, str]) -> CallSummary:
        title, _ = await self._describe(tx, QuestionId(row.question_id))
        return CallSummary(
            id=row.id,
            reference=row.reference,
            state=State(row.state).value,
            close_reason=row.close_reason,
            role=role.value,
            other=_person(_other(row, role), names),
            question_title=title,
            created_at=row.created_at,
            live_at=row.live_at,
            ended_at=row.ended_at,
            continues_call_id=row.continues_call_id,
        )


def _other(row: CallRow, role: Role) -> UserId:
    return UserId(row.consultant_id if role is Role.CUSTOMER else row.customer_id)


def _person(user: UserId, names: Mapping[UserId, str]) -> Person:
    return Person(user_id=user, display_name=names.get(user, ""))


def _pause(row: CallRow) -> PauseView | None:
    if row.pause == Pause.NONE or row.pause_by is None or row.pause_since is None:
        return None
    state = "agreed" if row.pause == Pause.AGREED else "proposed"
    return PauseView(state=state, by=Role(row.pause_by).value, since=row.pause_since)
