"""Ring order: who is rung for whom, decided for all waiting requests together (pure; the same in server and bench).

The value of ringing somebody is P(accept) x P(success | accept) less what the ring will make the customer wait.
P(success | accept) is the fit for this question, relative to the best who is online, times how often this consultant
delivers. Both shares are Beta means, never raw ones: a newcomer starts at the prior. For a consultant's first twenty
contacts the second one is drawn from its Beta distribution instead (Thompson sampling), so that newcomers are tried
as often as they may turn out to be the best. A draw depends on the request and the consultant alone: whoever computes
it again gets the same, and it is stored with the ring's match.
"""

import random
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from matching.dispatch.assignment import assign

VERSION = "ring-1"  # a change of any number below is a new version

ACCEPT_PRIOR = (8.0, 2.0)  # a newcomer is expected to answer four rings in five
SUCCESS_PRIOR = (6.0, 2.0)  # … and to please in three calls of four
EXPLORED_CONTACTS = 20
RING_S = 20.0
UNKNOWN_RESPONSE_S = 6.0
COST_PER_S = 0.01  # of value, for each second that the customer is expected to listen to this ring
URGENCY_PER_S = 0.02  # fifty seconds of waiting outweigh the best match: with too few free, the oldest goes first
CHOSEN = 10.0  # the customer's own choice comes before any match

# The fit bar: the share of the best fit online that is asked for at the beginning, and when it is gone. A better one
# may hang up any second, but nobody is left waiting for that longer than a single unanswered ring takes.
BAR_AT_FIRST = 0.6
BAR_GONE_S = 20.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What a consultant's past rings and contacts have shown."""

    rings: int = 0  # answered, declined or missed; those that were stopped say nothing
    accepted: int = 0
    contacts: int = 0
    successes: int = 0
    response_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could be rung now. ``fit``: the model's P(success) for the question, in any one scale."""

    user_id: UUID
    fit: float
    standing: Standing


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that may ring ``wanted`` more; ``best_fit`` is the best fit online, those in a call included."""

    request_id: UUID
    waited_s: float
    wanted: int
    candidates: Sequence[Candidate]
    best_fit: float
    chosen: UUID | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One consultant as a request sees them: every figure that made the value. ``draw`` is None beyond exploration."""

    user_id: UUID
    relative_fit: float
    p_accept: float
    delivery: float
    draw: float | None
    ring_s: float
    value: float

    def figures(self) -> dict[str, Any]:
        """What is stored with the ring's match."""
        return {
            "relative_fit": self.relative_fit,
            "p_accept": self.p_accept,
            "delivery": self.delivery,
            "draw": self.draw,
            "ring_s": self.ring_s,
            "value": self.value,
        }


def bar(waited_s: float) -> float:
    """The share of the best fit online that a consultant must reach after this wait."""
    return BAR_AT_FIRST * max(0.0, 1.0 - waited_s / BAR_GONE_S)


def p_accept(standing: Standing) -> float:
    """How likely a ring is answered with yes."""
    yes, no = ACCEPT_PRIOR
    return (yes + standing.accepted) / (yes + no + max(standing.rings, standing.accepted))


def delivery(standing: Standing) -> float:
    """How often this consultant's contacts end well, whatever the question."""
    good, bad = _delivered(standing)
    return good / (good + bad)


def draw(request: UUID, user: UUID, standing: Standing) -> float | None:
    """The Thompson draw of somebody who is still being explored; the same for the same pair, in every process."""
    if standing.contacts >= EXPLORED_CONTACTS:
        return None
    good, bad = _delivered(standing)
    return random.Random(f"{request}:{user}").betavariate(good, bad)  # noqa: S311 - to be repeated, not to be secret


def _delivered(standing: Standing) -> tuple[float, float]:
    good, bad = SUCCESS_PRIOR
    return good + standing.successes, bad + max(0, standing.contacts - standing.successes)


def choice(waiting: Waiting, one: Candidate, *, explore: bool = True) -> Choice:
    """The value of ringing this consultant for this request."""
    standing = one.standing
    answers, mean = p_accept(standing), delivery(standing)
    drawn = draw(waiting.request_id, one.user_id, standing) if explore else None
    fit = one.fit / waiting.best_fit if waiting.best_fit > 0 else 1.0
    response_s = UNKNOWN_RESPONSE_S if standing.response_ms is None else standing.response_ms / 1_000
    ring_s = answers * min(response_s, RING_S) + (1 - answers) * RING_S
    return Choice(
        user_id=one.user_id,
        relative_fit=fit,
        p_accept=answers,
        delivery=mean,
        draw=drawn,
        ring_s=ring_s,
        value=answers * fit * (mean if drawn is None else drawn) - COST_PER_S * ring_s,
    )


def decided(waiting: Waiting) -> dict[str, Any]:
    """What, beside the candidates, a stored ring needs to be computed again."""
    return {
        "version": VERSION,
        "request_id": str(waiting.request_id),
        "waited_s": waiting.waited_s,
        "bar": bar(waiting.waited_s),
        "best_fit": waiting.best_fit,
    }


def options(waiting: Waiting, *, explore: bool = True, taken: AbstractSet[UUID] = frozenset()) -> list[Choice]:
    """Who may be rung for this request now, the most valuable first; the customer's own choice before all others."""
    least = bar(waiting.waited_s)
    choices = [choice(waiting, one, explore=explore) for one in waiting.candidates if one.user_id not in taken]
    fitting = [one for one in choices if one.relative_fit >= least or one.user_id == waiting.chosen]
    return sorted(fitting, key=lambda one: (one.user_id != waiting.chosen, -one.value, one.user_id))


def plan(waiting: Sequence[Waiting], *, explore: bool = True) -> list[list[Choice]]:
    """Whom to ring for each of these requests; nobody is rung for two. One waiting request takes its best options."""
    found: list[list[Choice]] = [[] for _ in waiting]
    taken: set[UUID] = set()
    for place in range(max((one.wanted for one in waiting), default=0)):
        seats = [n for n, one in enumerate(waiting) if one.wanted > place and len(found[n]) == place]
        listed = [options(waiting[n], explore=explore, taken=taken) for n in seats]
        for n, won in zip(seats, _deal([waiting[n] for n in seats], listed), strict=True):
            if won is not None:
                found[n].append(won)
                taken.add(won.user_id)
    return found


def _deal(seats: Sequence[Waiting], listed: Sequence[Sequence[Choice]]) -> list[Choice | None]:
    """One option to each seat. With n seats, nobody can be pushed beyond their own n best options."""
    if len(seats) == 1:
        return [listed[0][0] if listed[0] else None]
    short = [choices[: len(seats)] for choices in listed]
    users = sorted({one.user_id for choices in short for one in choices})
    values = [_row(seat, choices, users) for seat, choices in zip(seats, short, strict=True)]
    dealt = assign(values)
    return [
        None if column is None else next(one for one in choices if one.user_id == users[column])
        for choices, column in zip(short, dealt, strict=True)
    ]


def _row(seat: Waiting, choices: Sequence[Choice], users: Sequence[UUID]) -> list[float | None]:
    urgency = URGENCY_PER_S * seat.waited_s
    worth = {one.user_id: one.value + urgency + (CHOSEN if one.user_id == seat.chosen else 0.0) for one in choices}
    return [worth.get(user) for user in users]
