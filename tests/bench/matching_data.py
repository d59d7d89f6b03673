"""The matching benchmark's files as the product's own facts: experts are consultants, their answers the memory."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from matching.questions.ranking import query_of
from matching.ranking.index.chances import Reached
from matching.ranking.index.consultant_facts import ConsultantFacts
from matching.ranking.index.consultant_index import ConsultantIndex
from matching.ranking.index.encoder import Encoder
from matching.ranking.index.memory import Past, day_of
from matching.ranking.ranker import Query
from tests.bench.asked_times import asked_times

NOON = 0.5  # the hour of a question of which it cannot be told
GRADE_WEIGHTS = {1: 1.2, 2: 1.7, 3: 2.2}  # an accepted answer says most
EXCELLENT = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a split; ``grades`` are 1 to 3 by expert."""

    number: int
    text: str
    day: float
    at: datetime
    online: frozenset[int]
    grades: dict[int, int]
    told: dict[int, int]  # the same with the asker among them: what the memory is told


def expert_id(number: int) -> UUID:
    """Experts have numbers, consultants have ids."""
    return UUID(int=(number << 64) + number)


def read_split(folder: Path, split: str) -> tuple[list[dict[str, Any]], list[Asked], float]:
    """Experts, questions in the order of time that somebody online answered, and the day of the snapshot."""
    with gzip.open(folder / f"{split}_experts.json.gz", "rt") as file:
        content = json.load(file)
    with gzip.open(folder / f"{split}_queries.jsonl.gz", "rt") as file:
        asked = [_asked(json.loads(line)) for line in file]
    return content["experts"], [one for one in asked if one.grades], _day(content["snapshot"])


def _asked(query: dict[str, Any]) -> Asked:
    told = {int(user): grade for user, grade in query["relevant"].items()}
    online = frozenset(query["online"]) - {query["asker"]}
    return Asked(
        number=query["id"],
        text=query["text"],
        day=_day(query["asked"]),
        at=datetime.fromisoformat(query["asked"]).replace(tzinfo=UTC),
        online=online,
        grades={user: grade for user, grade in told.items() if user in online},
        told=told,
    )


def _day(text: str) -> float:
    return day_of(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


class Market:
    """An index of a split's experts; ``tell`` adds what became of a question."""

    def __init__(self, experts: list[dict[str, Any]], snapshot: float, encoder: Encoder | None) -> None:
        self.index = ConsultantIndex(encoder)
        self.index.day = snapshot
        self.everybody = frozenset(expert["id"] for expert in experts)
        for expert in experts:
            self.index.apply(_facts(expert))
        answers = [answer for expert in experts for answer in expert["history"]]
        asked = asked_times(answers, {day: _day(day) for day in {answer["day"] for answer in answers}})
        for expert in experts:
            person = self.index.person(expert_id(expert["id"]))
            for answer in expert["history"]:
                self._learn(
                    person,
                    answer["q"],
                    answer["title"],
                    _day(answer["day"]) + asked.get(answer["q"], NOON) % 1,  # of the answer the day, not the hour
                    weight=1 + 0.5 * answer["accepted"] + 0.1 * min(max(answer["score"], 0), 10),
                    good=bool(answer["accepted"]),
                )

    def tell(self, asked: Asked, chances: Mapping[int, float]) -> None:
        """Let the memory know who answered a question well, of all whom it reached with these ``chances``."""
        for user, grade in asked.told.items():
            if user in self.everybody:
                person = self.index.person(expert_id(user))
                weight, good = GRADE_WEIGHTS[grade], grade == EXCELLENT
                self._learn(person, asked.number, asked.text, asked.day, weight=weight, good=good)
        reached = [
            Reached(self.index.person(expert_id(user)), chance, earned=float(user in asked.grades))
            for user, chance in chances.items()
        ]
        self.index.chances.learn(asked.number, asked.day, reached)

    def _learn(self, person: int, question: int, text: str, day: float, *, weight: float, good: bool) -> None:
        vector = self.index.meanings.of(text)
        key = (question, person)
        self.index.learn(Past(key, question, text, person, day, weight, good=good, vector=vector))

    def query(self, asked: Asked) -> Query:
        """The question as the product would put it."""
        tags = self.index.vocabulary.extract(asked.text).tags
        return query_of(asked.text, tags, "en", None, None)


def _facts(expert: dict[str, Any]) -> ConsultantFacts:
    return ConsultantFacts(
        user_id=expert_id(expert["id"]),
        headline="",
        biography=" ".join(answer["title"] for answer in expert["history"]),
        tags=tuple(expert["tags"]),
        languages=("en",),
        rate_minor_per_hour=6_000,
        currency="eur",
        can_receive=True,
        status="available",
        rating_sum=0,
        rating_count=0,
        response_ms=None,
        changed_in=1,
    )
