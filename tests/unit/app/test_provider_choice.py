"""./run charges the sandbox, or Stripe's test mode when it is wholly configured, and never a real card."""

from itertools import product

import pytest

from app.provider_choice import PUBLISHABLE, SECRET, WEBHOOK, Provider, choose

STRIPE = {SECRET: "sk_test_1", WEBHOOK: "whsec_1", PUBLISHABLE: "pk_test_1"}


def test_without_a_key_the_sandbox_is_used() -> None:
    assert choose({}) is Provider.SANDBOX
    assert choose({SECRET: "", PUBLISHABLE: " "}) is Provider.SANDBOX
    assert choose({WEBHOOK: "whsec_1"}) is Provider.SANDBOX


def test_with_all_three_values_of_the_test_mode_it_is_stripe_itself() -> None:
    assert choose(STRIPE) is Provider.STRIPE
    assert choose({**STRIPE, SECRET: "rk_test_restricted"}) is Provider.STRIPE


@pytest.mark.parametrize("missing", list(STRIPE))
def test_a_part_of_it_is_refused_and_what_is_missing_is_named(missing: str) -> None:
    with pytest.raises(RuntimeError, match=missing):
        choose({**STRIPE, missing: ""})


def test_a_live_key_is_refused_wherever_it_stands_and_whatever_else_is_there() -> None:
    live = {SECRET: ("sk_" + "live_x", "rk_" + "live_x"), PUBLISHABLE: ("pk_" + "live_x",)}
    for name, others in product(live, (STRIPE, {})):
        for key in live[name]:
            with pytest.raises(RuntimeError, match=f"{name} is a live key"):
                choose({**others, name: key})


@pytest.mark.parametrize("name", list(STRIPE))
def test_what_is_no_key_of_the_test_mode_is_refused(name: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name} begins with"):
        choose({**STRIPE, name: "something"})
