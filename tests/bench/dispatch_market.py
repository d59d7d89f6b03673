"""A market on a virtual clock: invented people, the product's own ring order, and what becomes of every request.

Everything random belongs to a request, a consultant or a pair of them, so two runs of one seed with other decisions
meet the same people.
"""

import heapq
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import numpy as np

from matching.dispatch.request import RingTimes, rings_wanted
from matching.dispatch.ring_order import Candidate, Standing, Waiting, plan

EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
CALL_S = 720.0
PATIENCE_S = 300.0
ANSWER_S, ANSWER_SPREAD = 5.0, 0.5  # median and sigma of a log-normal law, cut at the end of the ring
ACCEPTANCE = (0.70, 0.95)
FIT = (6.0, 3.0)  # Beta: any pair of question and consultant fits by two thirds on average
DELIVERY = (12.0, 3.0)  # Beta: share of contacts that end well, given a perfect fit
AWAY_S = 60.0  # until somebody who missed two rings in a row clicks again
MISSES_UNTIL_AWAY = 2
LISTED = 20  # how many the ranker proposes
VETERAN_CONTACTS = (20, 300)


@dataclass(frozen=True, slots=True)
class Laws:
    """What is assumed. ``silent``: the share of rings not taken that end in silence instead of a decline."""

    consultants: int
    load: float
    hours: float
    seed: int
    newcomers: float = 0.2
    silent: float = 0.5
    patience: str = "unrung"
    explore: bool = True
    warm_up_h: float = 1.0
    times: RingTimes = field(default_factory=RingTimes)


@dataclass(slots=True)
class Consultant:
    """One consultant: what they are like, which nobody knows, and their record, which the ring order knows."""

    user_id: UUID
    new: bool
    accepts: float
    delivery: float
    standing: Standing
    state: str = "free"
    missed_in_a_row: int = 0
    busy_s: float = 0.0
    rung_s: float = 0.0
    away_s: float = 0.0
    met: int = 0  # contacts within the run


@dataclass(slots=True)
class Request:
    """One request, from *Ring* to an answer, to the end of patience or of ours."""

    id: UUID
    n: int
    at: float
    fits: np.ndarray
    patience_s: float
    state: str = "ringing"
    rung: set[int] = field(default_factory=set)
    ringing: dict[int, float] = field(default_factory=dict)
    alone_since: float | None = None
    answered_at: float | None = None
    by: int | None = None
    fit: float = 0.0
    success: float = 0.0


