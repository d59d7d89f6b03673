"""Connected accounts and the links to their onboarding."""

from sandbox.errors import invalid
from sandbox.form import Params, choice, integer, metadata
from sandbox.store import Obj
from sandbox.world import Request, World

LINK_S = 300
LONGEST_DELAY = 31
WEEKDAYS = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
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
    account: Obj = {
        "id": world.new_id("acct"),
        "object": "account",
        "business_type": params.get("business_type"),
        "capabilities": {name: "inactive" for name, ask in wanted.items() if ask.get("requested") == "true"},
        "charges_enabled": False,
        "country": country,
        "created": world.now(),
        "default_currency": {"GB": "gbp", "US": "usd", "CH": "chf"}.get(country, "eur"),
        "details_submitted": False,
        "email": params.get("email"),
        "metadata": metadata(params),
        "payouts_enabled": False,
        "requirements": {"currently_due": list(_DUE), "disabled_reason": "requirements.past_due"},
        "settings": {"payouts": {"debit_negative_balances": True, "schedule": _schedule(params, None)}},
        "type": kind,
    }
    world.store.save(account)
    return account


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/accounts/:id."""
    return world.need("account", request.path["id"])


def update(world: World, request: Request) -> Obj:
    """POST /v1/accounts/:id: the payout schedule, metadata."""
    account = world.need("account", request.path["id"])
    payouts = account["settings"]["payouts"]
    payouts["schedule"] = _schedule(request.params, payouts["schedule"])
    account["metadata"].update(metadata(request.params))
    world.store.save(account)
    world.publish("account.updated", account, account=account["id"], request=request)
    return account


def _schedule(params: Params, before: Obj | None) -> Obj:
    """When an account is paid out; Stripe answers only with the fields its interval has."""
    given = ((params.get("settings") or {}).get("payouts") or {}).get("schedule") or {}
    path = "settings[payouts][schedule]"
    if not given:
        return before or {"interval": "daily", "delay_days": 7}
    interval = choice(
        given, "interval", {"manual", "daily", "weekly", "monthly"}, (before or {}).get("interval", "daily")
    )
    schedule: Obj = {"interval": interval, "delay_days": (before or {}).get("delay_days", 7)}
    if given.get("delay_days") == "minimum":
        schedule["delay_days"] = 7
    elif "delay_days" in given:
        schedule["delay_days"] = integer(given, "delay_days")
        if not 0 <= (schedule["delay_days"] or 0) <= LONGEST_DELAY:
            raise invalid(f"delay_days must be at most {LONGEST_DELAY}.", f"{path}[delay_days]")
    if interval == "weekly":
        schedule["weekly_anchor"] = choice(given, "weekly_anchor", WEEKDAYS, "monday")
    elif "weekly_anchor" in given:
        raise invalid("weekly_anchor goes with a weekly interval.", f"{path}[weekly_anchor]")
    if interval == "monthly":
        schedule["monthly_anchor"] = integer(given, "monthly_anchor") or 1
    elif "monthly_anchor" in given:
        raise invalid("monthly_anchor goes with a monthly interval.", f"{path}[monthly_anchor]")
    return schedule


def link(world: World, request: Request) -> Obj:
    """POST /v1/account_links."""
    account = world.need("account", request.params["account"], "account")
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


def onboard(world: World, account: Obj) -> Obj:
    """The consultant filled in everything: the account may receive transfers from now on."""
    account.update(details_submitted=True, payouts_enabled=True, charges_enabled=True)
    account["capabilities"] = dict.fromkeys(account["capabilities"], "active")
    account["requirements"] = {"currently_due": [], "disabled_reason": None}
    world.store.save(account)
    world.publish("account.updated", account, account=account["id"])
    return account


def restrict(world: World, account: Obj) -> Obj:
    """Stripe wants to know more: the account may no longer receive transfers."""
    account["capabilities"] = dict.fromkeys(account["capabilities"], "inactive")
    account["requirements"] = {"currently_due": list(_DUE), "disabled_reason": "requirements.past_due"}
    world.store.save(account)
    world.publish("account.updated", account, account=account["id"])
    return account
