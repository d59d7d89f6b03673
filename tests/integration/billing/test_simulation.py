"""The simulation inside ``./test``: seeds without a violation, exact replay, and R3, R4 and R8 of the catalogue.

``CATALOGUE=full`` runs the full numbers; ten thousand seeds are ``python -m tests.simulation.run --seeds 10000``.
"""

import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.gauge import number, say
from tests.simulation.evidence import Found
from tests.simulation.oracle import connected_ms, judge
from tests.simulation.play import Play
from tests.simulation.script import DECLINED, RAISE, TICKS, draw, simple
from tests.simulation.studio import Studio
from tests.simulation.trouble import Outage, Rule, Trouble

SEEDS, PARTS = 200, 4
AT = "payment_intents"


@pytest.fixture
async def studio(database_url: str) -> AsyncIterator[Studio]:
    studio = Studio(database_url)
    await studio.open()
    yield studio
    await studio.close()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
async def test_seeds_of_everything_that_can_happen_leave_no_violation(studio: Studio, part: int) -> None:
    for seed in range(part, SEEDS, PARTS):
        outcome = await Play(draw(seed), studio).run()
        assert not outcome.violations, (
            f"seed {seed} (replay: python -m tests.simulation.run --seed {seed} --trace): {outcome.violations}"
        )


async def test_a_seed_replays_exactly(studio: Studio) -> None:
    for seed in (10, 17):
        first = await Play(draw(seed), studio).run()
        studio.sweep()
        second = await Play(draw(seed), studio).run()
        assert len(first.trace) > 100
        assert first.trace == second.trace


# R3: whatever Stripe answers, there is exactly one capture

KINDS = {
    "timeout_after_success": ("create", "confirm", "capture"),
    "error_500": ("confirm", "capture"),  # at the creation nobody can know in time: the call is given up
    "error_500_after_success": ("create", "confirm", "capture"),
    "rate_429": ("create", "confirm", "capture"),
    "lock_409": ("create", "confirm", "capture"),
}
DAY_S = 86_500.0


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("kind", [*KINDS, "a_day_later"])
async def test_r3_there_is_exactly_one_capture(studio: Studio, kind: str) -> None:
    runs, began, late = number(1_000, 8), time.perf_counter(), 0
    for seed in range(runs):
        if kind == "a_day_later":  # about the time of the capture no worker is left, until Stripe has forgotten the key
            rules = (Rule("timeout_after_success", f"{AT}.capture", 1),)
            absences: tuple[Outage, ...] = (Outage(660.0 + seed % 40 / 5, DAY_S),)
        else:
            where = KINDS[kind][seed % len(KINDS[kind])]
            rules, absences = (Rule(kind, f"{AT}.{where}", 1 + seed % 3 if where == "capture" else 1),), ()
        trouble = Trouble(rules=rules, absences=absences, webhooks=float(seed % 2), copies=2, late_s=30.0)
        play = Play(simple(seed, trouble=trouble, extended=seed % 4 == 3), studio)
        outcome = await play.run()
        assert not outcome.violations, f"{kind} {seed}: {outcome.violations}"
        assert outcome.captured == 1_650, f"{kind} {seed}"
        assert play.found is not None
        late += play.found.charge["settled_at"] - play.found.charge["call_ended_at"] > timedelta(hours=24)
    assert late > 0 or kind != "a_day_later"
    say(f"R3 {kind}: {runs} runs, one capture each, {late} a day later, {time.perf_counter() - began:.0f} s")


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("kind", [*KINDS, "decline"])
async def test_r3_an_extension_raises_the_hold_once_or_places_one_further(studio: Studio, kind: str) -> None:
    runs, began, raised = number(500, 6), time.perf_counter(), 0
    for seed in range(runs):
        rules = (Rule(kind, RAISE, 1 + seed % 2),)
        trouble = Trouble(rules=rules, webhooks=float(seed % 2), copies=2, late_s=30.0, stall=seed % 3 * 0.01)
        play = Play(simple(seed, trouble=trouble, raised=True), studio)
        outcome = await play.run()
        assert not outcome.violations, f"{kind} {seed}: {outcome.violations}"
        assert play.found is not None
        assert (outcome.captured, play.found.charge["cap_minor"]) == (1_650, 2_500), f"{kind} {seed}"
        granted = [one["state"] for one in play.found.raises] == ["granted"]
        assert len(play.found.intents) == (1 if granted else 2), f"{kind} {seed}"
        raised += granted
    assert (raised == 0) is (kind == "decline"), raised
    say(f"R3 raise, {kind}: {runs} runs, {raised} raised, {time.perf_counter() - began:.0f} s")


