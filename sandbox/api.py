"""The v1 API over HTTP: the layers a request passes, in Stripe's order, and the answer it gets."""

import asyncio
import json
from typing import Any

from aiohttp import web

from sandbox import operations, render, schema
from sandbox.courier import Courier
from sandbox.errors import ApiError
from sandbox.form import Params, decode
from sandbox.idempotency import Keys, fingerprint
from sandbox.misbehaviour import Kind, Rules
from sandbox.operations import Operation
from sandbox.store import Store
from sandbox.world import API_VERSION, Request, World

_BROKEN = {
    "type": "api_error",
    "message": "An unknown error occurred: this is a misbehaviour the sandbox was asked for.",
}
_REFUSED = {
    "type": "invalid_request_error",
    "code": "parameter_invalid",
    "message": "The sandbox was asked to refuse this.",
}
_FORCIBLE = {
    "payment_intents.confirm": {Kind.DECLINE, Kind.AUTHENTICATE},
    "payment_intents.increment_authorization": {Kind.DECLINE},
    "payment_intents.capture": {Kind.CAPTURE_EXPIRES, Kind.CAPTURE_REFUSED},
}


class Api:
    """Authentication, rate limit, idempotency, parameter names, execution, in this order."""

    def __init__(self, world: World, store: Store, keys: Keys, rules: Rules, courier: Courier) -> None:
        self._world = world
        self._store = store
        self._keys = keys
        self._rules = rules
        self._courier = courier

    async def handle(self, http: web.Request) -> web.StreamResponse:
        """Answer one request to ``/v1/…``."""
        request_id = self._world.new_id("req")
        replayed = False
        try:
            status, body, replayed = await self._layers(http, await _sent(http), request_id)
        except ApiError as error:
            status, body = error.status, {"error": render.clean(error.body)}
        if self._rules.take({Kind.TIMEOUT_AFTER_SUCCESS}, *self._names(http)):
            return _hang_up(http)
        headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION}
        key = http.headers.get("Idempotency-Key")
        if key:
            headers["Idempotency-Key"] = key
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        return web.json_response(body, status=status, headers=headers, dumps=json.dumps)

    def _names(self, http: web.Request) -> tuple[str, ...]:
        found = operations.find(http.method, http.path)
        return (http.path, f"{http.method} {http.path}", found[0].name if found else "")

    async def _layers(self, http: web.Request, text: str, request_id: str) -> tuple[int, dict[str, Any], bool]:
        _authenticate(http)
        names = self._names(http)
        await self._before(http, names)
        found = operations.find(http.method, http.path)
        if found is None:
            raise ApiError(404, f"Unrecognized request URL ({http.method}: {http.path}).")
        operation, ids = found
        key = http.headers.get("Idempotency-Key") if http.method == "POST" else None
        mark = fingerprint(http.method, http.path, text)
        if key is not None:
            stored = self._keys.begin(key, mark, self._world.now())
            if stored is not None:
                return stored["status"], stored["body"], True
        try:
            status, body = await self._run(operation, ids, http, text, request_id, names)
        except BaseException:  # it never began to execute: the key stays free
            if key is not None:
                self._keys.abandon(key)
            raise
        if key is not None:
            self._keys.finish(key, mark, self._world.now(), status, body)
        self._world.catch_up()  # what Stripe does a moment after the answer
        self._store.flush()  # what the request did, its events and its key: one transaction
        self._courier.dispatch()
        return status, body, False

    async def _run(
        self,
        operation: Operation,
        ids: dict[str, str],
        http: web.Request,
        text: str,
        request_id: str,
        names: tuple[str, ...],
    ) -> tuple[int, dict[str, Any]]:
        params = decode(text)
        schema.check(params, operation.params)
        await self._slowly(names)
        request = Request(
            params=params,
            path=ids,
            key=http.headers.get("Idempotency-Key"),
            id=request_id,
            account=http.headers.get("Stripe-Account"),
            forced=self._forced(operation, names),
        )
        return self._execute(operation, request, names)

    async def _before(self, http: web.Request, names: tuple[str, ...]) -> None:
        """What goes wrong before anything is looked at."""
        if self._rules.take({Kind.DOWN}, *names):
            _hang_up(http)
            raise ApiError(503, "The sandbox plays dead.", kind="api_error")
        if self._rules.take({Kind.KEY_401}, *names):
            raise ApiError(401, "Invalid API Key provided: sk_test_***")
        if self._rules.take({Kind.RATE_429}, *names):
            raise ApiError(429, "Too many requests hit the API too quickly.", code="rate_limit")
        if self._rules.take({Kind.LOCK_409}, *names):
            raise ApiError(
                409,
                "This object cannot be accessed right now because another API request is currently accessing it.",
                code="lock_timeout",
            )

    async def _slowly(self, names: tuple[str, ...]) -> None:
        slow = self._rules.take({Kind.SLOW}, *names)
        if slow is not None:
            await asyncio.sleep(slow.delay_ms / 1_000)

    def _forced(self, operation: Operation, names: tuple[str, ...]) -> str | None:
        rule = self._rules.take(_FORCIBLE.get(operation.name, set()), *names)
        if rule is None:
            return None
        return rule.decline_code if rule.kind is Kind.DECLINE else rule.kind.value

    def _execute(self, operation: Operation, request: Request, names: tuple[str, ...]) -> tuple[int, dict[str, Any]]:
        if self._rules.take({Kind.ERROR_500}, *names):
            return 500, {"error": dict(_BROKEN)}
        if self._rules.take({Kind.REFUSED}, *names):
            return 400, {"error": dict(_REFUSED)}
        try:
            status, body = 200, self._answer(operation, request)
        except ApiError as error:
            status, body = error.status, {"error": render.clean(error.body)}
        if self._rules.take({Kind.ERROR_500_AFTER_SUCCESS}, *names):
            return 500, {"error": dict(_BROKEN)}
        return status, body

    def _answer(self, operation: Operation, request: Request) -> dict[str, Any]:
        params: Params = request.params
        if operation.listing is not None:
            objects = operation.listing(self._world, request)
            return render.expand(self._world, render.page(objects, params, operation.path), params)
        assert operation.answer is not None
        return render.expand(self._world, operation.answer(self._world, request), params)


async def _sent(http: web.Request) -> str:
    """The parameters as they came: in the body of a POST, else in the query."""
    if http.method != "POST":
        return http.rel_url.raw_query_string
    try:
        return (await http.read()).decode()
    except UnicodeDecodeError:
        raise ApiError(400, "The body is not UTF-8.") from None


def _authenticate(http: web.Request) -> None:
    scheme, _, key = http.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not key.strip():
        raise ApiError(401, "You did not provide an API key.")
    if "_live_" in key:
        raise ApiError(401, "This is the sandbox: it never accepts a live key.")


def _hang_up(http: web.Request) -> web.StreamResponse:
    """Close the line without an answer."""
    if http.transport is not None:
        http.transport.abort()
    return web.Response(status=503)
