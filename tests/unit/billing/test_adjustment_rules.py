"""Between which accounts a correcting entry may move value."""

from uuid import UUID

import pytest

from billing.adjustments.rules import correction, mirrored, ours
from billing.ledger import entries

ANNA, BEN, EVE = UUID(int=1), UUID(int=2), UUID(int=3)


def entry(source: str, destination: str, amount_minor: int = 1) -> entries.Posting:
    return correction(ANNA, BEN, source=source, destination=destination, amount_minor=amount_minor)


@pytest.mark.parametrize("side", [ours(ANNA, BEN), mirrored(BEN)])
def test_among_its_own_every_account_may_be_corrected_to_every_other(side: tuple[str, ...]) -> None:
    for source in side:
        for destination in side:
            if source == destination:
                with pytest.raises(ValueError, match="itself"):
                    entry(source, destination)
            else:
                assert entry(source, destination, 7) == entries.Posting(source, destination, 7)


def test_what_we_owe_is_never_mixed_with_what_stripe_owes() -> None:
    for own in ours(ANNA, BEN):
        for mirror in mirrored(BEN):
            for source, destination in ((own, mirror), (mirror, own)):
                with pytest.raises(ValueError, match="stays among"):
                    entry(source, destination)


@pytest.mark.parametrize("strange", [entries.receivable(EVE), entries.payable(EVE), "platform:nowhere", ""])
def test_nobody_elses_account_is_touched(strange: str) -> None:
    with pytest.raises(ValueError, match="stays among"):
        entry(strange, entries.LOSSES)


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_nothing_or_less_is_no_correction(amount_minor: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        entry(entries.CLEARING, entries.LOSSES, amount_minor)