# R4: the order, the repetition and the lateness of webhooks change nothing

LATE_S = 3 * 86_400.0


def normalised(found: Found) -> dict[str, object]:
    """The state of a call without ids and moments."""
    hold_of = {hold["id"]: hold["n"] for hold in found.holds}
    figures = ("state", "cap_minor", "connected_ms", "billed_ms", "gross_minor", "commission_minor", "net_minor")
    return {
        "charge": [found.charge[name] for name in (*figures, "captured_minor", "close_reason", "marked_ms")],
        "holds": [
            [hold[name] for name in ("n", "state", "amount_minor", "captured_minor", "provider_fee_minor", "unwanted")]
            for hold in found.holds
        ],
        "raises": [[one[name] for name in ("n", "state", "from_minor", "to_minor")] for one in found.raises],
        "commands": sorted((hold_of[one["hold_id"]], one["kind"], one["state"]) for one in found.commands),
        "intervals": [(one["n"], one["duration_ms"], one["cause"]) for one in found.intervals],
        "books": sorted((account.split(":")[-1], amount) for account, amount in found.books.items()),
        "cases": [case["kind"] for case in found.cases],
        "timeline": sorted((one["kind"], one["details"].get("n")) for one in found.timeline),
        "stripe": sorted((one["status"], one["amount_received"]) for one in found.intents),
        "stripe_balance": (
            sum(line["net"] for line in found.later.own_lines),
            found.consultant_net_minor,
            found.application_fees_minor,
        ),
    }


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("raised", [False, True])
async def test_r4_webhooks_in_any_order_ten_times_three_days_late_end_in_the_same_state(
    studio: Studio, raised: bool
) -> None:
    runs, began = number(500, 5), time.perf_counter()
    # Answers are lost, of the capture, of a raise: sometimes a webhook tells of them first, sometimes the sweeper.
    rules = tuple(Rule("timeout_after_success", one, 1) for one in (f"{AT}.capture", RAISE))
    quiet = Play(simple(0, trouble=Trouble(rules=rules, webhooks=0.0), extended=True, raised=raised), studio)
    assert not (await quiet.run()).violations
    assert quiet.found is not None
    expected = normalised(quiet.found)
    studio.sweep()
    for seed in range(runs):
        late_s = random.Random(seed).choice((0.5, 60.0, LATE_S))  # noqa: S311 - no secret
        trouble = Trouble(rules=rules, copies=10, exactly=True, late_s=late_s)
        play = Play(simple(seed, trouble=trouble, extended=True, raised=raised), studio)
        outcome = await play.run()
        assert not outcome.violations, f"{seed}: {outcome.violations}"
        assert play.found is not None
        assert normalised(play.found) == expected, f"permutation {seed}"
        assert play.delivered >= 10 * (6 if raised else 10)
    say(f"R4: {runs} permutations, one final state, {time.perf_counter() - began:.0f} s")


# R8: the wall clock may jump

SUMMER = datetime(2026, 3, 29, 0, 55, tzinfo=UTC)  # five minutes before the hour that Central Europe leaves out
WINTER = datetime(2026, 10, 25, 0, 55, tzinfo=UTC)  # … and before the one it has twice


