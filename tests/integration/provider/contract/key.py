"""The key of Stripe's test mode, from the environment; without one the contract is the sandbox's alone."""

from collections.abc import Mapping

NAME = "STRIPE_TEST_KEY"
HOW = (
    f"{NAME} is not set, so the contract was checked against the sandbox alone; "
    f"with {NAME}=sk_test_… (Dashboard, Developers, API keys) it is checked against Stripe's test mode too"
)


class NoTestKey(ValueError):
    """What was given is no key of test mode: nothing is sent with it."""


def key_of(environment: Mapping[str, str]) -> str | None:
    """The key, or None when none is given. Raises NoTestKey for a live key, and for whatever else is no test key."""
    given = environment.get(NAME, "").strip()
    if not given:
        return None
    if "_live_" in given:
        raise NoTestKey(f"{NAME} holds a live key: these tests move money and never do so for real. Give a test key.")
    if not given.startswith(("sk_test_", "rk_test_")):
        raise NoTestKey(f"{NAME} is no key of Stripe's test mode: those begin with sk_test_ or rk_test_.")
    return given
