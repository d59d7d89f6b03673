"""What comes after a capture, PURE: what finance, the bank and the consultant's payouts do; from a stream of its own.

Times are seconds since all this begins: once everything else of the seed is at rest, or, ``at_once``, as soon as the
first call is settled.
"""

import random
from dataclasses import dataclass, field

from tests.simulation.trouble import KINDS, Outage, Rule, Trouble

LIMIT_MINOR = 1_500  # above so many minor units a second person must agree: the house's terms
AGREES, REFUSES, NEVER = "agrees", "refuses", "never"


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Finance gives ``percent`` of what call ``call`` cost back (0: one minor unit), by so many clicks of one button.

    Where a second person is asked, they say ``second``, ``second_s`` later; whoever asked tries it themselves before.
    ``returned_s`` after the click the customer's bank sends the money back.
    """

    at_s: float
    call: int
    percent: int
    clicks: int = 1
    second: str = AGREES
    second_s: float = 5.0
    returned_s: float | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The customer's bank disputes ``percent`` of a capture, or (``inquiry``) asks about it.

    Finance hands in the evidence ``answered_s`` later; ``outcomes`` are the bank's words and when it says them: won,
    lost, escalated, and after an appeal the other way round.
    """

    at_s: float
    call: int
    hold: int
    percent: int
    inquiry: bool = False
    answered_s: float | None = None
    outcomes: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class PayOut:
    """The payout run: what lies on the account goes to the consultant's bank, which takes ``fate_s``.

    ``fate``: paid, failed, canceled, or returned (paid, and failed after it). After a failure the consultant names
    another bank account ``mended_s`` later.
    """

    at_s: float
    fate: str = "paid"
    fate_s: float = 10.0
    mended_s: float | None = None


@dataclass(frozen=True, slots=True)
class Keep:
    """Finance holds the consultant's payouts, and lets them go ``release_s`` later; above the limit two agree."""

    at_s: float
    release_s: float | None = None
    second: str = AGREES
    second_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Again:
    """The same two talk once more, for eleven minutes: what is earned now meets what was given back before."""

    at_s: float


Deed = GiveBack | Claim | PayOut | Keep | Again


@dataclass(frozen=True, slots=True)
class Later:
    """Everything that comes after, and what goes wrong with it; ``late_s`` and ``copies`` are those of its webhooks."""

    deeds: tuple[Deed, ...]
    trouble: Trouble = field(default_factory=Trouble)
    at_once: bool = False

    @property
    def ends_s(self) -> float:
        """When the last of it has begun."""
        return max(_ends_s(deed) for deed in self.deeds)


WRITES = ("refunds.create", "refunds.create", "transfer_reversals.create", "transfers.create", "accounts.update")
READS = (
    "refunds.list",
    "refunds.retrieve",
    "disputes.",
    "transfer_reversals.list",
    "transfers.list",
    "accounts.retrieve",
    "payouts.retrieve",
    "balance_transactions.list",
    "payment_intents.retrieve",
)


def draw(seed: int, calls: int, *, again: bool) -> Later | None:
    """What comes after the calls of a seed; None where nothing does. ``again``: whether they may talk once more."""
    chance = random.Random(f"later {seed}")  # noqa: S311 - a simulation that must replay, no secret
    return None if chance.random() < 0.3 else drawn(chance, calls, again=again)


