"""In which country a consultant's account is opened."""

import pytest

from billing.payouts.countries import SUPPORTED, settled
from core.errors import Conflict, Refused
from people.countries import COUNTRIES


def test_the_countries_are_those_of_the_regions_stripe_sends_money_to() -> None:
    assert len(SUPPORTED) == 33
    assert SUPPORTED < COUNTRIES
    assert {"DE", "AT", "LI", "NO", "CH", "GB", "CA", "US"} < SUPPORTED
    assert not SUPPORTED & {"IS", "JP", "AU", "IN", "TR", "BR"}


@pytest.mark.parametrize(
    ("fixed", "chosen", "stated", "country"),
    [
        (None, "AT", None, "AT"),
        (None, None, "CH", "CH"),
        (None, "AT", "CH", "AT"),
        ("DE", None, "CH", "DE"),  # where somebody is taxed later on changes no account
        ("DE", "DE", None, "DE"),
    ],
)
def test_what_was_opened_stays_then_what_was_chosen_counts_then_what_was_stated(
    fixed: str | None, chosen: str | None, stated: str | None, country: str
) -> None:
    assert settled(fixed, chosen, stated) == country


@pytest.mark.parametrize(
    ("chosen", "stated", "code"),
    [(None, None, "country_missing"), ("JP", "DE", "country_unsupported"), (None, "IS", "country_unsupported")],
)
def test_without_a_country_that_is_paid_nothing_is_opened(chosen: str | None, stated: str | None, code: str) -> None:
    with pytest.raises(Refused) as refused:
        settled(None, chosen, stated)
    assert refused.value.code == code


def test_the_country_of_an_account_is_not_changed() -> None:
    with pytest.raises(Conflict) as refused:
        settled("DE", "AT", None)
    assert refused.value.code == "country_fixed"
