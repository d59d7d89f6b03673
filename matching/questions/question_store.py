"""Queries on questions and the matches stored for them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from core.db import Tx
from core.errors import NotFound
from core.ids import QuestionId, UserId
from matching.models import QuestionMatchRow, QuestionRow

SHOWN = "shown"
MOST_SHOWN = 30  # a list is tens of kilobytes, and another filter makes another list


async def own(tx: Tx, customer: UserId, question: QuestionId | UUID, *, lock: bool = False) -> QuestionRow:
    """This customer's question; somebody else's does not exist for them."""
    query = select(QuestionRow).where(QuestionRow.id == question, QuestionRow.customer_id == customer)
    if lock:
        query = query.with_for_update(key_share=True)
    found = await tx.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


async def get(tx: Tx, question: UUID, *, lock: bool = False) -> QuestionRow:
    """Any question, for the room's own use."""
    query = select(QuestionRow).where(QuestionRow.id == question)
    query = query.with_for_update(key_share=True) if lock else query
    found = await tx.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


async def of_customer(tx: Tx, customer: UserId, *, limit: int = 100) -> Sequence[QuestionRow]:
    """A customer's questions, newest first."""
    query = select(QuestionRow).where(QuestionRow.customer_id == customer)
    return (await tx.session.scalars(query.order_by(QuestionRow.created_at.desc(), QuestionRow.id).limit(limit))).all()


async def open_of(tx: Tx, customer: UserId, *, limit: int = 50) -> Sequence[QuestionRow]:
    """A customer's open questions, newest first."""
    row = QuestionRow
    query = select(row).where(row.customer_id == customer, row.state == "open")
    return (await tx.session.scalars(query.order_by(row.created_at.desc(), row.id).limit(limit))).all()


async def keep_match(
    tx: Tx,
    *,
    question: UUID,
    purpose: str,
    model_version: str,
    inputs: dict[str, Any],
    results: list[dict[str, Any]],
) -> int:
    """Store a ranking and return its id; the same one seen again (a reload) is not stored twice.

    A list that is only looked at is kept ``MOST_SHOWN`` times a question; from then on the latest stands for all.
    """
    row = QuestionMatchRow
    latest = await tx.session.scalar(
        select(row).where(row.question_id == question, row.purpose == purpose).order_by(row.id.desc()).limit(1)
    )
    if latest is not None and (latest.model_version, latest.inputs, latest.results) == (model_version, inputs, results):
        return latest.id
    if latest is not None and purpose == SHOWN and await _count(tx, question, purpose) >= MOST_SHOWN:
        return latest.id
    kept = QuestionMatchRow(
        question_id=question,
        at=tx.now,
        purpose=purpose,
        model_version=model_version,
        inputs=inputs,
        results=results,
    )
    tx.session.add(kept)
    await tx.session.flush()
    return kept.id


async def _count(tx: Tx, question: UUID, purpose: str) -> int:
    row = QuestionMatchRow
    query = select(func.count()).where(row.question_id == question, row.purpose == purpose)
    return int(await tx.session.scalar(query) or 0)


async def matches_of(tx: Tx, question: UUID) -> Sequence[QuestionMatchRow]:
    """Every stored ranking of a question, oldest first."""
    query = select(QuestionMatchRow).where(QuestionMatchRow.question_id == question).order_by(QuestionMatchRow.id)
    return (await tx.session.scalars(query)).all()
