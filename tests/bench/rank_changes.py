"""What may change about a consultant while questions are ranked, and whether an index knows of it."""

from typing import Final
from uuid import UUID

from sqlalchemy import update

from core.db import Tx
from core.ids import CallId, UserId, new_id
from matching.consultants import consultant_store
from matching.learning import outcomes
from matching.models import OutcomeRow, QuestionRow
from matching.ranking.index.consultant_index import ConsultantIndex


async def _new_profile(tx: Tx, user: UserId) -> None:
    await consultant_store.put(tx, user, headline="Something else entirely")


async def _new_presence(tx: Tx, user: UserId) -> None:
    await consultant_store.put(tx, user, status="offline")


async def _new_rating(tx: Tx, user: UserId) -> None:
    await consultant_store.rate_consultant(tx, user, before=None, after=5)


async def _new_outcome(tx: Tx, user: UserId) -> None:
    call = CallId(new_id())
    text = {"title": "Kubernetes pods restart", "details": "", "language": "en", "tags": []}
    asked = {"created_at": tx.now, "changed_at": tx.now, "state": "answered"}
    question = QuestionRow(id=new_id(), customer_id=new_id(), **text, **asked)
    tx.session.add(question)
    await tx.session.flush()
    await outcomes.begin(tx, question, consultant=user, call=call)
    ended = {"connected": True, "completed": True, "connected_ms": 900_000, "ended_at": tx.now}
    await tx.session.execute(update(OutcomeRow).where(OutcomeRow.call_id == call).values(ended))


CHANGE: Final = {"profile": _new_profile, "presence": _new_presence, "rating": _new_rating, "outcome": _new_outcome}
COLUMN_OF: Final = {"profile": "said", "presence": "status", "rating": "rating_count"}


def known(index: ConsultantIndex, kind: str, user: UUID) -> int:
    """What the index has of this; read from its columns, since asking it properly takes a ranking."""
    if kind == "outcome":
        return len(index.memory)
    return int(index._columns[COLUMN_OF[kind]][index._slot_of(user)])
