"""``./bench rank``: the ranking service over a real database, with 200, 5,000 and 100,000 consultants online.

Measured: from a typed question to the ranked, explained answer (filter, features, explanation, cards); how soon a
profile, a presence, a rating and an outcome are seen by a ranking (``visible_ms``), and by a process that asks for
nothing (NOTIFY, ``mirrored_ms``), each at worst; the memory of the process, of which each size has its own; and for how
many questions the first twenty are those of a ranking that computes everybody in full. The machine may be busy with
other things, so the load is told, and the time of the processor beside that of the clock.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from os import getloadavg
from pathlib import Path
from statistics import quantiles
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import psutil
import psycopg
from psycopg import sql

from app.embedded.postgres import EmbeddedPostgres
from app.migrate import upgrade
from app.mirroring import mirroring
from core.clock import SystemClock
from core.db import Database, Tx
from core.events import Bus
from core.ids import UserId
from core.jobs import Jobs
from matching.consultants.mirror import keep_from_collector
from matching.consultants.projection import ConsultantProjection
from matching.language.vocabulary import SYNONYMS
from matching.questions.ranking import RankingService, query_of
from matching.ranking.index import minilm
from matching.ranking.index.encoder import Encoder, Vector
from matching.ranking.index.memory import Past, day_of
from matching.ranking.logistic import LogisticRanker
from matching.ranking.model import Model, built_in
from people.profiles import ConsultantProfile
from tests.bench.rank_changes import CHANGE, known

CACHE = Path(".data/bench")
SIZES = (200, 5_000, 100_000)
ROUNDS = {200: 300, 5_000: 200, 100_000: 100}
CHANGES = 20  # of each kind, and as many again for the mirror
LOST_S = 30.0  # a change that is not seen by then never is
LOOK_S = 0.001
COMPARED = 50  # questions whose shortlist is compared with the ranking of everybody
SHOWN = 20
BUDGET = 18_000
PAST_QUESTIONS = 10_000
SEED = 7
BIOGRAPHY_WORDS = 40
QUESTION_WORDS = 14
ENCODED = 200  # different profile vectors; a thousand consultants share each, which costs a ranking the same
TAGS = sorted(SYNONYMS)
# A language of 20,000 made-up words, used as unevenly as those of a real one (Zipf).
SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "po", "ra", "si", "to", "vu")
WORDS = ["".join(SYLLABLES[n // 12**place % 12] for place in range(4)) for n in range(20_000)]
ZIPF = [1 / (rank + 10) for rank in range(len(WORDS))]
COLUMNS = tuple(
    "user_id headline biography tags languages time_zone rate_minor_per_hour currency can_receive status rating_sum "  # noqa: SIM905 - a paragraph of names reads better than a list of twenty strings
    "rating_count response_ms offers_received offers_accepted offers_declined offers_missed missed_in_a_row calls "
    "changed_in".split()
)


def consultants(size: int, chance: random.Random) -> Iterable[tuple[Any, ...]]:
    """Rows of an invented market, all of them available."""
    for _ in range(size):
        biography = " ".join(chance.choices(WORDS, ZIPF, k=BIOGRAPHY_WORDS))
        count = chance.randrange(60)
        languages = ["en", "de"] if chance.random() < 0.5 else ["en"]
        rate, response = chance.randrange(3_000, 20_000), chance.randrange(1_000, 20_000)
        headline = f"{chance.choice(TAGS)} advice"
        profile = (UUID(int=chance.getrandbits(128)), headline, biography, chance.sample(TAGS, 4), languages, "UTC")
        standing = (rate, "eur", True, "available", count * 4, count, response, 0, 0, 0, 0, 0, 0, 0)
        yield (*profile, *standing)


def fill(url: str, size: int, chance: random.Random) -> None:
    """Write the market into a migrated database."""
    copy = sql.SQL("COPY consultant ({}) FROM STDIN").format(sql.SQL(", ").join(map(sql.Identifier, COLUMNS)))
    with psycopg.connect(url) as connection, connection.cursor().copy(copy) as rows:
        for row in consultants(size, chance):
            rows.write_row(row)


Worst = dict[str, float]
Given = ParamSpec("Given")
Found = TypeVar("Found")


class Stage:
    """One process's ranking service over a filled database."""

    def __init__(self, url: str, encoder: Encoder | None, model: Model, chance: random.Random) -> None:
        self.db = Database(url, clock=SystemClock(), bus=Bus(), jobs=Jobs(url), pool_size=4)
        self.projection = ConsultantProjection(self._profile, self._names, encoder=encoder)
        self.model, self.ranker = model, LogisticRanker(lambda: model)
        self.service = RankingService(self.projection, self.ranker)
        self.encoder, self.chance = encoder, chance

    async def _profile(self, tx: Tx, user: UserId) -> ConsultantProfile | None:  # noqa: ARG002 - a port
        return None

    async def _names(self, tx: Tx, users: Iterable[UserId]) -> dict[UserId, str]:  # noqa: ARG002 - a port
        return dict.fromkeys(users, "Somebody")

    async def load(self, past: int = PAST_QUESTIONS) -> float:
        """Read everything; then a past is learned and vectors are given, and it is settled as the mirror does.

        Returns the seconds of reading.
        """
        began = time.perf_counter()
        async with self.db.begin() as tx:
            await self.projection.refresh(tx)
        read_s = time.perf_counter() - began
        self._learn(past)
        keep_from_collector()
        return read_s

    def _learn(self, past: int) -> None:
        index, chance = self.projection.index, self.chance
        people = len(index)
        vectors: list[Vector | None] = (
            [self.encoder.encode(self.text()) for _ in range(ENCODED)] if self.encoder else [None]
        )
        for person in range(people):
            vector = vectors[person % len(vectors)]
            if vector is not None:
                index.meanings.put(person, vector)
        today = day_of(datetime.now(UTC).timestamp())
        for n in range(past):
            person, day, good = chance.randrange(people), today - chance.random() * 400, chance.random() < 0.5
            index.learn(Past(n, n, self.text(), person, day, 1.0, good=good, vector=vectors[n % len(vectors)]))
        index.unencoded_people.clear()
        index.unencoded_questions.clear()

    def text(self) -> str:
        """A question of the invented market."""
        return " ".join([self.chance.choice(TAGS), *self.chance.choices(WORDS, ZIPF, k=QUESTION_WORDS)])

    async def rank_once(self) -> tuple[float, float]:
        """Milliseconds on the clock and of the processor, from a typed question to the explained answer."""
        text = self.text()
        async with self.db.begin() as tx:
            began, used = time.perf_counter(), time.process_time()
            answer = await self.service.preview(
                tx, title=text, details="", language="en", currency="eur", max_rate_minor_per_hour=BUDGET
            )
            took = (time.perf_counter() - began) * 1_000, (time.process_time() - used) * 1_000
        assert answer["matches"], "an invented market answers every question"
        return took

    def agrees(self) -> bool:
        """Whether the shortlist leads to the same first twenty, in order and score, as everybody in full does."""
        index, text = self.projection.index, self.text()
        query = query_of(text, index.vocabulary.extract(text).tags, "en", "eur", BUDGET)
        short, full = (
            [(one.user_id, one.score_centi) for one in ranker.rank(query, index.ringable(query), SHOWN)]
            for ranker in (self.ranker, LogisticRanker(lambda: self.model, shortlist=len(index)))
        )
        return short == full

    async def visible(self, changes: int = CHANGES) -> tuple[Worst, Worst]:
        """Seconds, at worst, from the commit of a change of each kind to an index that knows it.

        First where a ranking asks for news, then where nothing asks and the mirror is told of them.
        """
        users = iter(self.chance.sample(list(self.projection.index.users()), 2 * changes * len(CHANGE)))
        asked = {kind: max([await self._visible(kind, next(users)) for _ in range(changes)]) for kind in CHANGE}
        async with mirroring(self.db, self.projection) as listener:
            await listener.listening.wait()
            told = {kind: max([await self._mirrored(kind, next(users)) for _ in range(changes)]) for kind in CHANGE}
        return asked, told

    async def _visible(self, kind: str, user: UUID) -> float:
        before = known(self.projection.index, kind, user)
        await self._change(kind, user)
        began = time.perf_counter()
        async with self.db.begin() as tx:
            await self.projection.refresh(tx)
        took = time.perf_counter() - began
        assert known(self.projection.index, kind, user) != before
        return took

    async def _mirrored(self, kind: str, user: UUID) -> float:
        before = known(self.projection.index, kind, user)
        await self._change(kind, user)
        began = time.perf_counter()
        async with asyncio.timeout(LOST_S):
            while known(self.projection.index, kind, user) == before:  # noqa: ASYNC110 - an index has no event
                await asyncio.sleep(LOOK_S)
        return time.perf_counter() - began

    async def _change(self, kind: str, user: UUID) -> None:
        async with self.db.begin() as tx:
            await CHANGE[kind](tx, UserId(user))
            tx.signal("consultant", str(user))


