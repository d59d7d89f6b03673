"""What tests ask the sandbox: everything it knows, misbehaviour, and events that banks bring about."""

from aiohttp import web

from sandbox.body import read_object
from sandbox.courier import Courier
from sandbox.errors import ApiError
from sandbox.idempotency import Keys
from sandbox.misbehaviour import Rules
from sandbox.render import clean
from sandbox.resources import accounts, balance, disputes, payment_intents, payouts, refunds
from sandbox.store import Obj, Store
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

    async def dispute(self, request: web.Request) -> web.Response:
        """POST /_sandbox/dispute/{intent}: the bank claims a captured payment. {reason, amount?, inquiry?}."""
        given = await read_object(request)
        intent = self._found("payment_intent", request)
        if intent["status"] != "succeeded":
            raise web.HTTPNotFound(text="No captured payment intent has this id.")
        charge = self._world.need("charge", intent["latest_charge"])
        opened = disputes.open_one(
            self._world,
            charge,
            str(given.get("reason", "fraudulent")),
            int(given["amount"]) if "amount" in given else None,
            inquiry=bool(given.get("inquiry")),
        )
        return self._stored(opened["status"], id=opened["id"])

    async def decide(self, request: web.Request) -> web.Response:
        """POST /_sandbox/disputes/{dispute}/decide: the bank decides. {outcome: won | lost}."""
        outcome = str((await read_object(request)).get("outcome"))
        dispute = self._found("dispute", request)
        if outcome not in disputes.OUTCOMES or dispute["status"] not in disputes.OPEN:
            raise web.HTTPBadRequest(text="An open dispute is won or lost.")
        return self._stored(disputes.decide(self._world, dispute, outcome)["status"])

    async def pay_out(self, request: web.Request) -> web.Response:
        """POST /_sandbox/payout/{account}?force=: what an account holds goes to its bank, if its schedule allows."""
        account = self._found("account", request)
        held = account["settings"]["payouts"]["schedule"]["interval"] == "manual" and "force" not in request.query
        stopped = held or not account["payouts_enabled"]
        made = [] if stopped else payouts.pay_out(self._world, account)
        return self._stored("paid_out" if made else "nothing", ids=[payout["id"] for payout in made])

    async def settle_payout(self, request: web.Request) -> web.Response:
        """POST /_sandbox/payouts/{payout}/settle: the bank has it."""
        return self._stored(payouts.settle(self._world, self._found("payout", request))["status"])

    async def fail_payout(self, request: web.Request) -> web.Response:
        """POST /_sandbox/payouts/{payout}/fail: the bank sends it back. {code}."""
        code = str((await read_object(request)).get("code", "account_closed"))
        if code not in payouts.FAILURES:
            raise web.HTTPBadRequest(text=f"Known codes: {', '.join(sorted(payouts.FAILURES))}.")
        return self._stored(payouts.fail(self._world, self._found("payout", request), code)["status"])

    async def fail_refund(self, request: web.Request) -> web.Response:
        """POST /_sandbox/refunds/{refund}/fail: the customer's bank cannot take it."""
        return self._stored(
            refunds.fail(self._world, self._found("refund", request), "expired_or_canceled_card")["status"]
        )

    async def top_up(self, request: web.Request) -> web.Response:
        """POST /_sandbox/top-up: the platform sends money from its bank to its balance. {amount, currency}."""
        given = await read_object(request)
        source = self._world.new_id("tu")
        balance.record(self._world, "topup", int(given["amount"]), str(given["currency"]), source)
        return self._stored("succeeded", id=source)

    async def tamper(self, request: web.Request) -> web.Response:
        """POST /_sandbox/tamper: change a stored object behind everybody's back. {id, field, value}."""
        given = await read_object(request)
        found = self._store.any_kind(str(given.get("id")))
        if found is None or given.get("field") not in found:
            raise web.HTTPNotFound(text="No object has this id and this field.")
        found[str(given["field"])] = given["value"]
        self._store.save(found)
        return self._stored("changed")

    async def forget(self, request: web.Request) -> web.Response:
        """POST /_sandbox/forget: an object was never there. {id}."""
        given = await read_object(request)
        found = self._store.any_kind(str(given.get("id")))
        if found is None:
            raise web.HTTPNotFound(text="No object has this id.")
        self._store.drop(found["object"], found["id"])
        return self._stored("forgotten")

    async def age_keys(self, request: web.Request) -> web.Response:
        """POST /_sandbox/age-keys?seconds=: pretend that idempotency keys were used so much earlier."""
        seconds = request.query.get("seconds", "86401")
        if not seconds.isdecimal():
            raise web.HTTPBadRequest(text="seconds is a number.")
        self._keys.age(int(seconds))
        return self._stored("aged")

    def _found(self, kind: str, request: web.Request) -> Obj:
        """The object named by the path's only variable."""
        (object_id,) = request.match_info.values()
        found = self._store.find(kind, object_id)
        if found is None:
            raise web.HTTPNotFound(text=f"No {kind} has this id.")
        return found

    def _stored(self, status: str, **more: object) -> web.Response:
        self._store.flush()
        self._courier.dispatch()
        return web.json_response({"status": status, **more})
