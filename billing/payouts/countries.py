"""The countries in which a consultant's account may be opened, PURE.

Stripe lets a platform in the EEA, the United Kingdom, Switzerland, Canada or the United States send money to connected
accounts in any of these regions and nowhere else (docs.stripe.com/connect/cross-border-payouts, 'Availability'). Of
their countries Iceland is left out: Stripe opens no accounts there (stripe.com/global).
"""

from core.errors import Conflict, Refused

_EEA = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
SUPPORTED = frozenset([*_EEA.split(), "CA", "CH", "GB", "US"])


def settled(fixed: str | None, chosen: str | None, stated: str | None = None) -> str:
    """The country of an account: the one it has, else the chosen one, else where its owner is taxed (``stated``).

    Raises Refused when there is none or Stripe pays nobody there, and Conflict for another one than it has.
    """
    if fixed is not None:
        if chosen not in {None, fixed}:
            raise Conflict("The country of a payout account cannot be changed.", code="country_fixed")
        return fixed
    wanted = chosen or stated
    if wanted is None:
        raise Refused("Choose the country of your payout account first.", code="country_missing")
    if wanted not in SUPPORTED:
        raise Refused("Payouts to this country are not possible.", code="country_unsupported")
    return wanted
