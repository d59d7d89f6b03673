"""The evidence against a dispute, PURE: Stripe's own fields, filled from what was observed and agreed.

docs.stripe.com/disputes/evidence: a service that was used is shown by its activity log, what the customer agreed to
by the policies they saw, both in plain words. Text is limited; nothing is invented and nothing is left to be typed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.money import amount_text

MOST_CHARACTERS = 20_000  # a field; Stripe allows 150,000 in all


@dataclass(frozen=True, slots=True)
class Observed:
    """One line of the evidence timeline, in words."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of the disputed call. Amounts in minor units; names as they are shown in the product."""

    reference: str
    customer_name: str
    customer_email: str
    consultant_name: str
    question: str
    currency: str
    gross_minor: int
    captured_minor: int
    rate_minor_per_hour: int
    threshold_ms: int
    policy: str
    connected_ms: int
    billed_ms: int
    terms_version: str
    consented_at: datetime
    started_at: datetime | None
    timeline: Sequence[Observed]
    refunded_minor: int
    receipt_address: str


def evidence(facts: CallFacts) -> Mapping[str, str]:
    """The package: Stripe's field names with their text."""
    rule = (
        "once the connected time reaches the threshold, the whole connected time is charged"
        if facts.policy == "whole_call"
        else "only the connected time past the threshold is charged"
    )
    fields = {
        "customer_name": facts.customer_name,
        "customer_email_address": facts.customer_email,
        "service_date": (facts.started_at or facts.consented_at).date().isoformat(),
        "product_description": (
            f"A live video consultation ({facts.reference}) with {facts.consultant_name} about “{facts.question}”. "
            f"Both sides were connected for {_span(facts.connected_ms)}; {_span(facts.billed_ms)} were charged at "
            f"{_money(facts.rate_minor_per_hour, facts.currency)} an hour: "
            f"{_money(facts.gross_minor, facts.currency)}."
        ),
        "access_activity_log": "\n".join(
            f"{item.at.isoformat(timespec='milliseconds')} {item.words}" for item in facts.timeline
        ),
        "refund_policy_disclosure": (
            f"Before anybody was rung, the customer agreed on {facts.consented_at.isoformat(timespec='seconds')} to "
            f"terms version {facts.terms_version}: a call under {_span(facts.threshold_ms)} costs nothing; {rule}; "
            "never more than the amount they allowed. The running price was on their screen during the whole call."
        ),
        "uncategorized_text": (
            "Connected time is what our server saw of both sides' media, to the millisecond; time in which one side "
            "was not seen is not charged. The log above is chained by hashes and the receipt is signed; both can be "
            f"verified without us. Taken: {_money(facts.captured_minor, facts.currency)}, given back: "
            f"{_money(facts.refunded_minor, facts.currency)}. Receipt: {facts.receipt_address}"
        ),
    }
    return {name: words[:MOST_CHARACTERS] for name, words in fields.items() if words}


def _span(ms: int) -> str:
    minutes, rest = divmod(ms, 60_000)
    return f"{minutes} min {rest // 1000}.{rest % 1000:03d} s" if rest else f"{minutes} min"


def _money(minor: int, currency: str) -> str:
    return f"{amount_text(minor, currency)} {currency.upper()}"
