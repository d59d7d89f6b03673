"""``./bench matching`` on a made-up folder in the benchmark's file format."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from matching.ranking.feature_names import NAMES
from tests.bench.matching_bench import main, walk
from tests.bench.matching_data import expert_id

SNAPSHOT = datetime(2026, 3, 1)  # noqa: DTZ001 - the files tell no zone
TOPICS = ("tomato soil", "tax return", "kubernetes pods", "violin strings", "visa passport")
EXPERTS = range(1, 11)
QUESTIONS = 30


@dataclass(frozen=True)
class Told:
    """A question of a file: how long after the snapshot it was asked, and who answered it how well."""

    text: str
    after: timedelta
    relevant: Mapping[int, int] = field(default_factory=dict)


def topic_of(expert: int) -> str:
    return TOPICS[expert % len(TOPICS)]


def history(expert: int) -> list[dict[str, Any]]:
    """Five answers, of the days before the snapshot."""
    return [
        {
            "q": 20 * day + expert,
            "title": f"What about {topic_of(expert)} number {day}",
            "accepted": day % 2,
            "score": day,
            "day": f"{SNAPSHOT - timedelta(days=10 - day):%Y-%m-%d}",
            "response_min": 30.0,
        }
        for day in range(5)
    ]


def write(folder: Path, split: str, questions: Sequence[Told], silent: Sequence[int] = ()) -> None:
    """A split's two files; the ``silent`` experts have answered nothing so far."""
    experts = [
        {"id": one, "tags": [topic_of(one).split()[0]], "history": [] if one in silent else history(one)}
        for one in EXPERTS
    ]
    with gzip.open(folder / f"{split}_experts.json.gz", "wt") as file:
        json.dump({"snapshot": SNAPSHOT.isoformat(), "experts": experts}, file)
    with gzip.open(folder / f"{split}_queries.jsonl.gz", "wt") as file:
        for number, one in enumerate(questions, 1_000):
            line = {
                "id": number,
                "text": one.text,
                "asked": f"{SNAPSHOT + one.after:%Y-%m-%dT%H:%M}",
                "asker": 999,
                "online": list(EXPERTS),
                "relevant": {str(user): grade for user, grade in one.relevant.items()},
            }
            file.write(json.dumps(line) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two splits in which an expert of a question's topic answers it well."""
    for split, first in (("train", 1), ("acceptance", 4)):
        experts = [(first + n) % len(EXPERTS) + 1 for n in range(QUESTIONS)]
        questions = [
            Told(f"Help with {topic_of(one)}, case {n}", timedelta(hours=9 * n), {one: 1 + n % 3})
            for n, one in enumerate(experts)
        ]
        write(tmp_path, split, questions)
    return tmp_path


@pytest.mark.parametrize("track", ["no-model", "streaming-no-model"])
def test_another_split_is_measured_and_told_as_one_json_line(
    folder: Path, capsys: pytest.CaptureFixture[str], track: str
) -> None:
    given = ["--data", str(folder), "--train", "train", "--test", "acceptance", "--track", track, "--json"]
    assert main(given) == 0
    [line] = capsys.readouterr().out.splitlines()
    report = json.loads(line)
    assert set(report) == {
        *("bench", "track", "train", "test", "model", "settings", "weights", "metrics", "seconds"),
    }
    assert (report["bench"], report["track"], report["test"]) == ("matching", track, "acceptance")
    assert report["settings"]["split"] == "train"
    assert set(report["metrics"]) == {
        *("questions", "mrr10", "ndcg10", "recall10", "hit3", "calibration_error", "calibration_error_top3"),
    }
    assert report["metrics"]["questions"] == QUESTIONS
    assert report["metrics"]["mrr10"] > 0.5, "who knows the topic is found among ten"
    assert report["weights"]
    assert not [name for name in report["weights"] if "meaning" in name]


def test_a_split_that_is_not_there_is_no_result(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        main(["--data", str(folder), "--test", "missing", "--track", "no-model"])


@pytest.mark.parametrize(("hours", "known"), [(25, True), (23, False)])
def test_what_became_of_a_question_is_known_a_day_later_and_not_before(tmp_path: Path, hours: int, known: bool) -> None:
    text, now = "Help with tomato soil", timedelta(days=2)
    asked = [Told(text, now - timedelta(hours=hours), {1: 3}), Told(text, now, {2: 1})]
    write(tmp_path, "train", asked, silent=(1, 2))

    def active(*, streaming: bool) -> float:
        *_, (_, _, candidates) = walk(tmp_path, "train", None, streaming=streaming)
        return float(candidates.only(expert_id(1)).features[0, NAMES.index("active_4")])

    assert (active(streaming=True) > 0) == known
    assert active(streaming=False) == 0, "frozen: nothing is ever told"
