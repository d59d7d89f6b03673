"""What banks, customers and Stripe itself bring about: tests ask for it under ``/_sandbox``."""

from typing import Any

from aiohttp import web

from sandbox.body import read_object
from sandbox.courier import Courier
from sandbox.errors import ApiError
from sandbox.money import currency
from sandbox.resources import accounts, balance, disputes, payment_intents, payment_methods, payouts, refunds
from sandbox.store import Obj, Store
from sandbox.world import World


class Bank:
    """Endpoints that answer JSON; their events are sent like those of any request."""

    def __init__(self, world: World, store: Store, courier: Courier) -> None:
        self._world = world
        self._store = store
        self._courier = courier

    async def lapse(self, request: web.Request) -> web.Response:
        """POST /_sandbox/lapse/{intent}: the bank lets the authorization go."""
        intent = self._found(request, "intent", "payment_intent", {"requires_capture"})
        payment_intents.lapse(self._world, intent)
        return self._done(status=intent["status"])

    async def dispute(self, request: web.Request) -> web.Response:
        """POST /_sandbox/dispute/{intent} ``{reason, amount?, inquiry?}``: the customer's bank disputes a capture.

        ``amount`` defaults to what was not refunded. Answers the dispute's id and status.
        """
        intent = self._found(request, "intent", "payment_intent", {"succeeded"})
        given = await _given(request)
        charge = self._world.need("charge", intent["latest_charge"])
        left = charge["amount_captured"] - charge["amount_refunded"]
        amount, reason, inquiry = given.get("amount", left), given.get("reason", "fraudulent"), given.get("inquiry")
        if type(amount) is not int or not 1 <= amount <= left:
            raise web.HTTPBadRequest(text=f"amount is between 1 and what is left of the charge, {left}.")
        if reason not in disputes.REASONS or inquiry not in {None, True, False}:
            raise web.HTTPBadRequest(text=f"reason is one of {', '.join(sorted(disputes.REASONS))}; inquiry a boolean.")
        if disputes.charged_back(self._world, charge):
            raise web.HTTPConflict(text="This charge is disputed already.")
        made = disputes.start(self._world, charge, reason=reason, amount=amount, inquiry=bool(inquiry))
        return self._done(id=made["id"], status=made["status"])

    async def decide(self, request: web.Request) -> web.Response:
        """POST /_sandbox/dispute/{dispute}/decide ``{outcome: won | lost | escalated}``: the bank's last word.

        An inquiry may be ``escalated`` to a dispute; ``won`` closes it, ``lost`` escalates and loses it.
        """
        dispute = self._found(request, "dispute", "dispute")
        outcome = (await _given(request)).get("outcome")
        if outcome not in {"won", "lost", "escalated"}:
            raise web.HTTPBadRequest(text="outcome is won, lost or escalated.")
        try:
            disputes.decide(self._world, dispute, outcome)
        except ValueError as error:
            raise web.HTTPConflict(text=str(error)) from error
        return self._done(status=dispute["status"])

    async def fail_refund(self, request: web.Request) -> web.Response:
        """POST /_sandbox/refund/{refund}/fail: the customer's bank sends the refund back to the platform."""
        refund = self._found(request, "refund", "refund", {"succeeded"})
        refunds.fail(self._world, refund)
        return self._done(status=refund["status"])

    async def renew_card(self, request: web.Request) -> web.Response:
        """POST /_sandbox/renew-card/{method} ``{last4, exp_month, exp_year}``: the bank issued a saved card anew."""
        method = self._found(request, "method", "payment_method")
        given = await _given(request)
        last4, month, year = given.get("last4"), given.get("exp_month"), given.get("exp_year")
        if not isinstance(last4, str) or type(month) is not int or type(year) is not int:
            raise web.HTTPBadRequest(text="last4 is four digits, exp_month and exp_year are numbers.")
        payment_methods.renew(self._world, method, last4, month, year)
        return self._done(id=method["id"])

    async def depart(self, request: web.Request) -> web.Response:
        """POST /_sandbox/depart/{account}: the account disconnects itself from the platform."""
        account = self._found(request, "account", "account")
        accounts.depart(self._world, account)
        return self._done(id=account["id"])

    async def restrict(self, request: web.Request) -> web.Response:
        """POST /_sandbox/restrict/{account} ``{requirements?: [...], disabled_reason?}``.

        The account may no longer receive transfers nor be paid out; ``requirements`` are what is past due.
        """
        account = self._found(request, "account", "account")
        given = await _given(request)
        due, reason = given.get("requirements", []), given.get("disabled_reason", "requirements.past_due")
        if not isinstance(due, list) or not all(isinstance(one, str) for one in [*due, reason]):
            raise web.HTTPBadRequest(text="requirements is a list of names, disabled_reason a name.")
        accounts.restrict(self._world, account, due, reason)
        return self._done(status="restricted")

    async def top_up(self, request: web.Request) -> web.Response:
        """POST /_sandbox/topup ``{amount, currency}``: money of the platform's own on its balance."""
        given = await _given(request)
        amount = given.get("amount")
        if type(amount) is not int or amount < 1:
            raise web.HTTPBadRequest(text="amount is a positive number of minor units.")
        try:
            code = currency(given.get("currency", "eur"))
        except ApiError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        balance.record(self._world, "topup", amount, code, self._world.new_id("tu"))
        return self._done(status="succeeded")

    async def pay_out(self, request: web.Request) -> web.Response:
        """POST /_sandbox/payout/{account} ``{force?}``: what the schedule does, now, for every currency.

        Answers the ids of the payouts, none where no balance is positive. A manual schedule, and an account whose
        payouts are disabled, are paid out only with ``force``.
        """
        account = self._found(request, "account", "account")
        forced = (await _given(request)).get("force") is True
        rests = accounts.schedule(account)["interval"] == "manual" or not account["payouts_enabled"]
        if rests and not forced:
            raise web.HTTPConflict(text="This account's schedule is manual, or its payouts are disabled.")
        made = payouts.pay(self._world, account)
        return self._done(status="in_transit", payouts=[payout["id"] for payout in made])

    async def settle_payout(self, request: web.Request) -> web.Response:
        """POST /_sandbox/payout/{payout}/settle: it arrived."""
        payout = self._found(request, "payout", "payout", {"pending", "in_transit"})
        return self._done(status=payouts.settle(self._world, payout)["status"])

    async def fail_payout(self, request: web.Request) -> web.Response:
        """POST /_sandbox/payout/{payout}/fail ``{code}``: the bank sends it back, even after it was called paid."""
        payout = self._found(request, "payout", "payout", {"pending", "in_transit", "paid"})
        code = str((await _given(request)).get("code", "could_not_process"))
        return self._done(status=payouts.fail(self._world, payout, code)["status"])

    async def cancel_payout(self, request: web.Request) -> web.Response:
        """POST /_sandbox/payout/{payout}/cancel: it never left."""
        payout = self._found(request, "payout", "payout", {"pending", "in_transit"})
        return self._done(status=payouts.cancel(self._world, payout)["status"])

    def _found(self, request: web.Request, name: str, kind: str, statuses: set[str] | None = None) -> Obj:
        found = self._store.find(kind, request.match_info[name])
        if found is None or (statuses is not None and found["status"] not in statuses):
            known = f" that is {' or '.join(sorted(statuses))}" if statuses else ""
            raise web.HTTPNotFound(text=f"No {kind.replace('_', ' ')}{known} has this id.")
        return found

    def _done(self, **answer: Any) -> web.Response:
        self._world.catch_up()
        self._store.flush()
        self._courier.dispatch()
        return web.json_response(answer)


async def _given(request: web.Request) -> dict[str, Any]:
    """The JSON object sent; without a body, nothing is chosen."""
    return await read_object(request) if request.can_read_body else {}
