"""Where a page of a list ends, for lists that are read newest first: the moment and the id of its last row.

The next page begins behind it whatever was added meanwhile (keyset, not offset). A cursor is opaque to clients.
"""

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from core.errors import Invalid

Id = TypeVar("Id")


def cursor_of(at: datetime, row_id: object) -> str:
    """Where the page after this row begins."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{row_id}".encode()).decode()


def place(cursor: str, read: Callable[[str], Id]) -> tuple[datetime, Id]:
    """The row a cursor names; ``read`` makes its id and raises ValueError. Raises Invalid on what we did not make."""
    try:
        at, _, row_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        # astimezone: a time without a zone, which we never wrote, must not reach the database.
        return datetime.fromisoformat(at).astimezone(UTC), read(row_id)
    except (ValueError, OverflowError, binascii.Error) as error:
        raise Invalid("This page marker is not one of ours; begin with the first page.") from error