class Market:
    """The events of a market, in the order of their time; after each of them whoever waits is looked at at once."""

    def __init__(self, laws: Laws) -> None:
        self.laws = laws
        self.now = 0.0
        self.requests: list[Request] = []
        self.open: dict[int, Request] = {}
        self.rings: list[tuple[int, int, float]] = []  # request, consultant, when
        self._order = count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self.consultants = [self._consultant(n) for n in range(laws.consultants)]
        self._arrivals = self._random("arrivals")
        self._end_s = (laws.warm_up_h + laws.hours) * 3_600

    def _random(self, *name: object) -> random.Random:
        return random.Random(":".join(map(str, (self.laws.seed, *name))))  # noqa: S311 - to be repeated

    def _consultant(self, n: int) -> Consultant:
        chance = self._random("consultant", n)
        accepts, delivers = chance.uniform(*ACCEPTANCE), chance.betavariate(*DELIVERY)
        new = n < round(self.laws.newcomers * self.laws.consultants)
        contacts = 0 if new else chance.randint(*VETERAN_CONTACTS)
        rings = round(contacts / accepts)
        good = sum(chance.random() < delivers * FIT[0] / sum(FIT) * 1.25 for _ in range(contacts))
        standing = Standing(rings, contacts, contacts, good, None if new else int(ANSWER_S * 1_000))
        return Consultant(UUID(int=chance.getrandbits(128)), new, accepts, delivers, standing)

    def at(self, when: float, what: Callable[[], None]) -> None:
        """Do ``what`` at this second of the run."""
        heapq.heappush(self._events, (when, next(self._order), what))

    def run(self) -> None:
        """Play until the end; whoever asked by then is still answered or leaves."""
        self._arrive_next()
        self.play()

    def play(self) -> None:
        """Let everything happen that is to happen."""
        while self._events:
            self.now, _, what = heapq.heappop(self._events)
            what()

    def _arrive_next(self) -> None:
        gap = self._arrivals.expovariate(self.laws.load * self.laws.consultants / CALL_S)
        if self.now + gap < self._end_s:
            self.at(self.now + gap, self._arrive)

    def _arrive(self) -> None:
        n = len(self.requests)
        chance = self._random("request", n)
        fits = np.random.default_rng([self.laws.seed, n]).beta(*FIT, size=self.laws.consultants)
        if self.laws.patience == "gamma":
            patience = chance.gammavariate(4, PATIENCE_S / 4)
        else:
            patience = chance.expovariate(1 / PATIENCE_S)
        self.enter(Request(UUID(int=chance.getrandbits(128)), n, self.now, fits, patience))
        self._arrive_next()

    def enter(self, request: Request) -> None:
        """Somebody rings."""
        self.requests.append(request)
        self.open[request.n] = request
        self._start_patience(request)
        self.at(self.now + self.laws.times.widen_after.total_seconds(), self._look_if_waiting(request))
        self.at(self.now + self.laws.times.patience.total_seconds(), lambda: self._leave(request, "given_up"))
        self.dispatch()

    def _start_patience(self, request: Request) -> None:
        request.alone_since = self.now
        self.at(self.now + request.patience_s, lambda since=self.now: self._maybe_leave(request, since))

    def _maybe_leave(self, request: Request, since: float) -> None:
        if request.alone_since == since:
            self._leave(request, "abandoned")

    def _leave(self, request: Request, how: str) -> None:
        if request.state != "ringing":
            return
        request.state = how
        request.alone_since = None
        del self.open[request.n]
        for consultant in list(request.ringing):
            self._stop_ring(request, consultant)
        self.dispatch()

    def _stop_ring(self, request: Request, n: int) -> None:
        one = self.consultants[n]
        one.rung_s += self._measured(request.ringing.pop(n))
        one.state = "free"

    def _measured(self, since: float) -> float:
        """Seconds since then that lie in the measured part of the run."""
        begin, end = self.laws.warm_up_h * 3_600, self._end_s
        return max(0.0, min(self.now, end) - max(since, begin))

    def dispatch(self) -> None:
        """One look at everybody who waits: the product's plan, carried out."""
        free = np.array([one.state == "free" for one in self.consultants])
        waiting = [one for one in map(self._waiting, list(self.open.values()), [free] * len(self.open)) if one]
        for (request, one), chosen in zip(
            waiting, plan([one for _, one in waiting], explore=self.laws.explore), strict=True
        ):
            for choice in chosen:
                self._ring(request, next(n for n, c in enumerate(self.consultants) if c.user_id == choice.user_id))
            if len(chosen) < one.wanted and one.candidates:
                self.at(self.now + self.laws.times.look_again.total_seconds(), self._look_if_waiting(request))

    def _look_if_waiting(self, request: Request) -> Callable[[], None]:
        return lambda: self.dispatch() if request.state == "ringing" else None

    def _waiting(self, request: Request, free: np.ndarray) -> tuple[Request, Waiting] | None:
        moment = EPOCH + timedelta(seconds=self.now)
        allowed = rings_wanted(EPOCH + timedelta(seconds=request.at), moment, self.laws.times)
        if len(request.ringing) >= allowed:
            return None
        rung = list(request.rung)
        ready = free.copy()
        ready[rung] = False
        online = np.array([one.state in {"free", "busy"} for one in self.consultants])
        online[rung] = False
        listed = np.flatnonzero(ready)
        best = listed[np.argsort(-request.fits[listed], kind="stable")][:LISTED]
        return request, Waiting(
            request_id=request.id,
            waited_s=self.now - request.at,
            wanted=allowed - len(request.ringing),
            candidates=[
                Candidate(self.consultants[n].user_id, float(request.fits[n]), self.consultants[n].standing)
                for n in best
            ],
            best_fit=float(request.fits[online].max(initial=0.0)),
        )

    def _ring(self, request: Request, n: int) -> None:
        one = self.consultants[n]
        one.state = "rung"
        request.rung.add(n)
        request.ringing[n] = self.now
        if self.laws.patience == "unrung" and request.alone_since is not None:
            request.patience_s -= self.now - request.alone_since
            request.alone_since = None
        self.rings.append((request.n, n, self.now))
        kind, after = self.answer_of(request, n)
        if kind == "accept":
            self.at(self.now + after, lambda: self._accept(request, n))
        else:
            self.at(self.now + after, lambda: self._refuse(request, n, silent=kind == "silence"))

    def answer_of(self, request: Request, n: int) -> tuple[str, float]:
        """What this consultant will do about this ring, and after how many seconds."""
        chance = self._random("answer", request.n, n)
        yes = chance.random() < self.consultants[n].accepts
        ring_s = self.laws.times.ring.total_seconds()
        after = min(chance.lognormvariate(math.log(ANSWER_S), ANSWER_SPREAD), ring_s - 0.5)
        if yes:
            return "accept", after
        return ("silence", ring_s) if chance.random() < self.laws.silent else ("decline", after)

    def _accept(self, request: Request, n: int) -> None:
        if n not in request.ringing:
            return
        one = self.consultants[n]
        one.rung_s += self._measured(request.ringing.pop(n))
        for other in list(request.ringing):
            self._stop_ring(request, other)
        one.standing = _counted(one.standing, accepted=1)
        one.missed_in_a_row, one.state = 0, "busy"
        request.state, request.answered_at, request.by = "answered", self.now, n
        request.fit, request.success = float(request.fits[n]), float(request.fits[n]) * one.delivery
        request.alone_since = None
        del self.open[request.n]
        length = self._random("call", request.n).expovariate(1 / CALL_S)
        self.at(self.now + length, lambda since=self.now: self._hang_up(request, n, since))
        self.dispatch()

    def _hang_up(self, request: Request, n: int, since: float) -> None:
        one = self.consultants[n]
        one.busy_s += self._measured(since)
        one.met += 1
        good = self._random("success", request.n).random() < request.success
        one.standing = _counted(one.standing, contacts=1, successes=int(good))
        one.state = "free"
        self.dispatch()

    def _refuse(self, request: Request, n: int, *, silent: bool) -> None:
        if n not in request.ringing:
            return
        one = self.consultants[n]
        one.rung_s += self._measured(request.ringing.pop(n))
        one.standing = _counted(one.standing)
        one.missed_in_a_row = one.missed_in_a_row + 1 if silent else 0
        one.state = "free"
        if one.missed_in_a_row >= MISSES_UNTIL_AWAY:
            self._go_away(one)
        if not request.ringing and self.laws.patience == "unrung":
            self._start_patience(request)
        self.dispatch()

    def _go_away(self, one: Consultant) -> None:
        one.state = "away"
        one.missed_in_a_row = 0

        def back(since: float = self.now) -> None:
            one.away_s += self._measured(since)
            one.state = "free"
            self.dispatch()

        self.at(self.now + AWAY_S, back)

    def measured(self) -> Sequence[Request]:
        """The requests that arrived after the warm-up."""
        return [one for one in self.requests if one.at >= self.laws.warm_up_h * 3_600]


def _counted(old: Standing, *, accepted: int = 0, contacts: int = 0, successes: int = 0) -> Standing:
    """The record after one more ring, or after one more contact."""
    return Standing(
        rings=old.rings + (0 if contacts else 1),
        accepted=old.accepted + accepted,
        contacts=old.contacts + contacts,
        successes=old.successes + successes,
        response_ms=int(ANSWER_S * 1_000) if accepted else old.response_ms,
    )
