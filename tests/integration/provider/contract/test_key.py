"""Whether Stripe itself was asked, and that it never is with a live key."""

import os

import pytest

from tests.integration.provider.contract.key import HOW, NAME, NoTestKey, key_of
from tests.integration.provider.contract.side import Side


async def test_stripe_itself_was_asked(side: Side, request: pytest.FixtureRequest) -> None:
    """The one line that is skipped without a key, and says how to give one."""
    if "sandbox" in request.node.callspec.id and key_of(os.environ) is None:
        pytest.skip(HOW)
    assert (await side.sdk.balance.retrieve_async()).livemode is False


@pytest.mark.parametrize("key", ["sk_test_1", "rk_test_1", " sk_test_1\n"])
def test_a_test_key_is_used(key: str) -> None:
    assert key_of({NAME: key}) == key.strip()


@pytest.mark.parametrize("environment", [{}, {NAME: ""}, {NAME: " "}, {"STRIPE_SECRET_KEY": "sk_test_1"}])
def test_without_a_key_of_its_own_nothing_is_sent_to_stripe(environment: dict[str, str]) -> None:
    assert key_of(environment) is None


@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1", "pk_test_1", "whsec_1", "something"])
def test_any_other_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(NoTestKey) as refused:
        key_of({NAME: key})
    assert key not in str(refused.value)
