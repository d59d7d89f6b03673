"""What tests ask the sandbox: everything it knows, misbehaviour, and events that banks bring about."""

from aiohttp import web

from sandbox.body import read_object
from sandbox.courier import Courier
from sandbox.errors import ApiError
from sandbox.idempotency import Keys
from sandbox.misbehaviour import Rules
from sandbox.render import clean
from sandbox.resources import accounts, payment_intents
from sandbox.store import Store
from sandbox.world import World


class Admin:
    """The endpoints under ``/_sandbox`` that answer JSON."""

    def __init__(self, world: World, store: Store, keys: Keys, rules: Rules, courier: Courier) -> None:
        self._world = world
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

    async def lapse(self, request: web.Request) -> web.Response:
        """POST /_sandbox/lapse/{intent}: the bank lets the authorization go."""
        intent = self._store.find("payment_intent", request.match_info["intent"])
        if intent is None or intent["status"] != "requires_capture":
            raise web.HTTPNotFound(text="No payment intent with an authorization has this id.")
        payment_intents.lapse(self._world, intent)
        return self._stored(intent["status"])

    async def restrict(self, request: web.Request) -> web.Response:
        """POST /_sandbox/restrict/{account}: it may no longer receive transfers."""
        account = self._store.find("account", request.match_info["account"])
        if account is None:
            raise web.HTTPNotFound(text="No account has this id.")
        accounts.restrict(self._world, account)
        return self._stored("restricted")

    async def age_keys(self, request: web.Request) -> web.Response:
        """POST /_sandbox/age-keys?seconds=: pretend that idempotency keys were used so much earlier."""
        seconds = request.query.get("seconds", "86401")
        if not seconds.isdecimal():
            raise web.HTTPBadRequest(text="seconds is a number.")
        self._keys.age(int(seconds))
        return self._stored("aged")

    def _stored(self, status: str) -> web.Response:
        self._store.flush()
        self._courier.dispatch()
        return web.json_response({"status": status})
