"""The sockets of this process: who holds which, until when, with which media peers."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.ids import CallId, UserId
from signaling.ports import Session


@dataclass(slots=True)
class Socket:
    """One connected tab or device."""

    sid: str
    session: Session
    token: str  # kept in memory only, to prove it again after revocations may have been missed
    peers: dict[CallId, str] = field(default_factory=dict)
    # One at a time per subject: an answer must not overtake the join before it.
    locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))


class Sockets:
    """Found by socket id, by user and by family."""

    def __init__(self) -> None:
        self._by_sid: dict[str, Socket] = {}
        self._by_user: defaultdict[UserId, dict[str, Socket]] = defaultdict(dict)

    def __iter__(self) -> Iterator[Socket]:
        return iter(list(self._by_sid.values()))

    def __len__(self) -> int:
        return len(self._by_sid)

    def add(self, socket: Socket) -> None:
        """Remember a socket."""
        self._by_sid[socket.sid] = socket
        self._by_user[socket.session.user_id][socket.sid] = socket

    def remove(self, sid: str) -> Socket | None:
        """Forget a socket; returns it, or None if it was never (or no longer) there."""
        socket = self._by_sid.pop(sid, None)
        if socket is not None:
            mine = self._by_user[socket.session.user_id]
            mine.pop(sid, None)
            if not mine:
                del self._by_user[socket.session.user_id]
        return socket

    def get(self, sid: str) -> Socket | None:
        """The socket with this id."""
        return self._by_sid.get(sid)

    def of(self, user: UserId, family_id: str | None = None) -> list[Socket]:
        """The user's sockets here; of one family only, if given."""
        mine = self._by_user.get(user, {}).values()
        return [socket for socket in mine if family_id is None or socket.session.family_id == family_id]

    def users(self) -> list[UserId]:
        """Everyone with a socket here."""
        return list(self._by_user)