@pytest.mark.parametrize("jump_s", [3_600.0, -3_600.0])
@pytest.mark.parametrize("connected_s", [599.999, 600.0, 1_234.5])
async def test_r8_a_wall_clock_that_jumps_an_hour_changes_no_billed_time(
    studio: Studio, jump_s: float, connected_s: float
) -> None:
    steady = await _played(studio, connected_s, Trouble(workers=1))
    jumped = await _played(studio, connected_s, Trouble(workers=1, jumps=((120.0, jump_s),)))
    assert jumped == steady


@pytest.mark.parametrize("start", [SUMMER, WINTER])
async def test_r8_summer_time_begins_and_ends_in_mid_call(
    database_url: str, monkeypatch: pytest.MonkeyPatch, start: datetime
) -> None:
    with _berlin(monkeypatch):
        studio = Studio(database_url, start=start)
        await studio.open()
        charge = await _played(studio, 1_234.5, Trouble(workers=1))
        await studio.close()
    assert charge["connected_ms"] == 1_234_500
    assert charge["captured_minor"] == 3_086


# A jump before the call, in its free time, before the warnings of the cap, and in its last seconds.
JUMPS_AT_S = (5.0, 120.0, 700.0, 1_790.0)
CAPPED = {"threshold_in_2_min": 480, "threshold_in_30_s": 570, "threshold_passed": 600}
CAPPED |= {"cap_in_3_min": 1_620, "cap_in_30_s": 1_770, "cap_reached": 1_800}
# The node's packets come every two seconds, a worker looks once a second, and each of their statements may take a while
# here: so late a mark may be told, and so much longer is talked for nothing. Money never passes the cap.
SLOW_S = 4.0
# A mark bears the moment in which its transaction began; what was observed is read some statements later.
BEGUN_S = 2.0


@pytest.mark.parametrize("at_s", JUMPS_AT_S)
@pytest.mark.parametrize("jump_s", [3_600.0, -3_600.0])
async def test_r8_a_wall_clock_that_jumps_neither_ends_a_call_before_its_cap_nor_lets_it_run_past_it(
    studio: Studio, jump_s: float, at_s: float
) -> None:
    trouble = Trouble(workers=1, jumps=((at_s, jump_s),))
    await _capped(studio, trouble)


@pytest.mark.parametrize("start", [SUMMER, WINTER])
async def test_r8_summer_time_begins_and_ends_before_the_cap(
    database_url: str, monkeypatch: pytest.MonkeyPatch, start: datetime
) -> None:
    with _berlin(monkeypatch):
        studio = Studio(database_url, start=start)
        await studio.open()
        await _capped(studio, Trouble(workers=1))
        await studio.close()


async def _capped(studio: Studio, trouble: Trouble) -> None:
    """A call that wants to go on for an hour ends with its thirty paid minutes; every mark is told at its time."""
    play = Play(simple(1, trouble=trouble, connected_s=3_600.0), studio)
    outcome = await play.run()
    assert not outcome.violations
    assert play.found is not None
    studio.sweep()
    charge = play.found.charge
    assert (charge["close_reason"], charge["captured_minor"]) == ("cap_reached", 4_500)
    assert 1_800_000 <= charge["connected_ms"] <= 1_800_000 + 1_000 * SLOW_S
    [opened] = [one for one in play.found.timeline if one["kind"] == "interval_opened"]
    told = {one["kind"]: one["at"].timestamp() for one in play.found.timeline if one["kind"] in CAPPED}
    late = {kind: told[kind] - opened["at"].timestamp() - at_s for kind, at_s in CAPPED.items()}
    off = [round(span, 1) for span in late.values() if not -BEGUN_S <= span <= SLOW_S]
    # The evidence names moments of the wall clock: after the jump they are all off by it, and by nothing else.
    jumps = [jump_s for _, jump_s in trouble.jumps] or [0.0]
    assert all(-BEGUN_S <= span - jump_s <= SLOW_S for span in off for jump_s in jumps), late