def cuts(values: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    found = quantiles(values, n=100, method="inclusive")
    return round(found[49], 3), round(found[98], 3)


def alone(function: Callable[Given, Found], *given: Given.args, **named: Given.kwargs) -> Found:
    """The function's answer from a process that does nothing else and ends: its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(function, *given, **named).result()


def prepared(postgres: EmbeddedPostgres, size: int) -> str:
    """The address of a database with a market of this size, the same every time."""
    name = f"market_{size}"
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    upgrade(postgres.url(name))
    fill(postgres.url(name), size, random.Random(SEED))  # noqa: S311 - no secret
    return postgres.url(name)


def measured(url: str, size: int, *, lexical: bool) -> dict[str, Any]:
    """The figures of one market size, by this process."""
    return asyncio.run(measure(url, size, None if lexical else minilm.load(CACHE)))


async def measure(url: str, size: int, encoder: Encoder | None) -> dict[str, Any]:
    """The same with an encoder that is loaded."""
    model = built_in("logistic-3" if encoder is None else "logistic-3-semantic")
    stage = Stage(url, encoder, model, random.Random(SEED))  # noqa: S311 - the same questions every time, no secret
    try:
        load_s = await stage.load()
        await stage.rank_once()  # the vocabulary is read once per process
        times = [await stage.rank_once() for _ in range(ROUNDS[size])]
        load, memory = getloadavg()[0], psutil.Process().memory_info().rss
        same = sum(stage.agrees() for _ in range(COMPARED))
        asked, told = await stage.visible()
    finally:
        await stage.db.close()
    (p50, p99), (cpu50, cpu99) = cuts([each[0] for each in times]), cuts([each[1] for each in times])
    return {
        "p50_ms": p50,
        "p99_ms": p99,
        "cpu_p50_ms": cpu50,
        "cpu_p99_ms": cpu99,
        "visible_max_ms": round(max(asked.values()) * 1_000, 1),
        "mirrored_max_ms": round(max(told.values()) * 1_000, 1),
        "visible_ms": {kind: round(worst * 1_000, 1) for kind, worst in asked.items()},
        "mirrored_ms": {kind: round(worst * 1_000, 1) for kind, worst in told.items()},
        "load_s": round(load_s, 1),
        "rss_mb": round(memory / 1e6),
        "same_first_20": same / COMPARED,
        "load_average": round(load, 1),
        "model": model.version,
        "semantic": encoder is not None,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print: a table, or one JSON line with ``--json``."""
    parser = argparse.ArgumentParser(prog="bench rank", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--online", dest="sizes", type=int, nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--lexical", action="store_true", help="without the sentence encoder even when it is there")
    options = parser.parse_args(argv)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the server runs as another user than root
        postgres = EmbeddedPostgres(Path(folder) / "postgres", throwaway=True)
        postgres.start()
        try:
            for size in options.sizes:
                found[str(size)] = alone(measured, prepared(postgres, size), size, lexical=options.lexical)
        finally:
            postgres.stop()
    if options.json:
        semantic = all(figures["semantic"] for figures in found.values())
        print(json.dumps({"bench": "rank", "semantic": semantic, "online": found}))  # noqa: T201
        return 0
    for size, figures in found.items():
        print(f"{int(size):>8,} online: {figures}")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
