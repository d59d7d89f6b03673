"""Bank accounts of connected accounts: what a payout to each test number comes to (docs.stripe.com/connect/testing)."""

from typing import Any

from sandbox.errors import invalid
from sandbox.form import Params
from sandbox.money import currency
from sandbox.store import Obj
from sandbox.world import World

_REFUSALS = {
    "000111111116": "no_account",
    "000111111113": "account_closed",
    "000222222227": "insufficient_funds",
    "000333333335": "debit_not_authorized",
    "000444444440": "invalid_currency",
    # IBANs, of whichever country, without it and its check digits
    "370400440532013001": "no_account",
    "370400440532013002": "account_closed",
    "370400440532013003": "insufficient_funds",
    "370400440532013004": "debit_not_authorized",
    "370400440532013005": "invalid_currency",
}
_IBAN_BEGINS = 4


def listed(world: World, account_id: str, params: Params) -> Obj:
    """The list an account shows: the bank account named in these parameters, or none; of its number only the end."""
    given = params.get("external_account")
    data: list[dict[str, Any]] = []
    if given is not None:
        if not isinstance(given, dict) or not given.get("account_number") or given.get("object") != "bank_account":
            raise invalid("The sandbox understands a bank account with its account_number only.", "external_account")
        number = str(given["account_number"]).replace(" ", "")
        data.append(
            {
                "id": world.new_id("ba"),
                "object": "bank_account",
                "account": account_id,
                "country": given.get("country"),
                "currency": currency(given.get("currency", "eur")),
                "default_for_currency": True,
                "last4": number[-4:],
                "routing_number": given.get("routing_number"),
                "status": "new",
                "_refuses": _REFUSALS.get(number) or _REFUSALS.get(number[_IBAN_BEGINS:]),
            }
        )
    url = f"/v1/accounts/{account_id}/external_accounts"
    return {"object": "list", "data": data, "has_more": False, "url": url}


def of(account: Obj) -> Obj | None:
    """Where payouts of an account go; None for one that told no bank account by itself."""
    data: list[Obj] = account.get("external_accounts", {}).get("data", [])
    return data[0] if data else None