def drawn(chance: random.Random, calls: int, *, again: bool) -> Later | None:
    """The same from a given stream; None where nobody happens to do anything."""
    scale = chance.choice((5.0, 60.0, 900.0, 30_000.0))
    deeds: list[Deed] = []
    deeds += [_give_back(chance, scale, chance.randrange(calls)) for _ in range(chance.choice((0, 1, 1, 2, 3)))]
    deeds += [_claim(chance, scale, chance.randrange(calls)) for _ in range(chance.choice((0, 0, 1, 1, 2)))]
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        fate = chance.choice(("paid", "paid", "failed", "returned", "canceled"))
        mended_s = chance.choice((None, 1.0, scale))
        deeds.append(PayOut(chance.uniform(0, scale), fate, chance.uniform(0, scale), mended_s))
    if chance.random() < 0.25:
        release_s = chance.choice((None, chance.uniform(0, scale), chance.uniform(0, scale)))
        deeds.append(Keep(chance.uniform(0, scale), release_s, _second(chance), chance.uniform(0, scale)))
    if again and deeds and chance.random() < 0.2:
        deeds.append(Again(chance.uniform(0, scale)))
        deeds.append(PayOut(scale + 900.0, "paid"))
    if not deeds:
        return None
    deeds.sort(key=lambda deed: deed.at_s)
    return Later(tuple(deeds), _trouble(chance, scale), at_once=chance.random() < 0.4)


def _second(chance: random.Random) -> str:
    return chance.choice((AGREES, AGREES, AGREES, REFUSES, NEVER))


def _give_back(chance: random.Random, scale: float, call: int) -> GiveBack:
    return GiveBack(
        at_s=chance.uniform(0, scale),
        call=call,
        percent=chance.choice((0, 1, 7, 33, 50, 50, 100, 100, 130)),
        clicks=chance.choice((1, 1, 2, 3)),
        second=_second(chance),
        second_s=chance.uniform(0, scale),
        returned_s=chance.uniform(0, 2 * scale) if chance.random() < 0.15 else None,
    )


def _claim(chance: random.Random, scale: float, call: int) -> Claim:
    inquiry = chance.random() < 0.3
    words: list[str] = chance.choice(([], ["won"], ["won"], ["lost"], ["lost"], ["won", "lost"], ["lost", "won"]))
    if inquiry and chance.random() < 0.4:
        words = ["escalated", *words]
    when, outcomes = 0.0, []
    for word in words:
        when += chance.uniform(0, scale)
        outcomes.append((word, when))
    return Claim(
        at_s=chance.uniform(0, scale),
        call=call,
        hold=chance.randrange(2),
        percent=chance.choice((100, 100, 100, 40)),
        inquiry=inquiry,
        answered_s=chance.uniform(0, scale) if chance.random() < 0.4 else None,
        outcomes=tuple(outcomes),
    )


def _trouble(chance: random.Random, scale: float) -> Trouble:
    copies, late_s = chance.choice(((1, 0.0), (1, 1.0), (2, 60.0), (3, 600.0), (2, 259_000.0)))
    if chance.random() < 0.2:
        return Trouble(copies=copies, late_s=late_s)
    rules = tuple(
        Rule(chance.choice(KINDS), chance.choice(WRITES * 2 + READS), chance.choice((1, 1, 2, 5)))
        for _ in range(chance.choice((0, 1, 1, 2, 3)))
    )
    outages: tuple[Outage, ...] = ()
    if chance.random() < 0.15:
        outages = (Outage(chance.uniform(0, scale), chance.choice((3.0, 40.0, 200.0, 3_600.0))),)
    absences: tuple[Outage, ...] = ()
    if chance.random() < 0.05:
        absences = (Outage(chance.uniform(0, scale), chance.choice((200.0, 90_000.0))),)
    return Trouble(
        rules=rules,
        outages=outages,
        absences=absences,
        crash=chance.choice((0.01, 0.03)),
        crashes=chance.choice((0, 1, 2, 3)),
        stall=chance.choice((0.0, 0.0, 0.02)),
        copies=copies,
        late_s=late_s,
    )


def _ends_s(deed: Deed) -> float:
    if isinstance(deed, GiveBack):
        return deed.at_s + deed.second_s + (deed.returned_s or 0.0)
    if isinstance(deed, Claim):
        return deed.at_s + max((deed.answered_s or 0.0, *(when for _, when in deed.outcomes)))
    if isinstance(deed, PayOut):
        return deed.at_s + 2 * deed.fate_s + (deed.mended_s or 0.0)
    if isinstance(deed, Keep):
        return deed.at_s + (deed.release_s or 0.0) + deed.second_s
    return deed.at_s + 900.0
