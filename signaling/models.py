"""The tables of ``signaling``: call and its participants, peers and chat; presence and its spans."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class CallRow(Base):
    """One call between a customer and a consultant; ``deadline_at`` is when the worker ends it.

    ``continues_call_id`` is the lost call that this one goes on with.
    """

    __tablename__ = "call"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reference: Mapped[str]
    request_id: Mapped[UUID]
    question_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    consultant_id: Mapped[UUID]
    state: Mapped[str]
    close_reason: Mapped[str | None]
    media_ready: Mapped[bool]
    created_at: Mapped[datetime]
    live_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None]
    pause: Mapped[str]
    pause_by: Mapped[str | None]
    pause_since: Mapped[datetime | None]
    chat_seq: Mapped[int]
    media_epoch: Mapped[int]
    continues_call_id: Mapped[UUID | None] = mapped_column(ForeignKey("call.id"), default=None)


class ParticipantRow(Base):
    """One side of a call: whether the server sees its media, and what it says it is sending."""

    __tablename__ = "call_participant"

    call_id: Mapped[UUID] = mapped_column(ForeignKey("call.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    seen: Mapped[bool]
    last_seen_at: Mapped[datetime | None]
    microphone: Mapped[bool]
    camera: Mapped[bool]
    screen: Mapped[bool]
    video_held: Mapped[bool] = mapped_column(server_default="false")


class PeerRow(Base):
    """A peer connection the media node offered to one side; the newest not replaced one is in use."""

    __tablename__ = "call_peer"

    call_id: Mapped[UUID] = mapped_column(ForeignKey("call.id"), primary_key=True)
    peer_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    joined_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]


class ChatRow(Base):
    """One chat message; ``seq`` counts from 1 without gaps within a call."""

    __tablename__ = "chat_message"

    call_id: Mapped[UUID] = mapped_column(ForeignKey("call.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[str]
    author_id: Mapped[UUID]
    author_role: Mapped[str]
    text: Mapped[str]
    sent_at: Mapped[datetime]


class PresenceRow(Base):
    """A consultant's switch and heartbeat; ``status`` is what was last published."""

    __tablename__ = "presence"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    switched_on: Mapped[bool]
    status: Mapped[str]
    away_reason: Mapped[str | None]
    last_seen_at: Mapped[datetime | None]
    call_id: Mapped[UUID | None]
    span: Mapped[int]


class SpanRow(Base):
    """A stretch of time a consultant spent in one status other than offline; the open one has no end."""

    __tablename__ = "presence_span"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("presence.user_id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
