"""The VAT of a call, decided when its price is frozen, from what both sides stated by then."""

from typing import Any, Protocol

from billing.metering.terms import PriceTerms, TaxMode
from billing.tax import Decision, Party, Tax, Treatment, decide
from core.db import Tx
from core.ids import UserId


class PartyOf(Protocol):
    """What a person stated about where they are taxed; the wiring says who answers."""

    async def __call__(self, tx: Tx, user: UserId, /) -> Party | None:
        """None when they stated nothing."""
        ...


async def nobody_stated(_tx: Tx, _user: UserId, /) -> Party | None:
    """A house in which nobody stated anything: all is taxed by the house's terms."""
    return None


async def decided(tx: Tx, party: PartyOf, terms: PriceTerms, *, consultant: UserId, customer: UserId) -> Decision:
    """How this call is taxed: the rate is that of the day (UTC) of its accept."""
    inclusive = terms.tax_mode is TaxMode.INCLUSIVE
    unstated = Tax(Treatment.STANDARD, terms.tax_rate_bps) if inclusive else Tax(Treatment(terms.tax_mode), 0)
    return decide(await party(tx, consultant), await party(tx, customer), tx.now.date(), unstated=unstated)


def columns(decision: Decision) -> dict[str, Any]:
    """The decision as columns of a charge."""
    standard = decision.tax.treatment is Treatment.STANDARD
    sides = {"supplier": decision.supplier, "customer": decision.customer}
    stated = {
        f"{side}_{name}": party and getattr(party, name)
        for side, party in sides.items()
        for name in ("country", "vat_id", "name", "address")
    }
    return {
        "tax_mode": TaxMode.INCLUSIVE if standard else TaxMode(decision.tax.treatment),
        "tax_rate_bps": decision.tax.rate_bps,
        "tax_reason": decision.reason,
        **stated,
    }