async def _played(studio: Studio, connected_s: float, trouble: Trouble) -> dict[str, object]:
    script = simple(1, trouble=trouble, connected_s=connected_s)
    call = replace(script.calls[0], cap_minor=90_000)  # ten hours
    play = Play(replace(script, calls=(call,)), studio)
    outcome = await play.run()
    assert not outcome.violations
    assert play.found is not None
    studio.sweep()
    charge = play.found.charge
    assert charge["connected_ms"] == connected_ms(call, call.ends)
    names = ("state", "connected_ms", "billed_ms", "gross_minor", "commission_minor", "net_minor", "captured_minor")
    return {name: charge[name] for name in names}


@contextmanager
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything that reads a zone of this machine finds Central Europe's."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    monkeypatch.setenv("PGTZ", "Europe/Berlin")
    time.tzset()
    try:
        yield
    finally:
        monkeypatch.undo()
        time.tzset()


# The oracle itself


async def test_the_oracle_notices_what_is_wrong(studio: Studio) -> None:
    script = simple(2, trouble=Trouble(workers=1))
    play = Play(script, studio)
    assert not (await play.run()).violations
    found, story = play.found, play.story
    assert found is not None
    assert story is not None
    [hold], [intent] = found.holds, found.intents
    spoilt = {
        "it_has_an_end": replace(found, charge={**found.charge, "state": "settling"}),
        "the_time_is_what_was_seen": replace(found, charge={**found.charge, "connected_ms": 660_001}),
        "the_amount_is_right": replace(found, charge={**found.charge, "captured_minor": 1_651}),
        "stripe_took_it_once": replace(found, intents=[intent, intent]),
        "the_cap_is_what_was_agreed": replace(found, holds=[hold, hold]),
        "commission_and_share_are_split": replace(found, application_fees_minor=247),
        "the_books_are_stripes": replace(found, later=replace(found.later, own_lines=found.later.own_lines[1:])),
        "nothing_is_unexplained": replace(found, cases=[{"kind": "capture_differs", "details": {}}]),
        "nothing_is_taken_while_the_bill_may_be_looked_at": replace(found, charge={**found.charge, "waived": True}),
        "it_is_told_once": replace(found, timeline=[*found.timeline, *found.timeline]),
        "it_is_settled_in_a_minute": replace(
            found, charge={**found.charge, "settled_at": found.charge["settled_at"] + timedelta(minutes=2)}
        ),
    }
    for rule, wrong in spoilt.items():
        told = judge(script.calls[0], script.trouble, story, wrong)
        assert any(line.startswith(rule) for line in told), (rule, told)
    assert connected_ms(script.calls[0], 300 * TICKS) == 300_000


async def test_the_oracle_notices_a_raise_that_is_not_as_it_should_be(studio: Studio) -> None:
    script = simple(6, trouble=Trouble(workers=1), raised=True)
    play = Play(script, studio)
    outcome = await play.run()
    assert (outcome.violations, outcome.captured) == ([], 1_650)
    found, story = play.found, play.story
    assert found is not None
    assert story is not None
    [hold], [one] = found.holds, found.raises
    assert (hold["amount_minor"], one["state"], found.charge["cap_minor"]) == (2_500, "granted", 2_500)
    told_twice = [event for event in found.timeline for _ in range(1 + (event["kind"] == "hold_raised"))]
    for wrong, rule in (
        (replace(found, holds=[{**hold, "amount_minor": 1_000}]), "a_raise_is_one_the_bank_offers"),
        (replace(found, raises=[{**one, "state": "asked"}]), "a_raise_is_one_the_bank_offers"),
        (replace(found, raises=[{**one, "state": "late"}]), "the_cap_is_what_was_agreed"),
        (replace(found, raises=[one, {**one, "client_key": "another"}]), "the_cap_is_what_was_agreed"),
        (replace(found, charge={**found.charge, "cap_minor": 1_000}), "the_cap_is_what_was_agreed"),
        (replace(found, timeline=told_twice), "it_is_told_once"),
    ):
        told = judge(script.calls[0], script.trouble, story, wrong)
        assert any(line.startswith(rule) for line in told), (rule, told)


