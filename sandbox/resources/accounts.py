"""Connected accounts and the links to their onboarding."""

from typing import Any

from sandbox.errors import ApiError, invalid
from sandbox.form import Params, choice, metadata
from sandbox.resources import bank_accounts, schedules
from sandbox.store import Obj
from sandbox.world import Request, World

LINK_S = 300
# Where another currency than the euro is paid out (docs.stripe.com/payouts).
_CURRENCIES = {
    "CA": "cad",
    "CH": "chf",
    "CZ": "czk",
    "DK": "dkk",
    "GB": "gbp",
    "HU": "huf",
    "JP": "jpy",
    "LI": "chf",
    "NO": "nok",
    "PL": "pln",
    "RO": "ron",
    "SE": "sek",
    "US": "usd",
}
_DUE = [
    "business_profile.url",
    "external_account",
    "individual.first_name",
    "individual.last_name",
    "tos_acceptance.date",
]


def create(world: World, request: Request) -> Obj:
    """POST /v1/accounts."""
    params = request.params
    kind = choice(params, "type", {"custom", "express", "standard"}, "standard")
    country = str(params.get("country", "DE"))
    wanted = params.get("capabilities") or {}
    due = [name for name in _DUE if not _told(params, name)]
    account_id = world.new_id("acct")
    account: Obj = {
        "id": account_id,
        "object": "account",
        "business_type": params.get("business_type"),
        "capabilities": {name: "inactive" for name, ask in wanted.items() if ask.get("requested") == "true"},
        "charges_enabled": False,
        "country": country,
        "created": world.now(),
        "default_currency": _CURRENCIES.get(country, "eur"),
        "details_submitted": False,
        "email": params.get("email"),
        "external_accounts": bank_accounts.listed(world, account_id, params),
        "metadata": metadata(params),
        "payouts_enabled": False,
        "requirements": _requirements(due, reason=f"requirements.{'past_due' if due else 'pending_verification'}"),
        "settings": _settings({}, params, country),
        "type": kind,
    }
    world.store.save(account)
    if kind == "custom" and not due:  # nothing is left to ask, and the platform speaks for the account
        world.afterwards(lambda: _verified(world, account))
    return account


def current(world: World, request: Request) -> Obj:
    """GET /v1/account: whoever the request speaks for, the platform without ``Stripe-Account``."""
    if request.account is not None:
        return ours(world.need("account", request.account))
    return {
        "id": "acct_sandbox",
        "object": "account",
        "charges_enabled": True,
        "country": "DE",
        "default_currency": "eur",
        "details_submitted": True,
        "payouts_enabled": True,
        "type": "standard",
    }


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/accounts/:id."""
    return ours(world.need("account", request.path["id"]))


def link(world: World, request: Request) -> Obj:
    """POST /v1/account_links."""
    account = ours(world.need("account", request.params["account"], "account"))
    kind = choice(request.params, "type", {"account_onboarding", "account_update"}, "account_onboarding")
    for name in ("return_url", "refresh_url"):
        if not str(request.params.get(name, "")).startswith(("http://", "https://")):
            raise invalid(f"Not a valid URL: {name}", name, "url_invalid")
    token = world.new_id("alink")
    world.store.save(
        {
            "id": token,
            "object": "_account_link",
            "account": account["id"],
            "return_url": request.params["return_url"],
            "refresh_url": request.params["refresh_url"],
            "expires_at": world.now() + LINK_S,
            "type": kind,
        }
    )
    return {
        "object": "account_link",
        "created": world.now(),
        "expires_at": world.now() + LINK_S,
        "url": f"{world.public_url}/_sandbox/onboard/{account['id']}?link={token}",
    }


def update(world: World, request: Request) -> Obj:
    """POST /v1/accounts/:id: the payout schedule, the bank account and metadata."""
    params = request.params
    account = ours(world.need("account", request.path["id"]))
    labels = {**account["metadata"], **metadata(params)}
    account["settings"] = _settings(account["settings"], params, account["country"])
    if "external_account" in params:
        account["external_accounts"] = bank_accounts.listed(world, account["id"], params)
    account["metadata"] = {name: value for name, value in labels.items() if value}  # an empty value unsets a key
    world.store.save(account)
    world.publish("account.updated", account, account=account["id"], request=request)
    return account


def schedule(account: Obj) -> dict[str, Any]:
    """When this account is paid out."""
    found: dict[str, Any] = account["settings"]["payouts"]["schedule"]
    return found


def onboard(world: World, account: Obj) -> Obj:
    """The consultant filled in everything: the account may receive transfers from now on."""
    account.update(details_submitted=True, payouts_enabled=True, charges_enabled=True)
    account["capabilities"] = dict.fromkeys(account["capabilities"], "active")
    account["requirements"] = _requirements([])
    return _changed(world, account)


def _verified(world: World, account: Obj) -> None:
    onboard(world, account)


def restrict(world: World, account: Obj, due: list[str] | None = None, reason: str = "requirements.past_due") -> Obj:
    """Stripe wants to know more (``due``), and it is late: no transfers to the account, and no payouts from it."""
    account["capabilities"] = dict.fromkeys(account["capabilities"], "inactive")
    account.update(payouts_enabled=False, requirements=_requirements(due or _DUE, past=due or _DUE, reason=reason))
    return _changed(world, account)


def depart(world: World, account: Obj) -> None:
    """The account takes its leave of the platform, which is told of it once and may not even ask about it any more."""
    account["_departed"] = True
    world.store.save(account)
    application: Obj = {"id": "ca_sandbox", "object": "application", "name": "Sandbox"}
    world.publish("account.application.deauthorized", application, account=account["id"])


def ours(account: Obj) -> Obj:
    """The account while it is connected; once it has left, Stripe's 403 (docs.stripe.com/error-codes)."""
    if account.get("_departed"):
        raise ApiError(
            403,
            f"The provided key does not have access to account '{account['id']}' (or that account does not exist). "
            "Application access may have been revoked.",
            code="account_invalid",
        )
    return account


def bank_failed(world: World, account: Obj) -> Obj:
    """A payout came back: none is made until another bank account is named; transfers still arrive."""
    before = account["requirements"]
    due = list(dict.fromkeys([*before["currently_due"], "external_account"]))
    past = list(dict.fromkeys([*before["past_due"], "external_account"]))
    reason = before["disabled_reason"] or "requirements.past_due"
    account.update(payouts_enabled=False, requirements=_requirements(due, past=past, reason=reason))
    return _changed(world, account)


def _changed(world: World, account: Obj) -> Obj:
    world.store.save(account)
    world.publish("account.updated", account, account=account["id"])
    return account


def _requirements(due: list[str], *, past: list[str] | None = None, reason: str | None = None) -> dict[str, Any]:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": list(due),
        "disabled_reason": reason,
        "errors": [],
        "eventually_due": list(due),
        "past_due": list(past or []),
        "pending_verification": [],
    }


def _told(params: Params, name: str) -> bool:
    """Whether a requirement (dots lead inwards) was answered in the request."""
    found: Any = params
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return bool(found)


def _settings(before: dict[str, Any], params: Params, country: str) -> dict[str, Any]:
    """The settings after a request; the payout schedule is the one part that is understood."""
    given = params.get("settings") or {}
    known = (before.get("payouts") or {}).get("schedule") or {}
    payouts = {**before.get("payouts", {}), **(given.get("payouts") or {})}
    return {**before, **given, "payouts": {**payouts, "schedule": schedules.changed(known, params, country)}}
