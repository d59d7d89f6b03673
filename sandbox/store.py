"""The sandbox's memory: objects by kind and id, written to one SQLite file, a request at a time."""

import json
import sqlite3
from pathlib import Path
from typing import Any

Obj = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (kind, id)
)
"""


class Store:
    """Keeps every object in memory, in order of creation; ``flush`` writes what changed in one transaction."""

    def __init__(self, path: Path | None) -> None:
        self._kinds: dict[str, dict[str, Obj]] = {}
        self._dirty: dict[tuple[str, str], Obj] = {}
        self._gone: set[tuple[str, str]] = set()
        self._file: sqlite3.Connection | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, isolation_level=None)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute(_SCHEMA)
            for kind, object_id, body in self._file.execute("SELECT kind, id, body FROM object ORDER BY seq"):
                self._kinds.setdefault(kind, {})[object_id] = json.loads(body)

    def save(self, obj: Obj) -> Obj:
        """Remember an object, new or changed."""
        kind, object_id = obj["object"], obj["id"]
        self._kinds.setdefault(kind, {})[object_id] = obj
        self._dirty[kind, object_id] = obj
        return obj

    def find(self, kind: str, object_id: str) -> Obj | None:
        """The object, or None."""
        return self._kinds.get(kind, {}).get(object_id)

    def any_kind(self, object_id: str) -> Obj | None:
        """The object with this id, whatever its kind (ids are unique over all kinds)."""
        return next((objects[object_id] for objects in self._kinds.values() if object_id in objects), None)

    def all(self, kind: str) -> list[Obj]:
        """Every object of a kind, oldest first."""
        return list(self._kinds.get(kind, {}).values())

    def drop(self, kind: str, object_id: str) -> None:
        """Forget an object."""
        self._kinds.get(kind, {}).pop(object_id, None)
        self._dirty.pop((kind, object_id), None)
        self._gone.add((kind, object_id))

    def dump(self) -> dict[str, list[Obj]]:
        """Everything, for tests to look at."""
        return {kind: list(objects.values()) for kind, objects in self._kinds.items() if not kind.startswith("_")}

    def flush(self) -> None:
        """Write what changed since the last flush: all of it, or nothing."""
        if self._file is not None and (self._dirty or self._gone):
            with self._file:  # commits, or rolls back on an error
                self._file.execute("BEGIN")
                self._file.executemany("DELETE FROM object WHERE kind = ? AND id = ?", sorted(self._gone))
                self._file.executemany(
                    "INSERT INTO object (kind, id, body) VALUES (?, ?, ?) "
                    "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                    [(kind, object_id, json.dumps(obj)) for (kind, object_id), obj in self._dirty.items()],
                )
        self._dirty.clear()
        self._gone.clear()

    def close(self) -> None:
        """Write the rest and close the file."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None
