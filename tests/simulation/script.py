"""The script of a seed, PURE: what people, the network, the bank and Stripe do. Nothing in here knows our code.

Times of media are ticks of 1/1024 s since media began: exact in floats as in integers.
"""

import random
from dataclasses import dataclass, field, replace
from itertools import pairwise

from tests.simulation import later_script
from tests.simulation.later_script import Later
from tests.simulation.trouble import KINDS, Outage, Rule, Trouble

TICKS = 1_024
THRESHOLD_S = 600
LATE_S = 480  # when the hold of a trusted customer is placed
CURRENCIES = {"eur": 50, "usd": 50, "gbp": 30, "chf": 50, "jpy": 50}


@dataclass(frozen=True, slots=True)
class Card:
    """How the bank answers for a card; ``customer`` is what the customer does when asked (3-D Secure)."""

    token: str
    customer: str = ""  # succeeded | failed | leaves


GOOD = Card("pm_card_visa")
FIXED = Card("pm_card_mastercard")  # as good, and a hold on it cannot be raised
WILLING = {GOOD, FIXED}
DECLINED = Card("pm_card_chargeCustomerFail")
SECURE = {what: Card("pm_card_authenticationRequired", what) for what in ("succeeded", "failed", "leaves")}


@dataclass(frozen=True, slots=True)
class Extend:
    """The customer clicks *Extend* ``at_s`` after media began; a nervous one clicks the same click again.

    With a ``card`` they choose that one first, so a hold is placed on it; without, the hold that stands may be raised.
    """

    at_s: float
    card: Card | None = GOOD
    clicks: int = 1


@dataclass(frozen=True, slots=True)
class Lapse:
    """The bank lets the holds of this call go, ``at_s`` after media began."""

    at_s: float


Step = Extend | Lapse


