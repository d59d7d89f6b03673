"""The world a request acts on: the store, the time, ids, addresses, and events to be sent."""

import copy
import secrets
import string
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.errors import missing
from sandbox.form import Params
from sandbox.store import Obj, Store

API_VERSION = "2026-10-28.endive"
_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Request:
    """One API request: parameters, the ids in its path, its key, and the connected account it speaks for."""

    params: Params
    path: dict[str, str] = field(default_factory=dict)
    key: str | None = None
    id: str = ""
    account: str | None = None
    forced: str | None = None  # a misbehaviour ("authenticate", "capture_expires", …), or the decline code of the bank


class World:
    """Everything the resources need; they change objects here, synchronously, one request after the other."""

    def __init__(self, store: Store, *, public_url: str, announce: Callable[[Obj], None]) -> None:
        self.store = store
        self.public_url = public_url
        self._announce = announce
        self._later: list[Callable[[], None]] = []

    @staticmethod
    def now() -> int:
        """Seconds since 1970, as Stripe writes times."""
        return int(time.time())

    @staticmethod
    def new_id(prefix: str) -> str:
        """A fresh id such as ``pi_3f…``."""
        return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(24))}"

    def afterwards(self, happening: Callable[[], None]) -> None:
        """Remember what happens by itself once the running request is answered: a dispute, a refund that fails."""
        self._later.append(happening)

    def catch_up(self) -> None:
        """Let happen what was to happen afterwards."""
        while self._later:
            self._later.pop(0)()

    def need(self, kind: str, object_id: object, param: str | None = None) -> Obj:
        """The object, or Stripe's error: 404 for one named in the path, 400 for one named in a parameter."""
        found = self.store.find(kind, object_id) if isinstance(object_id, str) else None
        if found is None:
            noun = kind.replace("_", "") if kind.endswith("intent") else kind.replace("_", " ")
            raise missing(noun, str(object_id), param or "id", status=400 if param else 404)
        return found

    def publish(self, kind: str, obj: Obj, *, account: str | None = None, request: Request | None = None) -> None:
        """Record an event with a snapshot of the object, to be delivered after the request."""
        snapshot = {name: value for name, value in copy.deepcopy(obj).items() if not name.startswith("_")}
        event: Obj = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": {"object": snapshot},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": request.id or None, "idempotency_key": request.key} if request else None,
            "type": kind,
        }
        if account is not None:
            event["account"] = account
        self._announce(self.store.save(event))
