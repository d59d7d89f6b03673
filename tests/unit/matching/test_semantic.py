"""Matching by meaning: the sentence encoder, where its packages are installed (SEMANTIC=1 ./test installs them)."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from matching.questions.ranking import query_of
from matching.ranking.index import minilm
from matching.ranking.index.consultant_index import ConsultantIndex
from matching.ranking.index.encoder import Encoder
from matching.ranking.index.meanings import Meanings
from matching.ranking.index.memory import Past
from matching.ranking.logistic import LogisticRanker
from matching.ranking.model import built_in
from tests.unit.matching.test_ranking import facts

MODEL = built_in("logistic-3-semantic")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    found = minilm.load(tmp_path_factory.mktemp("encoder"))
    if found is None:
        pytest.skip("matching by meaning: the packages of requirements-semantic.txt are not installed")
    return found


def best(encoder: Encoder, text: str, **headlines: str) -> str:
    index = ConsultantIndex(encoder)
    names: dict[UUID, str] = {}
    for name, headline in headlines.items():
        one = facts(name, headline=headline, languages=("en", "de"))
        names[one.user_id] = name
        index.apply(one)
        index.take_meaning(one, encoder.encode(one.text))
    assert not index.unencoded_people
    query = query_of(text, (), "en", None, None)
    return names[LogisticRanker(lambda: MODEL).rank(query, index.ringable(query), 1)[0].user_id]


def test_a_question_finds_who_says_the_same_in_other_words(encoder: Encoder) -> None:
    assert (
        best(
            encoder,
            "My little girl refuses to go to sleep",
            pilot="Flight instructor for small aeroplanes",
            bedtime="Helping toddlers with bedtime troubles",
            lawyer="Contracts and company law",
        )
        == "bedtime"
    )


def test_vectors_are_the_same_every_time_and_of_length_one(encoder: Encoder) -> None:
    one, again = encoder.encode("My K8s pods keep restarting"), encoder.encode("My K8s pods keep restarting")
    assert np.array_equal(one, again)
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-3)
    near, far = encoder.encode("Kubernetes consultant"), encoder.encode("Cat photographer")
    assert one @ near > one @ far + 0.2


def test_a_very_long_text_is_cut_not_refused(encoder: Encoder) -> None:
    assert encoder.encode("word " * 4_000).shape == (384,)


def test_a_changed_profile_does_not_keep_the_vector_of_its_old_text(encoder: Encoder) -> None:
    index = ConsultantIndex(encoder)
    old, new = facts("a", headline="Cats"), facts("a", headline="Dogs", changed_in=2)
    index.apply(old)
    index.apply(new)
    index.take_meaning(old, encoder.encode(old.text))
    assert list(index.unencoded_people) == [new.user_id], "it still waits for the new one"


def test_a_question_keeps_its_vector_when_more_becomes_known_of_its_answer() -> None:
    index, encoder = ConsultantIndex(Pointing("My pods restart")), Pointing("My pods restart")
    index.learn(past := Past("call", "question", "My pods restart", 0, 20_000.0, 0.0, good=False))
    assert list(index.unencoded_questions) == ["question"]
    index.take_question("question", encoder.encode(past.text))
    index.learn(replace(past, weight=1.0, good=True))
    index.learn(replace(past, key="another call", person=1))
    assert not index.unencoded_questions, "it would be encoded again, with every change of every outcome"
    assert index.memory.similarities("", encoder.encode(past.text))["meaning"].max() > 0.9


class Pointing:
    """An encoder whose vectors are known: an axis for each text."""

    version = "test"

    def __init__(self, *texts: str) -> None:
        self._texts = texts

    def encode(self, text: str) -> np.ndarray:
        return np.eye(384, dtype=np.float32)[self._texts.index(text)]


def test_one_byte_a_number_keeps_cosines_within_a_hundredth() -> None:
    chance = np.random.default_rng(1)
    vectors = chance.normal(size=(5_000, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    known = Meanings(Pointing("asked"))
    for person, vector in enumerate(vectors):
        known.put(person, vector)
    people = np.arange(5_001)
    found = known.similar("asked", people)
    assert np.abs(found[:-1] - vectors[:, 0]).max() < 0.01
    assert found[-1] == 0, "of whom nothing is known"


def test_without_an_encoder_nothing_is_compared() -> None:
    assert not Meanings(None).similar("anything", np.arange(3)).any()
    assert Meanings(None).of("anything") is None


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    if not minilm.installed():
        pytest.skip("matching by meaning: the packages of requirements-semantic.txt are not installed")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        minilm.load(tmp_path / "file")