@dataclass(frozen=True, slots=True)
class Lost:
    """A call that ends because the connection is lost for good: what people do about it, ``after_s`` later.

    They talk ``on`` (as many as ``clicks`` come back at once), or, without that, say that they are done; with no
    ``after_s`` nobody does anything.
    """

    after_s: float | None = None
    on: "Call | None" = None
    clicks: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its price, its card, who is connected when, and what the customer does meanwhile.

    ``presence`` are stretches in which a side sends media, ``pauses`` what both agreed not to count, ``ends`` when
    somebody leaves, or the connection is given up as ``lost``. With ``leaves_after_s`` the customer goes that long
    after the accept, whatever stands by then. ``late``: the customer is trusted, so their hold is placed at eight
    minutes. ``review_s`` is how long the bill may be looked at before it is taken: the house's terms. ``owed`` are the
    credits the customer has by then, for promises that were missed before.
    """

    currency: str
    policy: str
    rate_minor_per_hour: int
    cap_minor: int
    card: Card
    presence: dict[str, tuple[tuple[int, int], ...]]
    pauses: tuple[tuple[int, int], ...]
    ends: int
    steps: tuple[Step, ...] = ()
    begins_s: float = 0.0
    leaves_after_s: float | None = None
    lost: Lost | None = None
    late: bool = False
    review_s: int = 0
    owed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """A seed, written out."""

    seed: int
    calls: tuple[Call, ...]
    trouble: Trouble = field(default_factory=Trouble)
    later: Later | None = None


WRITES = ("payment_intents.create", "payment_intents.confirm", "payment_intents.capture", "payment_intents.cancel")
RAISE = "payment_intents.increment_authorization"
REFUND = "refunds.create"
READS = ("payment_intents.retrieve", "payment_intents.list")


def draw(seed: int) -> Script:
    """The script of a seed."""
    chance = random.Random(f"script {seed}")  # noqa: S311 - a simulation that must replay, no secret
    number = 2 if chance.random() < 0.1 else 1
    policy = chance.choice(("whole_call", "whole_call", "after_threshold"))  # the house's terms
    later = chance.choice((0.0, 1.0, 400.0))
    calls = tuple(_call(chance, policy, begins_s=index * later) for index in range(number))
    trouble = _trouble(chance)
    fate = random.Random(f"lost {seed}")  # noqa: S311 - a source of its own: what else a seed does stays as it was
    if number == 1 and calls[0].ends and calls[0].leaves_after_s is None and fate.random() < 0.3:
        calls = (_lost(fate, calls[0]),)
    # Drawn apart, so that what else a seed means stays as it was. In pairs one call could cost the other its trust.
    apart = random.Random(f"late {seed}")  # noqa: S311 - the same
    late = number == 1 and apart.random() < 0.35
    review_s = apart.choice((0, 0, 0, 45, 600, 7_200))
    calls = tuple(replace(call, late=late, review_s=review_s) for call in calls)
    more = random.Random(f"raise {seed}")  # noqa: S311 - the same
    script = _raised(more, Script(seed, calls, trouble))
    # In a seed with a late hold the customer's trust, and so what a further call begins with, would hang on all this.
    later = later_script.draw(seed, number, again=not late)
    if later is not None:
        return replace(script, later=later)
    before = random.Random(f"owed {seed}")  # noqa: S311 - the same
    return _owing(before, script)


def paid(seed: int) -> Script:
    """A call that is paid for whatever the seed, every third by two holds, and what comes after it."""
    chance = random.Random(f"paid {seed}")  # noqa: S311 - a simulation that must replay, no secret
    script = simple(seed, trouble=Trouble(workers=1 + seed % 2), extended=seed % 3 == 0)
    return replace(script, later=later_script.drawn(chance, 1, again=True))


def once_more(call: Call) -> Call:
    """Eleven minutes between the same two, at the same price, on a good card."""
    length = 660 * TICKS
    both = {"customer": ((0, length),), "consultant": ((0, length),)}
    cap = max(CURRENCIES[call.currency], call.rate_minor_per_hour // 2)
    return Call(
        call.currency, call.policy, call.rate_minor_per_hour, cap, GOOD, both, (), length, review_s=call.review_s
    )


def simple(
    seed: int, *, trouble: Trouble, connected_s: float = 660.0, extended: bool = False, raised: bool = False
) -> Script:
    """A call of eleven minutes on a good card, in the given trouble.

    ``extended`` by a second hold it needs, or, ``raised``, by as much more on the first one.
    """
    length = int(connected_s * TICKS)
    both = {"customer": ((0, length),), "consultant": ((0, length),)}
    steps = (Extend(30.0, None if raised else GOOD),) if extended or raised else ()
    cap = 1_000 if steps else 4_500
    return Script(seed, (Call("eur", "whole_call", 9_000, cap, GOOD, both, (), length, steps),), trouble)


def _raised(chance: random.Random, script: Script) -> Script:
    """The same seed with extensions on the card that is there, cards that allow no raise, and banks that refuse one."""
    calls = []
    for call in script.calls:
        steps = tuple(
            replace(step, card=None) if isinstance(step, Extend) and chance.random() < 0.6 else step
            for step in call.steps
        )
        length_s = call.ends / TICKS
        if length_s and chance.random() < 0.35:
            clicks = chance.choice((1, 1, 2))
            steps += tuple(Extend(chance.uniform(1, length_s), None, clicks) for _ in range(chance.choice((1, 1, 2))))
        card = FIXED if call.card == GOOD and chance.random() < 0.25 else call.card
        calls.append(replace(call, steps=steps, card=card))
    trouble = script.trouble
    if trouble.rules or chance.random() < 0.3:
        kind = chance.choice((*KINDS, "decline", "decline"))
        trouble = replace(trouble, rules=(*trouble.rules, Rule(kind, RAISE, chance.choice((1, 1, 2, 5)))))
    return Script(script.seed, tuple(calls), trouble)


def _owing(chance: random.Random, script: Script) -> Script:
    """The same seed with a customer whom the house owes credits, and a Stripe that misbehaves when they go back."""
    if len(script.calls) > 1 or chance.random() >= 0.7:
        return script
    owed = tuple(chance.choice((1, 250, 750, 5_000)) for _ in range(chance.choice((1, 1, 2, 3))))
    trouble = script.trouble
    if chance.random() < 0.5:
        trouble = replace(trouble, rules=(*trouble.rules, Rule(chance.choice(KINDS), REFUND, chance.choice((1, 2, 5)))))
    return Script(script.seed, (replace(script.calls[0], owed=owed),), trouble)


def _call(chance: random.Random, policy: str, *, begins_s: float) -> Call:
    currency = chance.choice(sorted(CURRENCIES))
    rate = chance.choice((300, 1_999, 6_000, 9_000, 9_001, 12_345, 36_000, 100_000))
    minutes = chance.choice((5, 10, 11, 20, 30))
    cap = max(CURRENCIES[currency], rate * minutes // 60)
    card = chance.choices((GOOD, DECLINED, SECURE["succeeded"], SECURE["failed"], SECURE["leaves"]), (74, 5, 13, 4, 4))[
        0
    ]
    paid_s = cap * 3_600 // rate + (THRESHOLD_S if policy == "after_threshold" else 0)
    target = max(0, _target(chance, max(THRESHOLD_S, paid_s)))
    presence, pauses, last = _media(chance, target)
    ends = last + (0 if chance.random() < 0.5 else chance.randrange(20 * TICKS))
    steps: list[Step] = []
    if last and chance.random() < 0.3:
        when = chance.choice((chance.uniform(1, last / TICKS), max(1.0, paid_s - chance.choice((0.2, 5, 100)))))
        kind = chance.choices((GOOD, DECLINED, SECURE["succeeded"], SECURE["leaves"]), (70, 10, 15, 5))[0]
        steps.append(Extend(when, kind, chance.choice((1, 1, 2, 3))))
        if chance.random() < 0.3:
            steps.append(Extend(when + chance.uniform(1, 200)))
    if last and chance.random() < 0.04:
        steps.append(Lapse(chance.uniform(0, last / TICKS + 5)))
    leaves = chance.choice((0.0, 0.5, 3.0, 30.0)) if chance.random() < 0.06 else None
    return Call(currency, policy, rate, cap, card, presence, pauses, ends, tuple(steps), begins_s, leaves)


def _target(chance: random.Random, paid_s: int) -> int:
    """Connected ticks: mostly near where a rule begins or ends."""
    threshold = THRESHOLD_S * TICKS
    return chance.choice(
        (
            0,
            chance.randrange(threshold),
            threshold - 1,
            threshold,
            threshold + 1,
            threshold + chance.randrange(120 * TICKS),
            paid_s * TICKS - 1_500,
            paid_s * TICKS,
            paid_s * TICKS + chance.randrange(300 * TICKS),
            chance.randrange(3_000 * TICKS),
        )
    )


def _media(
    chance: random.Random, target: int
) -> tuple[dict[str, tuple[tuple[int, int], ...]], tuple[tuple[int, int], ...], int]:
    """Presence of both sides that overlaps for ``target`` ticks, in one to four pieces."""
    if target == 0:
        return ({"customer": (), "consultant": ()} if chance.random() < 0.5 else _one_alone(chance)), (), 0
    pieces = min(chance.choice((1, 1, 2, 3, 4)), max(1, target // (10 * TICKS)))
    cuts = sorted(chance.sample(range(1, target), pieces - 1)) if pieces > 1 else []
    lengths = [end - begin for begin, end in zip([0, *cuts], [*cuts, target], strict=True)]
    begin = chance.choice((0, chance.randrange(1, 20 * TICKS)))
    sides: dict[str, list[tuple[int, int]]] = {"customer": [], "consultant": []}
    since = dict.fromkeys(sides, begin)
    since[chance.choice(sorted(sides))] = 0  # one of them joins earlier
    pauses: list[tuple[int, int]] = []
    at = begin
    for number, length in enumerate(lengths):
        at += length
        if number == len(lengths) - 1:
            break
        gap = chance.randrange(4 * TICKS, 80 * TICKS)
        why = chance.choice(("customer", "consultant", "both", "pause"))
        if why == "pause":
            pauses.append((at, at + gap))
        for side in sides if why == "both" else [why] if why in sides else []:
            sides[side].append((since[side], at))
            since[side] = at + gap
        at += gap
    for side, stretches in sides.items():
        stretches.append((since[side], at))
    return {side: tuple(stretches) for side, stretches in sides.items()}, tuple(pauses), at


def _lost(chance: random.Random, call: Call) -> Call:
    """The same call, lost on the way; together its parts are about as long as where a rule begins or ends."""
    paid_s = call.cap_minor * 3_600 // call.rate_minor_per_hour
    paid_s += THRESHOLD_S if call.policy == "after_threshold" else 0
    target = max(2, _target(chance, max(THRESHOLD_S, paid_s)))
    cuts = sorted(chance.randrange(1, target) for _ in range(chance.choice((0, 1, 1, 1, 2))))
    lengths = [end - begin for begin, end in pairwise([0, *cuts, target])]
    if chance.random() < 0.15:
        lengths.insert(1, 0)  # somebody comes back alone
    on: Call | None = None
    for number, length in reversed([*enumerate(lengths)]):
        presence, pauses, last = _media(chance, length)
        lost = None
        if on is not None:
            lost = Lost(chance.choice((2.0, 30.0, 300.0, 590.0, 605.0)), on, chance.choice((1, 1, 2, 3)))
        elif number == 0 or chance.random() < 0.3:
            lost = Lost(chance.choice((None, 5.0, 400.0)))
        ends = last + (90 * TICKS if lost and last else 0)
        on = replace(call, presence=presence, pauses=pauses, ends=ends, lost=lost, steps=() if number else call.steps)
    assert on is not None
    return on


def _one_alone(chance: random.Random) -> dict[str, tuple[tuple[int, int], ...]]:
    alone = chance.choice(("customer", "consultant"))
    return {"customer": (), "consultant": ()} | {alone: ((0, 60 * TICKS),)}


def _trouble(chance: random.Random) -> Trouble:
    calm = chance.random() < 0.15
    if calm:
        return Trouble(workers=1)
    rules = tuple(
        Rule(chance.choice(KINDS), chance.choice(WRITES * 3 + READS), chance.choice((1, 1, 2, 5)))
        for _ in range(chance.choice((0, 0, 1, 1, 2, 3)))
    )
    outages = ()
    if chance.random() < 0.15:
        outages = (Outage(chance.choice((0.0, chance.uniform(0, 1_800))), chance.choice((3.0, 40.0, 200.0, 3_600.0))),)
    crashes = chance.choice((0, 0, 1, 2, 3))
    webhooks, copies, late_s = chance.choice(
        (
            (0.0, 1, 0.0),
            (0.0, 1, 0.0),
            (0.0, 1, 0.0),
            (0.0, 1, 0.0),
            (0.3, 1, 2.0),
            (0.3, 2, 60.0),
            (1.0, 1, 1.0),
            (1.0, 2, 600.0),
            (0.5, 3, 259_000.0),
        )
    )
    return Trouble(
        rules=rules,
        outages=outages,
        crash=chance.choice((0.003, 0.02)),
        crashes=crashes,
        down_s=chance.choice((1.0, 5.0, 30.0, 200.0)) if chance.random() < 0.97 else 90_000.0,
        stall=chance.choice((0.0, 0.0, 0.01)),
        workers=chance.choice((1, 2, 2)),
        webhooks=webhooks,
        copies=copies,
        late_s=late_s,
        media_late_s=chance.choice((0.0, 0.0, 0.5, 15.0)),
        media_twice=chance.choice((0.0, 0.0, 0.3)),
    )
