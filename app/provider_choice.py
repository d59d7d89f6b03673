"""Which payment provider a stack on this machine uses, PURE: the sandbox, or Stripe itself in its test mode."""

from collections.abc import Mapping
from enum import StrEnum

SECRET, WEBHOOK, PUBLISHABLE = "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_PUBLISHABLE_KEY"
_TEST = {SECRET: ("sk_test_", "rk_test_"), PUBLISHABLE: ("pk_test_",), WEBHOOK: ("whsec_",)}
_LIVE = ("sk_live_", "rk_live_", "pk_live_")


class Provider(StrEnum):
    """Whom the stack talks to."""

    SANDBOX = "sandbox"
    STRIPE = "stripe"


def choose(environment: Mapping[str, str]) -> Provider:
    """Stripe when all three of its values are given, the sandbox when neither key is.

    Raises RuntimeError, with the line to print, for a live key, for a part of the three, and for what is no key.
    """
    given = {name: environment.get(name, "").strip() for name in (SECRET, WEBHOOK, PUBLISHABLE)}
    live = [name for name, value in given.items() if value.startswith(_LIVE)]
    if live:
        raise RuntimeError(
            f"{' and '.join(live)} is a live key, and ./run is a demo: nobody's real card is charged here. "
            "Use the keys of Stripe's test mode."
        )
    if not given[SECRET] and not given[PUBLISHABLE]:
        return Provider.SANDBOX
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise RuntimeError(
            f"Stripe's test mode also needs {' and '.join(missing)}; without any Stripe key the sandbox is used."
        )
    wrong = [name for name, value in given.items() if not value.startswith(_TEST[name])]
    if wrong:
        expected = ", ".join(f"{name} begins with {_TEST[name][0]}" for name in wrong)
        raise RuntimeError(f"This does not look like Stripe's test mode: {expected}.")
    return Provider.STRIPE
