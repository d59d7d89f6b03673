"""The evidence chain, PURE: every entry of a charge's timeline carries the hash of everything before it.

``hash = sha256(previous_hash + body)``, both as text in UTF-8, written in lower-case hexadecimal. The first
``previous_hash`` is the sha256 of the charge's id, so that no chain can be passed off as another charge's.
The database computes the same in a trigger (migration 0011); nobody else writes these columns.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

from billing.proof.canonical import canonical


class Row(Protocol):
    """An entry as it is stored: what it says, and its place in the chain."""

    @property
    def charge_id(self) -> UUID:
        """Whose timeline it is."""
        ...

    @property
    def n(self) -> int:
        """Its number within the charge, from 1."""
        ...

    @property
    def at(self) -> datetime:
        """When."""
        ...

    @property
    def kind(self) -> str:
        """What happened."""
        ...

    @property
    def details(self) -> dict[str, Any]:
        """Its figures."""
        ...

    @property
    def body(self) -> str:
        """The same as the text that is hashed."""
        ...

    @property
    def previous_hash(self) -> str:
        """The hash of the entry before."""
        ...

    @property
    def hash(self) -> str:
        """Its own."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A ``Row`` as a plain value."""

    charge_id: UUID
    n: int
    at: datetime
    kind: str
    details: dict[str, Any]
    body: str
    previous_hash: str
    hash: str


def genesis(charge_id: UUID | str) -> str:
    """What the first entry of a charge builds on."""
    return sha256(str(charge_id).encode()).hexdigest()


def link(previous_hash: str, body: str) -> str:
    """The hash of an entry."""
    return sha256((previous_hash + body).encode()).hexdigest()


def body_of(at: datetime, kind: str, details: dict[str, Any], salt: str | None = None) -> str:
    """The text of an entry that is hashed.

    With the ``salt`` nobody who is shown only the hash can find out, by trying, what the entry says.
    """
    entry: dict[str, Any] = {"at": stamp(at), "kind": kind, "details": details}
    return canonical(entry if salt is None else {**entry, "salt": salt})


def _salt_of(body: str) -> str | None:
    """The salt of an entry; those of the first days have none."""
    try:
        read = json.loads(body)
    except ValueError:
        return None
    salt = read.get("salt") if isinstance(read, dict) else None
    return salt if isinstance(salt, str) else None


def stamp(at: datetime) -> str:
    """A moment as it is written in everything that is hashed or signed: UTC to the microsecond, ending in Z."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def verify(rows: Iterable[Row]) -> int | None:
    """The number of the first entry of a charge that is not as it was written, or None when all are.

    Rows are given in the order of ``n``. What was cut off at the end is not seen here: a signed receipt,
    which carries the last hash, is what shows it.
    """
    expected, previous = 1, None
    for row in rows:
        previous = genesis(row.charge_id) if previous is None else previous
        whole = (
            row.n == expected
            and row.previous_hash == previous
            and row.hash == link(previous, row.body)
            and row.body == body_of(row.at, row.kind, row.details, _salt_of(row.body))
        )
        if not whole:
            return expected
        expected, previous = expected + 1, row.hash
    return None
