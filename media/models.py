"""The tables of ``media``: sessions, the intervals that were observed, and the nodes that observe."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class MediaSession(Base):
    """The media side of one call: which node carries it, and whether it may run.

    ``epoch`` counts how often its media moved; a client that joined in an earlier one must join again.
    ``recording`` is computed by the database from both consents: nobody can set it.
    """

    __tablename__ = "media_session"
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 - an update brings back what the database computed
    __table_args__ = (
        CheckConstraint("state IN ('open', 'closing', 'closed')", name="state"),
        Index("ix_media_session_living", "node_id", postgresql_where=text("state <> 'closed'")),
    )

    call_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID]
    consultant_id: Mapped[UUID]
    node_id: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="open")
    paused: Mapped[bool] = mapped_column(server_default="false")
    epoch: Mapped[int] = mapped_column(Integer, server_default="0")
    recording_customer: Mapped[bool] = mapped_column(server_default="false")
    recording_consultant: Mapped[bool] = mapped_column(server_default="false")
    recording: Mapped[bool] = mapped_column(Computed("recording_customer AND recording_consultant", persisted=True))
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ObservedInterval(Base):
    """A stretch in which a side (or both) was seen. ``duration_ms`` is monotonic; ``started_at`` is a label."""

    __tablename__ = "observed_interval"
    __table_args__ = (
        CheckConstraint("side IN ('customer', 'consultant', 'both')", name="side"),
        CheckConstraint("duration_ms >= 0", name="duration"),
        Index("ix_observed_interval_open", "node_id", postgresql_where=text("open")),
    )

    call_id: Mapped[UUID] = mapped_column(ForeignKey("media_session.call_id"), primary_key=True)
    side: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    started_at: Mapped[datetime]
    duration_ms: Mapped[int] = mapped_column(BigInteger)
    open: Mapped[bool]
    node_id: Mapped[str]
    cause: Mapped[str | None]


class RecordingConsent(Base):
    """What a side said about recording a call, in order; never changed."""

    __tablename__ = "recording_consent"
    __table_args__ = (CheckConstraint("side IN ('customer', 'consultant')", name="side"),)

    call_id: Mapped[UUID] = mapped_column(ForeignKey("media_session.call_id"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    side: Mapped[str]
    user_id: Mapped[UUID]
    given: Mapped[bool]
    at: Mapped[datetime]


class RecordingFile(Base):
    """One file of one side, named by its id. ``started_at`` is its time zero; the other side's has the same."""

    __tablename__ = "recording_file"
    __table_args__ = (
        CheckConstraint("side IN ('customer', 'consultant')", name="side"),
        Index("ix_recording_file_call", "call_id", "started_at"),
        Index("ix_recording_file_expires", "expires_at", postgresql_where=text("deleted_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_id: Mapped[UUID] = mapped_column(ForeignKey("media_session.call_id"))
    side: Mapped[str]
    node_id: Mapped[str]
    started_at: Mapped[datetime]
    finished: Mapped[bool] = mapped_column(server_default="false")
    duration_ms: Mapped[int] = mapped_column(BigInteger, server_default="0")
    bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    expires_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class QualitySample(Base):
    """Two seconds of one side's connection: what it sent as the node saw it, or what it received as it says itself."""

    __tablename__ = "call_quality"
    __table_args__ = (
        CheckConstraint("side IN ('customer', 'consultant')", name="side"),
        CheckConstraint("source IN ('server', 'client')", name="source"),
        CheckConstraint("loss_permille BETWEEN 0 AND 1000", name="loss"),
    )

    call_id: Mapped[UUID] = mapped_column(ForeignKey("media_session.call_id"), primary_key=True)
    side: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    rtt_ms: Mapped[int | None] = mapped_column(Integer)
    loss_permille: Mapped[int] = mapped_column(Integer)
    jitter_ms: Mapped[int] = mapped_column(Integer)
    kbps: Mapped[int] = mapped_column(Integer)
    freezes: Mapped[int] = mapped_column(Integer, server_default="0")
    video_held: Mapped[bool] = mapped_column(server_default="false")


class MediaNodeRow(Base):
    """A media process: where its control API answers, how busy it is, and when it was last heard of (its lease).

    ``capacity`` is the number of calls it takes, ``load_permille`` its share of one core.
    """

    __tablename__ = "media_node"

    id: Mapped[str] = mapped_column(primary_key=True)
    control_url: Mapped[str]
    calls: Mapped[int] = mapped_column(Integer)
    capacity: Mapped[int] = mapped_column(Integer, server_default="1")
    load_permille: Mapped[int] = mapped_column(Integer, server_default="0")
    draining: Mapped[bool] = mapped_column(server_default="false")
    last_seen_at: Mapped[datetime]
