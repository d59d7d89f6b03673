"""The simulation after the capture: refunds, disputes and payouts leave no violation; the oracle sees what is wrong.

``CATALOGUE=full`` plays more of them; many are ``python -m tests.simulation.run --paid --seeds 1000``.
"""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.fakes.gauge import number
from tests.simulation.evidence import Account, Found
from tests.simulation.later_oracle import judge_account
from tests.simulation.later_script import LIMIT_MINOR, NEVER, REFUSES, Again, Claim, Deed, GiveBack, Keep, Later, PayOut
from tests.simulation.oracle import judge
from tests.simulation.play import Play
from tests.simulation.script import paid, simple
from tests.simulation.studio import Studio
from tests.simulation.trouble import Rule, Trouble

CAPTURED, COMMISSION, SHARE = 1_650, 248, 1_402


@pytest.fixture
async def studio(database_url: str) -> AsyncIterator[Studio]:
    studio = Studio(database_url)
    await studio.open()
    yield studio
    await studio.close()


async def played(studio: Studio, *deeds: Deed, trouble: Trouble | None = None) -> tuple[Play, Found, Account]:
    """A call of eleven minutes in good weather, and these deeds after it, without a violation."""
    script = simple(7, trouble=Trouble(workers=1))
    play = Play(replace(script, later=Later(deeds, trouble or Trouble())), studio)
    outcome = await play.run()
    assert not outcome.violations
    studio.sweep()
    assert play.found is not None
    assert play.account is not None
    return play, play.found, play.account


@pytest.mark.timeout(900)
async def test_whatever_comes_after_a_capture_leaves_no_violation(studio: Studio) -> None:
    for seed in range(number(400, 30)):
        outcome = await Play(paid(seed), studio).run()
        assert not outcome.violations, (
            f"seed {seed} (replay: python -m tests.simulation.run --paid --seed {seed} --trace): {outcome.violations}"
        )