async def test_the_oracle_notices_a_credit_that_is_not_as_it_should_be(studio: Studio) -> None:
    script = simple(7, trouble=Trouble(workers=1))
    owed = replace(script.calls[0], owed=(200, 100))
    play = Play(replace(script, calls=(owed,)), studio)
    outcome = await play.run()
    assert (outcome.violations, outcome.captured) == ([], 1_650)
    found, story = play.found, play.story
    assert found is not None
    assert story is not None
    assert found.charge["credited_minor"] == 248, "all of our commission, and no more"
    back = found.later.stripe_refunds
    reversed_too = [{**one, "transfer_reversal": "trr_1"} for one in back]
    untold = [event for event in found.timeline if event["kind"] != "credit_set"]
    for wrong in (
        replace(found, charge={**found.charge, "credited_minor": 300}),
        replace(found, later=replace(found.later, stripe_refunds=back[1:])),
        replace(found, later=replace(found.later, stripe_refunds=reversed_too)),
        replace(found, timeline=untold),
    ):
        told = judge(owed, script.trouble, story, wrong)
        assert any(line.startswith("a_credit_is_given_back_once_and_borne_by_the_house") for line in told), told
    unowed = judge(replace(owed, owed=()), script.trouble, story, found)
    assert any("nothing was owed" in line for line in unowed)


async def test_the_oracle_notices_a_late_hold_that_is_not_as_it_should_be(studio: Studio) -> None:
    script = simple(3, trouble=Trouble(workers=1))
    late = replace(script.calls[0], late=True)
    play = Play(replace(script, calls=(late,)), studio)
    outcome = await play.run()
    assert (outcome.violations, outcome.captured) == ([], 1_650)
    found, story = play.found, play.story
    assert found is not None
    assert story is not None
    assert story.began_at is not None
    rule = "a_late_hold_stands_before_the_threshold_or_nothing_is_due"
    unheld = replace(found, timeline=[event for event in found.timeline if event["kind"] != "hold_placed"])
    [stood] = [event for event in found.timeline if event["kind"] == "hold_placed"]
    at_ten = {**stood, "at": story.began_at + timedelta(seconds=602)}
    for wrong, expected in (
        (replace(found, charge={**found.charge, "late_hold_ms": None}), rule),
        (replace(unheld, timeline=[*unheld.timeline, at_ten]), rule),
        (unheld, "the_amount_is_right"),
    ):
        told = judge(late, script.trouble, story, wrong)
        assert any(line.startswith(expected) for line in told), (expected, told)


async def test_a_late_hold_that_is_refused_ends_the_call_at_ten_minutes_and_costs_nothing(studio: Studio) -> None:
    script = simple(4, trouble=Trouble(workers=1))
    late = replace(script.calls[0], late=True, card=DECLINED)
    play = Play(replace(script, calls=(late,)), studio)
    outcome = await play.run()
    assert (outcome.violations, outcome.captured) == ([], 0)
    assert play.found is not None
    assert play.story is not None
    assert play.story.ended_because == "hold_missed"
    [part] = play.story.parts
    on_and_on = replace(play.story, parts=(replace(part, ended_tick=late.ends),))
    assert any("went on without a hold" in line for line in judge(late, script.trouble, on_and_on, play.found))


async def test_the_oracle_notices_a_capture_inside_the_window(studio: Studio) -> None:
    script = simple(5, trouble=Trouble(workers=1))
    reviewed = replace(script.calls[0], review_s=600)
    play = Play(replace(script, calls=(reviewed,)), studio)
    outcome = await play.run()
    assert (outcome.violations, outcome.captured) == ([], 1_650)
    assert play.found is not None
    assert play.story is not None
    ended = next(event["at"] for event in play.found.timeline if event["kind"] == "call_ended")
    early = [
        {**event, "at": ended + timedelta(seconds=599)} if event["kind"] == "hold_captured" else event
        for event in play.found.timeline
    ]
    told = judge(reviewed, script.trouble, play.story, replace(play.found, timeline=early))
    assert [line.split(":")[0] for line in told] == ["nothing_is_taken_while_the_bill_may_be_looked_at"]
