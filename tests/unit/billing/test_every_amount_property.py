"""Every whole amount from 0 to 20,000, in every currency, under both policies: nothing is lost or made up."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from billing.charges.allocation import allocate, coverable_minor
from billing.metering.bill import bill, cap_ms
from billing.metering.intervals import Interval
from billing.metering.lines import lines
from billing.metering.terms import Policy, Price
from billing.proof.recompute import vat_in
from billing.tax import inclusive
from core.money import MINIMUM_CHARGE_MINOR, Currency, commission_minor

AMOUNTS = range(20_001)
THRESHOLD_MS, HOUR_MS = 600_000, 3_600_000
BPS = 1_500
START = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
MS_PER_MINOR = 300  # at 12,000 an hour


def call_of(currency: Currency, policy: Policy, amount: int, cap_minor: int) -> tuple[Price, int]:
    """A price and a connected time that make exactly this amount.

    The whole call: one hour at ``amount`` an hour (a call of nothing stays under the threshold).
    After the threshold: 12,000 an hour, 300 ms a minor unit.
    """
    if policy is Policy.WHOLE_CALL:
        price = Price(currency, amount or 9_000, policy, THRESHOLD_MS, cap_minor, BPS)
        return price, HOUR_MS if amount else THRESHOLD_MS - 1
    price = Price(currency, 12_000, policy, THRESHOLD_MS, cap_minor, BPS)
    return price, THRESHOLD_MS + amount * MS_PER_MINOR


def pieces(connected_ms: int) -> list[Interval]:
    """The same time in three stretches of odd lengths, with gaps between them."""
    cuts = [0, connected_ms // 3, connected_ms // 2 + 1, connected_ms]
    return [
        Interval(n, START + timedelta(milliseconds=begin + 5_000 * n), end - begin, cause="customer_unseen")
        for n, (begin, end) in enumerate(pairwise(cuts), 1)
        if end > begin
    ]


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("currency", Currency)
def test_commission_and_share_make_the_gross_and_the_lines_make_it_too(currency: Currency, policy: Policy) -> None:
    minimum = MINIMUM_CHARGE_MINOR[currency]
    produced = set()
    for amount in AMOUNTS:
        cap = amount + 1 + amount % 3 * 1_000  # just enough, or much more
        price, connected_ms = call_of(currency, policy, amount, cap)
        due = bill(price, connected_ms)
        expected = amount if amount >= minimum else 0
        assert due.gross_minor == expected <= cap
        assert due.commission_minor + due.net_minor == expected
        assert 2 * abs(due.commission_minor * 10_000 - expected * BPS) <= 10_000
        found = lines(price, pieces(connected_ms))
        assert sum(line.amount_minor for line in found) == expected
        assert sum(line.duration_ms for line in found if line.kind != "unbilled") == connected_ms
        assert all(line.amount_minor >= 0 for line in found)
        produced.add(due.gross_minor)
    assert produced == {0, *range(minimum, AMOUNTS.stop)}


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("currency", Currency)
def test_every_cap_is_charged_to_the_last_unit_and_never_passed(currency: Currency, policy: Policy) -> None:
    for cap in range(MINIMUM_CHARGE_MINOR[currency], AMOUNTS.stop):
        price = Price(currency, 7_199, policy, THRESHOLD_MS, cap, BPS)
        end = cap_ms(price)
        gross = bill(price, end + 1_000).gross_minor
        assert gross == bill(price, end).gross_minor <= cap
        # The cap smaller than the threshold's price is charged whole, the others to the rounding of a millisecond.
        assert gross == cap


@pytest.mark.parametrize(("mode", "rate_bps"), [("inclusive", 1_900), ("inclusive", 810), ("exempt", 0)])
def test_the_tax_in_every_amount_and_the_rest_make_it_as_the_checker_says(mode: str, rate_bps: int) -> None:
    for amount in AMOUNTS:
        split = inclusive(amount, rate_bps)
        assert split.net_minor + split.vat_minor == amount
        assert split.vat_minor == vat_in(amount, {"tax_mode": mode, "tax_rate_bps": rate_bps})


def divided(amount: int, minimum: int) -> Iterator[tuple[int, ...]]:
    """One, two and three holds that reach the amount, exactly or with some to spare."""
    most = max(amount, minimum)
    yield (most,)
    yield (most + 500,)
    for crumb in (1, minimum - 1, minimum, amount // 2):
        yield (max(minimum, amount - crumb), max(minimum, crumb))
    yield (max(minimum, amount // 3), max(minimum, amount // 3), max(minimum, amount - 2 * (amount // 3)))
    yield (minimum, max(minimum, amount - minimum - 1), minimum)


@pytest.mark.parametrize("currency", Currency)
def test_parts_of_one_two_and_three_holds_sum_and_so_do_their_fees(currency: Currency) -> None:
    minimum = MINIMUM_CHARGE_MINOR[currency]
    for amount in (0, *range(minimum, AMOUNTS.stop)):
        commission = commission_minor(amount, BPS)
        for holds in divided(amount, minimum):
            taken = coverable_minor(currency, amount, holds)
            # What cannot be split without a crumb below the minimum is given up: less than one minimum, and only
            # where the amount is so small that every hold is.
            assert taken == amount or (amount - minimum < taken < amount < len(holds) * minimum)
            parts = allocate(currency, taken, BPS, holds)
            assert sum(part.amount_minor for part in parts) == taken <= sum(holds)
            fees = sum(part.fee_minor for part in parts)
            assert fees == (commission if taken == amount else commission_minor(taken, BPS))
            for part, held in zip(parts, holds, strict=True):
                assert 0 <= part.fee_minor <= part.amount_minor <= held
                assert part.amount_minor == 0 or part.amount_minor >= minimum
