"""Connected accounts and the links to their onboarding."""

from sandbox.errors import invalid
from sandbox.form import choice, metadata
from sandbox.store import Obj
from sandbox.world import Request, World

LINK_S = 300
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
        "settings": params.get("settings") or {},
        "type": kind,
    }
    world.store.save(account)
    return account


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/accounts/:id."""
    return world.need("account", request.path["id"])


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
