"""What ``signaling`` asks of others, as shapes: people's names, the question's words, media sessions and nodes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core.db import Tx
from core.ids import CallId, QuestionId, UserId

# Display names of these users.
Names = Callable[[Tx, Sequence[UserId]], Awaitable[Mapping[UserId, str]]]
# Title and details of a question.
DescribeQuestion = Callable[[Tx, QuestionId], Awaitable[tuple[str, str]]]
# Where consent to record a call stands: ``possible``, ``state``, ``by``.
RecordingOf = Callable[[Tx, CallId], Awaitable[Any]]
# Keep a browser's statistics: (tx, call_id, side, what it said).
NoteQuality = Callable[[Tx, CallId, str, Any], Awaitable[None]]
# What a consultant lacks for going online: 'rate', 'headline', 'tags', 'payout_account'.
Missing = Callable[[Tx, UserId], Awaitable[Sequence[str]]]
# One part of the snapshot; the meter's takes (tx, user, call_id, role).
Provider = Callable[..., Awaitable[Any]]


class Sessions(Protocol):
    """The media room's book of sessions."""

    async def open(self, tx: Tx, call_id: CallId, customer_id: UserId, consultant_id: UserId) -> None:
        """Let both sides join."""
        ...


class Nodes(Protocol):
    """The way to the media node that carries a call."""

    async def join(self, call_id: CallId, role: str, user_id: UserId) -> Any:
        """Make a peer for this side; returns ``peer_id``, ``sdp``, ``epoch``, ``ice_servers``, ``relay_only``."""
        ...

    async def answer(self, call_id: CallId, peer_id: str, sdp: str) -> None:
        """Hand the browser's answer to the peer."""
        ...

    async def leave(self, call_id: CallId, peer_id: str) -> None:
        """Close the peer."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """Who holds a connection, until when; ``family_id`` names the sign-in its token descends from."""

    user_id: UserId
    roles: frozenset[str]
    family_id: str
    expires_at: datetime


# Proves an access token; raises ``Unauthenticated``.
Authenticate = Callable[[str], Awaitable[Session]]
