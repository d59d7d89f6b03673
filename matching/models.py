"""The tables of ``matching``: questions and files, consultants, matches, requests and offers, outcomes, models."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Computed, Identity, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class QuestionRow(Base):
    """What a customer wants to know."""

    __tablename__ = "question"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID]
    title: Mapped[str]
    details: Mapped[str]
    language: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class AttachmentRow(Base):
    """A file attached to a question, its content under ``sha256``. Deleted: unreadable; removed: gone from disk."""

    __tablename__ = "attachment"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    question_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    name: Mapped[str]
    media_type: Mapped[str]
    bytes: Mapped[int]
    sha256: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class ConsultantRow(Base):
    """Everything the ranker knows about one consultant, fed by events; names stay in ``people``."""

    __tablename__ = "consultant"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    headline: Mapped[str]
    biography: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text))
    time_zone: Mapped[str]
    rate_minor_per_hour: Mapped[int | None]
    currency: Mapped[str | None]
    can_receive: Mapped[bool]
    status: Mapped[str]
    rating_sum: Mapped[int]
    rating_count: Mapped[int]
    response_ms: Mapped[int | None]
    offers_received: Mapped[int]
    offers_accepted: Mapped[int]
    offers_declined: Mapped[int]
    offers_missed: Mapped[int]
    missed_in_a_row: Mapped[int]
    calls: Mapped[int]
    contacts: Mapped[int] = mapped_column(server_default="0")  # calls that went live
    successes: Mapped[int] = mapped_column(server_default="0")  # those that were good advice, see outcomes.succeeded
    ring_token: Mapped[int] = mapped_column(BigInteger, server_default="0")  # rises with every ring; see claims
    # The transaction that last wrote this row (a trigger keeps it): how an index finds what it has not read yet.
    changed_in: Mapped[int] = mapped_column(BigInteger)


class OutcomeRow(Base):
    """What became of one accepted ring; see ``outcomes.Outcome``."""

    __tablename__ = "outcome"

    call_id: Mapped[UUID] = mapped_column(primary_key=True)
    question_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    consultant_id: Mapped[UUID]
    nth: Mapped[int]  # the how-manieth accepted ring of this customer at this consultant
    text: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    language: Mapped[str]
    asked_at: Mapped[datetime]
    accepted_at: Mapped[datetime]
    connected: Mapped[bool]
    completed: Mapped[bool]
    connected_ms: Mapped[int] = mapped_column(BigInteger)
    stars: Mapped[int | None]
    refunded: Mapped[bool]
    succeeded: Mapped[bool] = mapped_column(  # as outcomes.succeeded, for SQL
        Computed("completed AND NOT refunded AND coalesce(stars, 5) >= 4", persisted=True)
    )
    ended_at: Mapped[datetime | None]
    # As on ``consultant``: the transaction that last wrote this row.
    changed_in: Mapped[int] = mapped_column(BigInteger)


class RankingModelRow(Base):
    """One version of the ranking model. ``trained_to`` is None for one that came with the program.

    ``metrics`` are the candidate's and the then active model's on the holdout, ``reasons`` why the gate refused it.
    ``promoted_by`` is None when nobody but the gate decided.
    """

    __tablename__ = "ranking_model"

    version: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str]
    trained_from: Mapped[datetime | None]
    trained_to: Mapped[datetime | None]
    samples: Mapped[int]
    metrics: Mapped[dict[str, Any]]
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    state: Mapped[str]
    made_at: Mapped[datetime]
    promoted_at: Mapped[datetime | None]
    promoted_by: Mapped[UUID | None]
    reason: Mapped[str]


class RefitRow(Base):
    """One run of the refit: ``stage`` says how far it is, ``outcome`` how it ended."""

    __tablename__ = "refit"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    started_by: Mapped[UUID | None]
    stage: Mapped[str]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    version: Mapped[str | None]
    training: Mapped[int]
    holdout: Mapped[int]


class MatchingDayRow(Base):
    """The figures of one day, of all questions (``model_version`` empty) or of those one version ranked."""

    __tablename__ = "matching_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    model_version: Mapped[str] = mapped_column(primary_key=True)
    figures: Mapped[dict[str, Any]]
    computed_at: Mapped[datetime]


class CustomerStandingRow(Base):
    """How consultants rated a customer; shown on the ring."""

    __tablename__ = "customer_standing"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    rating_sum: Mapped[int]
    rating_count: Mapped[int]


class BlockRow(Base):
    """Two people who are never matched; looked up in both directions."""

    __tablename__ = "match_block"

    blocker_id: Mapped[UUID] = mapped_column(primary_key=True)
    blocked_id: Mapped[UUID] = mapped_column(primary_key=True)


class QuestionMatchRow(Base):
    """One ranking as it was shown or rung: model version, weights, inputs and result, enough to compute it again."""

    __tablename__ = "question_match"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    question_id: Mapped[UUID]
    at: Mapped[datetime]
    purpose: Mapped[str]
    model_version: Mapped[str]
    inputs: Mapped[dict[str, Any]]
    results: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class RequestRow(Base):
    """A customer's wish to talk now, with the price they consented to.

    Only who speaks ``language`` and is rated ``min_stars`` on the mean is rung; None where the customer did not say.
    """

    __tablename__ = "request"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID]
    question_id: Mapped[UUID]
    chosen_id: Mapped[UUID | None]
    idempotency_key: Mapped[UUID]
    max_rate_minor_per_hour: Mapped[int]
    currency: Mapped[str]
    language: Mapped[str | None]
    min_stars: Mapped[int | None]
    cap_minor: Mapped[int]
    terms_version: Mapped[str]
    consented_at: Mapped[datetime]
    state: Mapped[str]
    created_at: Mapped[datetime]
    promise_at: Mapped[datetime]
    give_up_at: Mapped[datetime]
    waiting_over: Mapped[bool]
    due_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    close_reason: Mapped[str | None]
    call_id: Mapped[UUID | None]
    call_ended_at: Mapped[datetime | None]


class OfferRow(Base):
    """One ring at one consultant, with the rate and the reasons shown to them."""

    __tablename__ = "offer"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID]
    consultant_id: Mapped[UUID]
    token: Mapped[int] = mapped_column(BigInteger, server_default="0")  # the consultant's ring_token of that ring
    state: Mapped[str]
    rate_minor_per_hour: Mapped[int]
    currency: Mapped[str]
    match_id: Mapped[int | None] = mapped_column(BigInteger)
    score_centi: Mapped[int]
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    rings_until: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    decline_reason: Mapped[str | None]
    decline_note: Mapped[str | None]


class RequestStageRow(Base):
    """One timed step of a request, from ``requested`` to ``connected``."""

    __tablename__ = "request_stage"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    request_id: Mapped[UUID]
    stage: Mapped[str]
    at: Mapped[datetime]
    consultant_id: Mapped[UUID | None]


class PromiseCreditRow(Base):
    """What a customer is owed because nobody answered within the promise; one for a request, never changed."""

    __tablename__ = "promise_credit"

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    rule: Mapped[str]
    missed_at: Mapped[datetime]


class OnlineWishRow(Base):
    """*Tell me when somebody is online*, for one question; ``due_at``: somebody may be, so it is worth a look."""

    __tablename__ = "online_wish"

    question_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    consultant_id: Mapped[UUID | None]