async def test_a_payout_a_refund_after_it_and_the_next_payout_carries_what_is_missing(studio: Studio) -> None:
    deeds = (PayOut(1), GiveBack(60, 0, 50), PayOut(120), Again(200), PayOut(1_100))
    _, _, account = await played(studio, *deeds)
    assert [one["amount"] for one in account.stripe_payouts] == [SHARE, SHARE - 825 + COMMISSION // 2]
    assert [row["amount_minor"] for row in account.payouts] == [SHARE, SHARE - 825 + COMMISSION // 2]


@pytest.mark.parametrize(("word", "state"), [(REFUSES, "rejected"), (NEVER, "awaiting")])
async def test_a_refund_above_the_limit_waits_for_a_yes(studio: Studio, word: str, state: str) -> None:
    _, found, _ = await played(studio, GiveBack(1, 0, 100, second=word))
    assert CAPTURED > LIMIT_MINOR
    assert [row["state"] for row in found.later.refunds] == [state]
    assert not found.later.stripe_refunds


async def test_a_held_account_is_paid_out_once_it_is_let_go(studio: Studio) -> None:
    play, _, account = await played(studio, Keep(1, release_s=300), PayOut(120), PayOut(600))
    assert [one["amount"] for one in account.stripe_payouts] == [SHARE]
    assert play.account is not None


async def test_a_refund_whose_answers_are_lost_is_one_refund(studio: Studio) -> None:
    trouble = Trouble(rules=(Rule("timeout_after_success", "refunds.create", 2), Rule("down", "refunds.list", 2)))
    _, found, _ = await played(studio, GiveBack(1, 0, 50, clicks=3), trouble=trouble)
    assert [one["amount"] for one in found.later.stripe_refunds] == [825]


async def test_the_oracle_notices_what_is_wrong_with_a_refund(studio: Studio) -> None:
    play, found, _ = await played(studio, GiveBack(1, 0, 50), GiveBack(300, 0, 50))
    later = found.later
    [first, second], [part, other] = later.refunds, later.parts
    [made, _] = later.stripe_refunds
    for rule, wrong in (
        ("what_finance_gave_back_went_back_once", replace(later, stripe_refunds=[*later.stripe_refunds, made])),
        ("what_finance_gave_back_went_back_once", replace(later, refunds=[first])),
        ("what_finance_gave_back_went_back_once", replace(later, approvals=[])),
        ("what_finance_gave_back_went_back_once", replace(later, parts=[part, {**other, "state": "failed"}])),
        ("nothing_goes_back_beyond_the_capture", replace(later, stripe_refunds=[*later.stripe_refunds, made])),
        ("the_commission_goes_back_with_it", replace(later, fee_refunds=[])),
        ("the_commission_goes_back_with_it", replace(later, parts=[{**part, "commission_minor": 0}, other])),
        ("the_books_are_stripes", replace(later, own_lines=later.own_lines[1:])),
        ("the_papers_say_what_went_back", replace(later, invoices=later.invoices[:-1])),
        ("what_came_after_is_told_once", replace(later, mails=[])),
    ):
        await notices(play, replace(found, later=wrong), rule)
    approved = replace(later, approvals=[{**one, "decided_by": one["asked_by"]} for one in later.approvals])
    assert second["state"] == "done"
    await notices(play, replace(found, later=approved), "what_finance_gave_back_went_back_once")


@pytest.mark.parametrize("word", ["won", "lost"])
async def test_the_oracle_notices_what_is_wrong_with_a_dispute(studio: Studio, word: str) -> None:
    play, found, _ = await played(studio, Claim(1, 0, 0, 100, answered_s=20, outcomes=((word, 60.0),)))
    later = found.later
    [row] = later.disputes
    assert (row["status"], len(later.reversals), len(later.returns)) == (word, 1, int(word == "won"))
    rule = "a_dispute_is_followed_to_its_end"
    for wrong in (
        replace(later, disputes=[]),
        replace(later, disputes=[{**row, "status": "under_review"}]),
        replace(later, disputes=[{**row, "withdrawn_minor": row["withdrawn_minor"] + 1}]),
        replace(later, reversals=[]),
        replace(later, returns=[*later.reversals, *later.returns]),
    ):
        await notices(play, replace(found, later=wrong), rule)
    if word == "lost":
        wrong = replace(later, invoices=later.invoices[:1])
        await notices(play, replace(found, later=wrong), "the_papers_say_what_went_back")


async def test_the_oracle_notices_what_is_wrong_with_a_payout(studio: Studio) -> None:
    play, _, account = await played(studio, PayOut(1, "returned"), Keep(30, release_s=None))
    [row] = account.payouts
    [line] = account.payout_lines
    bank = {name: 2 * held if name[0].endswith(":bank") else held for name, held in account.books.items()}
    twice = {name: held + SHARE if name[0].endswith(":bank") else held for name, held in bank.items()}
    for rule, wrong in (
        ("a_payout_is_the_sum_of_its_lines", replace(account, payouts=[])),
        ("a_payout_is_the_sum_of_its_lines", replace(account, payouts=[{**row, "status": "paid"}])),
        ("a_payout_is_the_sum_of_its_lines", replace(account, payout_lines=[])),
        ("a_payout_is_the_sum_of_its_lines", replace(account, payout_lines=[{**line, "charge_id": None}])),
        ("a_payout_is_the_sum_of_its_lines", replace(account, cases=[*account.cases, *account.cases])),
        ("the_account_is_stripes", replace(account, books=twice)),
        ("the_account_is_stripes", replace(account, strange=account.lines)),
        ("it_is_held_as_finance_says", replace(account, row={**account.row, "held_at": None})),
        ("nothing_is_left", replace(account, jobs=1)),
    ):
        told = judge_account(play.deeds, wrong)
        assert any(said.startswith(rule) for said in told), (rule, told)


async def notices(play: Play, wrong: Found, rule: str) -> None:
    """The oracle names this rule."""
    assert play.story is not None
    told = judge(play.script.calls[0], Trouble(workers=1), play.story, wrong)
    assert any(line.startswith(rule) for line in told), (rule, told)
