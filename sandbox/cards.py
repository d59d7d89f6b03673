"""Test cards: what each number does (docs.stripe.com/testing)."""

from dataclasses import dataclass
from enum import StrEnum


class Behaviour(StrEnum):
    """What a test card does when it is saved, and when it is charged."""

    OK = "ok"
    DECLINED = "card_declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED = "expired_card"
    AUTHENTICATE_UNLESS_SET_UP = "authenticate_unless_set_up"
    AUTHENTICATE_ALWAYS = "authenticate_always"
    ALREADY_SET_UP = "already_set_up"
    DECLINED_LATER = "declined_later"
    DISPUTED = "disputed"  # by itself, once it is captured
    INQUIRED = "inquired"  # the bank asks first; no money moves
    REFUND_FAILS = "refund_fails"  # a refund succeeds, and fails a little later


@dataclass(frozen=True, slots=True)
class TestCard:
    """A number and its story."""

    number: str
    brand: str
    behaviour: Behaviour
    token: str


TEST_CARDS = (
    TestCard("4242424242424242", "visa", Behaviour.OK, "pm_card_visa"),
    TestCard("5555555555554444", "mastercard", Behaviour.OK, "pm_card_mastercard"),
    TestCard("4000000000000002", "visa", Behaviour.DECLINED, "pm_card_visa_chargeDeclined"),
    TestCard("4000000000009995", "visa", Behaviour.INSUFFICIENT_FUNDS, "pm_card_visa_chargeDeclinedInsufficientFunds"),
    TestCard("4000000000000069", "visa", Behaviour.EXPIRED, "pm_card_chargeDeclinedExpiredCard"),
    TestCard("4000002500003155", "visa", Behaviour.AUTHENTICATE_UNLESS_SET_UP, "pm_card_authenticationRequiredOnSetup"),
    TestCard("4000002760003184", "visa", Behaviour.AUTHENTICATE_ALWAYS, "pm_card_authenticationRequired"),
    TestCard("4000003800000446", "visa", Behaviour.ALREADY_SET_UP, "pm_card_authenticationRequiredSetupForOffSession"),
    TestCard("4000000000000341", "visa", Behaviour.DECLINED_LATER, "pm_card_chargeCustomerFail"),
    TestCard("4000000000000259", "visa", Behaviour.DISPUTED, "pm_card_createDispute"),
    TestCard("4000000000001976", "visa", Behaviour.INQUIRED, "pm_card_createDisputeInquiry"),
    TestCard("4000000000005126", "visa", Behaviour.REFUND_FAILS, "pm_card_refundFail"),
)
# Its charges are available at once, which here all are; so the form need not offer it.
_AVAILABLE_AT_ONCE = TestCard("4000000000000077", "visa", Behaviour.OK, "pm_card_bypassPending")
BY_NUMBER = {card.number: card for card in (*TEST_CARDS, _AVAILABLE_AT_ONCE)}
BY_TOKEN = {card.token: card for card in (*TEST_CARDS, _AVAILABLE_AT_ONCE)}

_REFUSES_SAVING = {Behaviour.DECLINED, Behaviour.INSUFFICIENT_FUNDS, Behaviour.EXPIRED}
AUTHENTICATES_SETUP = {Behaviour.AUTHENTICATE_UNLESS_SET_UP, Behaviour.AUTHENTICATE_ALWAYS}
_REFUSES_CHARGE = _REFUSES_SAVING | {Behaviour.DECLINED_LATER}

# Stripe offers incremental authorization by brand, country and merchant category, with no test card of its own for a
# refusal online. Here every Visa is incrementable, and Mastercard is the card that is not.
INCREMENTABLE_BRANDS = {"visa"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A bank's no: Stripe's code, the bank's code, and the sentence for the customer."""

    code: str
    decline_code: str | None
    message: str


_REFUSALS = {
    "insufficient_funds": Refusal("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    "expired_card": Refusal("expired_card", "expired_card", "Your card has expired."),
    "authentication_required": Refusal(
        "authentication_required",
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
}
_GENERIC = Refusal("card_declined", "generic_decline", "Your card was declined.")
INCORRECT_NUMBER = Refusal("incorrect_number", None, "Your card number is incorrect.")


def refusal(decline_code: str) -> Refusal:
    """The refusal with this decline code; the generic one for codes we have no sentence for."""
    return _REFUSALS.get(decline_code) or Refusal("card_declined", decline_code, _GENERIC.message)


def authenticates_payment(behaviour: Behaviour, *, away: bool, set_up: bool) -> bool:
    """Whether the bank wants to see the customer (docs.stripe.com/testing#authentication-and-setup).

    ``away``: off-session; ``set_up``: the card was saved by a SetupIntent for such payments.
    """
    match behaviour:
        case Behaviour.AUTHENTICATE_ALWAYS:
            return True
        case Behaviour.AUTHENTICATE_UNLESS_SET_UP:
            return not (away and set_up)
        case Behaviour.ALREADY_SET_UP:
            return not away
        case _:
            return False


def refuses_saving(behaviour: Behaviour) -> Refusal | None:
    """Whether the bank says no when the card is saved."""
    return _REFUSALS.get(behaviour.value, _GENERIC) if behaviour in _REFUSES_SAVING else None


def refuses_charge(behaviour: Behaviour) -> Refusal | None:
    """Whether the bank says no when the card is charged."""
    return _REFUSALS.get(behaviour.value, _GENERIC) if behaviour in _REFUSES_CHARGE else None
