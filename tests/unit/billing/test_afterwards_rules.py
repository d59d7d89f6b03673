"""Pure rules of what comes after a capture: refunds in parts, payout schedules, problems, collection, evidence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.collection.plan import ATTEMPTS_AFTER, next_attempt
from billing.disputes.evidence import CallFacts, Observed, evidence
from billing.ledger import entries
from billing.payouts.schedule import DEFAULT, HELD, agrees, chosen
from billing.problems.rules import Answer, Category, Facts, Finding, decide
from billing.refunds.plan import Captured, plan, refundable_minor
from core.errors import Refused
from core.ids import new_id
from core.money import commission_minor

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

capture = st.integers(50, 20_000).map(
    lambda amount: Captured("h", amount, commission_minor(amount, 1_500), 0, 0)  # a fresh capture at 15 %
)


@given(st.lists(capture, min_size=1, max_size=3), st.lists(st.integers(1, 5_000), min_size=1, max_size=6))
def test_refunds_in_parts_never_give_back_more_than_was_taken_of_either_side(
    captures: list[Captured[str]], amounts: list[int]
) -> None:
    left = [Captured(index, c.amount_minor, c.fee_minor, 0, 0) for index, c in enumerate(captures)]
    given_back = 0
    for wanted in [*amounts, 10**9]:
        most = refundable_minor(left)
        amount = min(wanted, most)
        if not amount:
            with pytest.raises(ValueError, match="refund"):
                plan(left, 1)
            continue
        parts = plan(left, amount)
        assert sum(part.amount_minor for part in parts) == amount
        given_back += amount
        for part in parts:
            old = left[part.hold]
            assert 0 <= part.commission_minor <= part.amount_minor
            left[part.hold] = Captured(
                part.hold,
                old.amount_minor,
                old.fee_minor,
                old.refunded_minor + part.amount_minor,
                old.fee_returned_minor + part.commission_minor,
            )
    assert given_back == sum(c.amount_minor for c in captures)
    assert all(one.fee_returned_minor == one.fee_minor for one in left), "the whole commission, once all is given back"


@given(st.integers(1, 20_000), st.integers(0, 20_000))
def test_every_fact_after_a_capture_balances_and_undoes_what_it_takes_back(amount: int, commission: int) -> None:
    commission = min(commission, amount)
    customer, consultant = new_id(), new_id()
    share = amount - commission

    def held(postings: list[entries.Posting]) -> dict[str, int]:
        sums: dict[str, int] = {}
        for posting in postings:
            sums[posting.source] = sums.get(posting.source, 0) - posting.amount_minor
            sums[posting.destination] = sums.get(posting.destination, 0) + posting.amount_minor
        return {account: value for account, value in sums.items() if value}

    taken = [
        *entries.settled(customer, consultant, share_minor=share, commission_minor=commission),
        *entries.captured(customer, consultant, amount_minor=amount, share_minor=share),
    ]
    refunded = entries.refunded(customer, consultant, amount_minor=amount, commission_minor=commission)
    lost = [
        *entries.dispute_withdrawn(amount),
        *entries.share_reversed(consultant, share),
        *entries.dispute_lost(customer, consultant, amount_minor=amount, share_minor=share),
    ]
    won = [
        *entries.dispute_withdrawn(amount),
        *entries.share_reversed(consultant, share),
        *entries.dispute_reinstated(amount),
        *entries.share_returned(consultant, share),
    ]
    assert held([*taken, *refunded]) == {}
    assert held([*taken, *lost]) == {}
    assert held([*taken, *won]) == held(taken)
    assert sum(held(taken).values()) == 0


@pytest.mark.parametrize(
    ("category", "facts", "answer"),
    [
        (Category.AMOUNT, Facts(599_000, 0, 0, 0, 0), Answer(Finding.NOT_CHARGED)),
        (Category.CONSULTANT_ABSENT, Facts(0, 0, 0, 0, 0), Answer(Finding.NOT_CHARGED)),
        (Category.CONDUCT, Facts(0, 0, 0, 0, 0), Answer(Finding.UNDECIDED)),
        (Category.CONSULTANT_ABSENT, Facts(9_999, 50, 50, 0, 0), Answer(Finding.NEVER_CONNECTED, 50)),
        (Category.NO_MEDIA, Facts(9_999, 50, 50, 20, 0), Answer(Finding.NEVER_CONNECTED, 30)),
        (Category.NO_MEDIA, Facts(10_000, 50, 50, 0, 0), Answer(Finding.UNDECIDED)),
        (Category.CHARGED_TWICE, Facts(660_000, 1_650, 1_650, 0, 10_000), Answer(Finding.OVERLAPPING_CALL, 1_650)),
        (Category.CHARGED_TWICE, Facts(660_000, 1_650, 1_650, 0, 9_999), Answer(Finding.UNDECIDED)),
        (Category.CHARGED_TWICE, Facts(660_000, 1_650, 1_700, 0, 0), Answer(Finding.TAKEN_TOO_MUCH, 50)),
        (Category.CHARGED_TWICE, Facts(660_000, 1_650, 1_650, 0, 0), Answer(Finding.UNDECIDED)),
        (Category.CHARGED_TWICE, Facts(660_000, 1_650, 1_650, 1_650, 1), Answer(Finding.NOT_CHARGED)),
        (Category.QUALITY, Facts(660_000, 1_650, 1_650, 0, 0), Answer(Finding.UNDECIDED)),
    ],
)
def test_the_table_of_problems(category: Category, facts: Facts, answer: Answer) -> None:
    assert decide(category, facts) == answer


def test_a_schedule_is_what_stripe_can_do_and_nothing_else() -> None:
    assert chosen("weekly", weekly_anchor="friday", monthly_anchor=None, delay_days=14).weekly_anchor == "friday"
    assert chosen("manual", weekly_anchor="friday", monthly_anchor=None, delay_days=14).weekly_anchor is None
    for interval, weekday, day, delay in (
        ("weekly", None, None, 14),
        ("weekly", "sunday", None, 14),
        ("monthly", None, 29, 14),
        ("monthly", None, None, 14),
        ("weekly", "monday", None, 13),
        ("weekly", "monday", None, 32),
        ("hourly", "monday", 1, 14),
    ):
        with pytest.raises(Refused):
            chosen(interval, weekly_anchor=weekday, monthly_anchor=day, delay_days=delay)


def test_only_what_an_interval_uses_is_compared() -> None:
    assert agrees(DEFAULT.as_json(), {**DEFAULT.as_json(), "monthly_anchor": 5})
    assert not agrees(DEFAULT.as_json(), {**DEFAULT.as_json(), "weekly_anchor": "tuesday"})
    assert not agrees(DEFAULT.as_json(), {**DEFAULT.as_json(), "delay_days": 7})
    assert agrees(HELD.as_json(), {"interval": "manual", "delay_days": 3})


def test_a_collection_waits_longer_each_time_and_ends() -> None:
    moments = [next_attempt(NOW, n) for n in range(len(ATTEMPTS_AFTER) + 1)]
    assert moments[0] == NOW
    assert moments[-1] is None
    gaps = [after - before for before, after in pairwise(moments) if before and after]
    assert gaps == sorted(gaps)
    assert moments[-2] == NOW + timedelta(days=7)


def test_the_evidence_says_what_was_agreed_and_seen() -> None:
    facts = CallFacts(
        reference="CC-20261121-7KQ2",
        customer_name="Carla Customer",
        customer_email="carla@example.com",
        consultant_name="Anna Albrecht",
        question="Why is my query slow?",
        currency="eur",
        gross_minor=1_650,
        captured_minor=1_650,
        rate_minor_per_hour=9_000,
        threshold_ms=600_000,
        policy="whole_call",
        connected_ms=660_000,
        billed_ms=660_000,
        terms_version="2026-01",
        consented_at=NOW,
        started_at=NOW + timedelta(seconds=30),
        timeline=[Observed(NOW, "side seen side=customer"), Observed(NOW, "threshold passed")] * 3_000,
        refunded_minor=0,
        receipt_address="https://example.com/call/1/done",
    )
    package = evidence(facts)
    assert "connected for 11 min; 11 min were" in package["product_description"]
    assert "16.50 EUR" in package["product_description"]
    in_yen = evidence(replace(facts, currency="jpy"))
    assert "charged at 9000 JPY an hour: 1650 JPY." in in_yen["product_description"]
    assert "2026-01" in package["refund_policy_disclosure"]
    assert package["service_date"] == "2026-11-21"
    assert package["access_activity_log"].startswith("2026-11-21T12:00:00.000+00:00 side seen")
    assert all(len(words) <= 20_000 for words in package.values())
    assert set(package) <= {
        "customer_name",
        "customer_email_address",
        "service_date",
        "product_description",
        "access_activity_log",
        "refund_policy_disclosure",
        "uncategorized_text",
    }
