"""What tests ask the sandbox: everything it knows, misbehaviour, and damage behind everybody's back."""

from typing import Any

from aiohttp import web

from sandbox.body import read_object
from sandbox.courier import Courier
from sandbox.errors import ApiError
from sandbox.idempotency import Keys
from sandbox.misbehaviour import Rules
from sandbox.render import clean
from sandbox.store import Store


class Admin:
    """The endpoints under ``/_sandbox`` that answer JSON."""

    def __init__(self, store: Store, keys: Keys, rules: Rules, courier: Courier) -> None:
        self._store = store
        self._keys = keys
        self._rules = rules
        self._courier = courier

    async def state(self, _request: web.Request) -> web.Response:
        """GET /_sandbox/state: every object by kind, oldest first."""
        return web.json_response(clean(self._store.dump()))

    async def misbehaviours(self, _request: web.Request) -> web.Response:
        """GET /_sandbox/misbehave: the rules in force."""
        return web.json_response({"rules": self._rules.listed()})

    async def misbehave(self, request: web.Request) -> web.Response:
        """POST /_sandbox/misbehave: one more rule."""
        given = await read_object(request)
        try:
            self._rules.add(given)
        except (ApiError, ValueError, TypeError) as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.json_response({"rules": self._rules.listed()}, status=201)

    async def behave(self, _request: web.Request) -> web.Response:
        """DELETE /_sandbox/misbehave: no rule any more."""
        self._rules.clear()
        return web.json_response({"rules": []})

    async def age_keys(self, request: web.Request) -> web.Response:
        """POST /_sandbox/age-keys?seconds=: pretend that idempotency keys were used so much earlier."""
        seconds = request.query.get("seconds", "86401")
        if not seconds.isdecimal():
            raise web.HTTPBadRequest(text="seconds is a number.")
        self._keys.age(int(seconds))
        return self._stored("aged")

    async def tamper(self, request: web.Request) -> web.Response:
        """POST /_sandbox/tamper ``{id, field, value}``: change a stored object's field, and tell nobody.

        ``field`` may lead into an object by dots (``metadata.hold``); it must exist, and no event is sent.
        """
        given = await read_object(request)
        obj = self._store.any_kind(str(given.get("id")))
        *path, name = str(given.get("field", "")).split(".")
        inner: Any = obj
        for part in path:
            inner = inner.get(part) if isinstance(inner, dict) else None
        if obj is None or not isinstance(inner, dict) or name not in inner or "value" not in given:
            raise web.HTTPNotFound(text="No object has this id and this field, or the value is missing.")
        inner[name] = given["value"]
        self._store.save(obj)
        return self._stored("tampered")

    async def forget(self, request: web.Request) -> web.Response:
        """POST /_sandbox/forget ``{id}``: lose an object, and tell nobody."""
        obj = self._store.any_kind(str((await read_object(request)).get("id")))
        if obj is None:
            raise web.HTTPNotFound(text="No object has this id.")
        self._store.drop(obj["object"], obj["id"])
        return self._stored("forgotten")

    def _stored(self, status: str) -> web.Response:
        self._store.flush()
        self._courier.dispatch()
        return web.json_response({"status": status})
