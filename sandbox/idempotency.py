"""Idempotency keys (docs.stripe.com/api/idempotent_requests): one execution per key, its answer kept, 500s included."""

import hashlib
from typing import Any

from sandbox.errors import ApiError
from sandbox.store import Obj, Store

KIND = "_idempotency"
KEPT_S = 24 * 3600
_LONGEST = 255


class Keys:
    """The answers given so far, and the keys that are being worked on right now."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: set[str] = set()

    def begin(self, key: str, fingerprint: str, now: int) -> Obj | None:
        """The stored answer to replay, or None: then this request runs, and must end with ``finish`` or ``abandon``."""
        if len(key) > _LONGEST:
            raise ApiError(400, f"Idempotency keys have at most {_LONGEST} characters.", kind="idempotency_error")
        if key in self._running:
            raise ApiError(
                409,
                f"There is currently another in-progress request using this Idempotency Key ({key}).",
                kind="idempotency_error",
                code="idempotency_key_in_use",
            )
        stored = self._store.find(KIND, key)
        if stored is not None and now - stored["at"] > KEPT_S:
            self._store.drop(KIND, key)
            stored = None
        if stored is not None and stored["fingerprint"] != fingerprint:
            raise ApiError(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        if stored is None:
            self._running.add(key)
        return stored

    def finish(self, key: str, fingerprint: str, now: int, status: int, body: dict[str, Any]) -> None:
        """Keep the answer, whatever it was."""
        self._running.discard(key)
        self._store.save(
            {"object": KIND, "id": key, "fingerprint": fingerprint, "at": now, "status": status, "body": body}
        )

    def abandon(self, key: str) -> None:
        """The request never began to execute (its parameters were wrong): the key stays free."""
        self._running.discard(key)

    def age(self, seconds: int) -> None:
        """Pretend that every key was used ``seconds`` earlier."""
        for stored in self._store.all(KIND):
            self._store.save({**stored, "at": stored["at"] - seconds})


def fingerprint(method: str, path: str, body: str) -> str:
    """Equal for equal requests; the order of parameters does not count."""
    return hashlib.sha256("\n".join([method, path, *sorted(body.split("&"))]).encode()).hexdigest()
