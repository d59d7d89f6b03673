"""The in-memory index of consultants: every feature the ranker needs, as numpy columns (no I/O)."""

from array import array
from collections.abc import Hashable, Iterable
from collections.abc import Set as AbstractSet
from functools import cache, lru_cache
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from matching.language import style
from matching.language.industries import industries_of
from matching.language.keywords import Vocabulary
from matching.language.words import normal_tag, terms
from matching.ranking import features
from matching.ranking.index.chances import Chances
from matching.ranking.index.consultant_facts import ConsultantFacts, Record
from matching.ranking.index.encoder import Encoder, Vector
from matching.ranking.index.meanings import Meanings, grown
from matching.ranking.index.memory import Memory, Past, Recollection
from matching.ranking.index.text_index import TextIndex
from matching.ranking.ranker import Candidates, Flags, Floats, Ints, Picked, Query

STATUSES = ("offline", "available", "away", "in_meeting", "limited")
AVAILABLE = STATUSES.index("available")
ONLINE = (AVAILABLE, STATUSES.index("away"), STATUSES.index("in_meeting"))
LANGUAGE_BITS = 64
NONE, NOBODYS = -1, -2  # the currency of somebody without a price, and one that no profile has
NOWHERE: Final = -1  # the slot of somebody who is no consultant that we know
ENOUGH_TAGS = 3  # three shared tags are a full match, however many the question carries
PRIOR_RATINGS = 10  # a newcomer is taken for somebody rated ten times …
PRIOR_POINTS = 3  # … with four stars, that is three of four points
_SYNONYMS = Vocabulary()  # only what is built in: every process must read a tag the same way

_COLUMN = np.dtype(
    [
        ("alive", "?"),
        ("status", "i1"),
        ("can_receive", "?"),
        ("rating_points", "i8"),
        ("rating_count", "i8"),
        ("response_ms", "i8"),
        ("rate", "i8"),
        ("currency", "i2"),
        ("languages", "u8"),
        ("order", "u8"),
        ("person", "i4"),
        ("industries", "u4"),
        ("style", "i2"),
        ("version", "i8"),
        ("said", "i8"),
    ]
)


def tag_keys(tags: Iterable[str]) -> set[str]:
    """Tags as they are compared: a consultant's ``k8s`` meets a question's ``kubernetes``."""
    return {key for tag in tags for key in one_tag_keys(tag)}


@lru_cache(maxsize=20_000)
def one_tag_keys(tag: str) -> tuple[str, ...]:
    """The vocabulary's tags this one means, or else itself."""
    return _SYNONYMS.extract(tag).tags or (normal_tag(tag),)


class ConsultantIndex:
    """Slots of consultants; a changed text moves its owner to a fresh slot, everything else is written in place."""

    def __init__(self, encoder: Encoder | None = None) -> None:
        self.seen = 0  # every transaction below this one has been read
        self.seen_outcomes = 0
        self.day = 0.0  # what the memory takes for today, in days since 1970
        self.memory = Memory()
        self.chances = Chances()
        self.meanings = Meanings(encoder)
        self._person_of: dict[UUID, int] = {}
        self._users: list[UUID] = []  # by person
        self._slots = array("i")  # by person; -1 for those who have none
        # Whose texts have no vector yet, the first first. The texts are not kept: whoever has the time reads them again
        # and encodes them (see ``projection.unencoded_texts``).
        self.unencoded_people: dict[UUID, None] = {}
        self.unencoded_questions: dict[Hashable, None] = {}
        self._recalled: tuple[tuple[object, ...], Recollection] | None = None
        # Each column on its own: a question reads one fact of 100,000 people at a time.
        self._columns = {name: np.zeros(1_024, dtype=_COLUMN[name]) for name in _COLUMN.names or ()}
        self._used = 0  # slots
        self._count = 0  # consultants
        self._text = TextIndex()
        self._tags = TextIndex()  # what their tags mean
        self._carried = TextIndex()  # their tags as they are written
        # Only profiles fill these: a question in an invented language must not use up the numbers of the others.
        self._currencies: dict[str, int] = {}
        self._languages: dict[str, int] = {}
        self._vocabulary: Vocabulary | None = None

    def __len__(self) -> int:
        return self._count

    def users(self) -> Iterable[UUID]:
        """Everybody it knows of."""
        return (user for user, slot in zip(self._users, self._slots, strict=True) if slot != NOWHERE)

    def _slot_of(self, user: UUID) -> int:
        person = self._person_of.get(user)
        return NOWHERE if person is None else self._slots[person]

    @property
    def worn(self) -> bool:
        """Whether more slots are dead than alive, so that a fresh index is worth its loading time."""
        return self._used > 2 * self._count + 1_000

    @property
    def online_count(self) -> int:
        """How many could be rung now."""
        return int(np.count_nonzero(self._ready() & (self._all("status") == AVAILABLE)))

    @property
    def vocabulary(self) -> Vocabulary:
        """Every tag a consultant carries, with the built-in synonyms."""
        if self._vocabulary is None:
            self._vocabulary = Vocabulary(self._carried.terms())
        return self._vocabulary

    def apply(self, facts: ConsultantFacts) -> None:
        """Take over one consultant's row; a version that is known already, or older, changes nothing."""
        slot = self._slot_of(facts.user_id)
        if slot != NOWHERE and facts.changed_in <= self._columns["version"][slot]:
            return
        said = _said(facts)
        if slot == NOWHERE or said != self._columns["said"][slot]:
            slot = self._move(facts, slot)
            self._columns["said"][slot] = said
        self._write(slot, facts)

    def person(self, user: UUID) -> int:
        """The number by which the memory knows somebody; it stays when their profile changes."""
        found = self._person_of.setdefault(user, len(self._users))
        if found == len(self._users):
            self._users.append(user)
            self._slots.append(NOWHERE)
        return found

    def learn(self, past: Past) -> None:
        """Take over what became of a past question."""
        self.memory.learn(past)
        if past.vector is None and self.meanings.encodes:
            self.unencoded_questions[past.question] = None

    def take_meaning(self, facts: ConsultantFacts, vector: Vector) -> None:
        """Keep the vector of a profile that was waiting for one, unless its text is another than the index knows."""
        slot = self._slot_of(facts.user_id)
        if slot != NOWHERE and self._columns["said"][slot] == _said(facts):
            self.unencoded_people.pop(facts.user_id, None)
            self.meanings.put(int(self._columns["person"][slot]), vector)

    def take_question(self, question: Hashable, vector: Vector) -> None:
        """Keep the vector of a past question that was waiting for one."""
        if question in self.unencoded_questions:
            del self.unencoded_questions[question]
            self.memory.take_meaning(question, vector)

    def _move(self, facts: ConsultantFacts, old: int) -> int:
        text, lonely = facts.text, False
        if old != NOWHERE:
            self._columns["alive"][old] = False
            self._text.remove(old)
            self._tags.remove(old)
            lonely = self._carried.remove(old)
        carried = set(map(normal_tag, facts.tags))
        if lonely or any(not self._carried.documents(tag) for tag in carried):
            self._vocabulary = None
        person = self.person(facts.user_id)
        slot = self._slots[person] = self._used
        self._used += 1
        self._count += old == NOWHERE
        if slot == len(self._columns["alive"]):
            self._columns = {name: grown(column, 2 * slot) for name, column in self._columns.items()}
        self._text.add(slot, terms(text))
        topics = tag_keys(facts.tags) | set(_SYNONYMS.extract(facts.headline).tags)
        self._tags.add(slot, sorted(topics))
        self._carried.add(slot, sorted(carried))
        if self.meanings.encodes:
            self.unencoded_people[facts.user_id] = None
        self._columns["person"][slot] = person
        self._columns["industries"][slot] = industries_of(topics)
        self._columns["style"][slot] = style.style_of(text)
        return slot

    def _write(self, slot: int, facts: ConsultantFacts) -> None:
        columns = self._columns
        columns["alive"][slot] = True
        columns["version"][slot] = facts.changed_in
        columns["status"][slot] = STATUSES.index(facts.status)
        columns["can_receive"][slot] = facts.can_receive
        columns["rating_points"][slot] = facts.rating_sum - facts.rating_count
        columns["rating_count"][slot] = facts.rating_count
        columns["response_ms"][slot] = -1 if facts.response_ms is None else facts.response_ms
        columns["rate"][slot] = facts.rate_minor_per_hour or 0
        columns["currency"][slot] = NONE if facts.currency is None else _code(self._currencies, facts.currency)
        columns["languages"][slot] = sum({1 << code for code in self._codes_of(facts.languages)})
        columns["order"][slot] = facts.user_id.int >> 64

    def _codes_of(self, languages: Iterable[str]) -> list[int]:
        """The bits of somebody's languages; the few beyond sixty-four are nobody's match."""
        codes = [_code(self._languages, language) for language in languages]
        return [code for code in codes if code < LANGUAGE_BITS]

    def _currency(self, name: str) -> int:
        """The number of a query's currency; that of nobody when no profile has it."""
        return self._currencies.get(name.lower(), NOBODYS)

    def _language(self, name: str) -> np.uint64:
        """The bit of a query's language; none when no profile has it."""
        code = self._languages.get(name.lower(), LANGUAGE_BITS)
        return np.uint64(1 << code if code < LANGUAGE_BITS else 0)

    def _all(self, name: str) -> NDArray[Any]:
        return self._columns[name][: self._used]

    def _ready(self) -> Flags:
        ready: Flags = self._all("alive") & self._all("can_receive") & (self._all("rate") > 0)
        return ready

    def _without(self, mask: Flags, exclude: AbstractSet[UUID]) -> Flags:
        for user in exclude:
            slot = self._slot_of(user)
            if slot != NOWHERE:
                mask[slot] = False
        return mask

    def busy(self, query: Query, *, exclude: AbstractSet[UUID] = frozenset()) -> Candidates:
        """Those who are online but cannot answer now: the away and those in a meeting."""
        mask = self._ready() & np.isin(self._all("status"), ONLINE) & (self._all("status") != AVAILABLE)
        return self._columns_of(query, self._without(mask, exclude))

    def ringable(self, query: Query, *, exclude: AbstractSet[UUID] = frozenset()) -> Candidates:
        """Those who may be rung: available, not dearer than the query's maximum, in its currency."""
        mask = self._ready() & (self._all("status") == AVAILABLE)
        if query.max_rate_minor_per_hour is not None:
            mask &= self._all("rate") <= query.max_rate_minor_per_hour
        if query.currency is not None:
            mask &= self._all("currency") == self._currency(query.currency)
        return self._columns_of(query, self._without(mask, exclude))

    def one(self, query: Query, user: UUID) -> Candidates | None:
        """This consultant alone, whatever their status; None when the index does not know them."""
        slot = self._slot_of(user)
        if slot == NOWHERE:
            return None
        mask: Flags = np.zeros(self._used, dtype=bool)
        mask[slot] = True
        return self._columns_of(query, mask).known()

    def search(self, query: Query, *, online: bool) -> list[UUID]:
        """Everybody whose profile shares a tag or a word with the query, best text match first."""
        mask = self._ready()
        if online:
            mask &= np.isin(self._all("status"), ONLINE)
        found = self._columns_of(query, mask)
        order = np.lexsort((found.order, -found.bm25, -found.tag_hits))
        return [found.user_ids[int(n)] for n in order if found.bm25[n] > 0 or found.tag_hits[n] > 0]

    def record(self, query: Query, user: UUID) -> Record:
        """What this consultant's past and profile say about the question, for people to read."""
        person = self._person_of.get(user)
        if person is None:
            return Record()
        past = self._recollection(query)
        row = past.rows[person]
        [meaning] = self.meanings.similar(query.text, np.array([person]))
        return Record(int(past.similar[row]), int(past.lately[row]), float(meaning))

    def _columns_of(self, query: Query, mask: Flags) -> Candidates:
        slots = np.flatnonzero(mask)

        def told(name: str) -> Any:
            return self._all(name)[slots]

        hits = np.zeros(self._used, dtype=np.int64)
        for tag in query.tags:
            hits[self._tags.slots_with(one_tag_keys(tag))] += 1
        language = self._language(query.language)
        bm25 = self._text.score(query.terms)[slots]
        person, own_hits = told("person"), hits[slots]
        return Candidates(
            user_ids=Picked(self._users, person),
            order=told("order"),
            tag_hits=own_hits,
            bm25=bm25,
            best_bm25=float(bm25.max(initial=0.0)),
            available=told("status") == AVAILABLE,
            rating_points=told("rating_points"),
            rating_count=told("rating_count"),
            response_ms=told("response_ms"),
            speaks=(told("languages") & language) != 0,
            rate_minor_per_hour=told("rate"),
            same_currency=np.zeros(len(slots), dtype=bool)
            if query.currency is None
            else told("currency") == self._currency(query.currency),
            industry=_industry(query, told("industries")),
            style=_style(query, told("style")),
            measured=features.Unmeasured(cache(lambda: self._crowd(query, slots, own_hits, bm25))),
        )

    def _crowd(self, query: Query, slots: Ints, hits: Ints, bm25: Floats) -> features.Crowd:
        person = self._all("person")[slots]
        stars = self._all("rating_points")[slots] + PRIOR_RATINGS * PRIOR_POINTS
        profile = features.Profile(
            tags=np.minimum(hits, ENOUGH_TAGS) / max(1, min(len(query.tags), ENOUGH_TAGS)),
            bm25=bm25,
            words=self._text.likelihood(query.terms)[slots],
            meaning=self.meanings.similar(query.text, person),
            stars=stars / (4 * (self._all("rating_count")[slots] + PRIOR_RATINGS)),
            beyond=self.chances.times(person, day=self.day),
        )
        return features.crowd(profile, self._recollection(query), person)

    def _recollection(self, query: Query) -> Recollection:
        """What the memory says; the two lists of one answer, those who are free and those who are not, ask once."""
        text = query.text or " ".join(query.terms)
        wanted = (text, self.day, len(self.memory), self.memory.version, len(self._person_of))
        if self._recalled is None or self._recalled[0] != wanted:
            vector = self.meanings.of(query.text)
            recalled = self.memory.recall(text, vector, day=self.day, people=len(self._person_of))
            self._recalled = (wanted, recalled)
        return self._recalled[1]


def _said(facts: ConsultantFacts) -> int:
    """A number of 64 bits: all that is kept of a profile's text is whether it changed."""
    return hash((facts.text, facts.tags))


def _code(codes: dict[str, int], name: str) -> int:
    """A small number for a language or a currency of a profile."""
    return codes.setdefault(name.lower(), len(codes))


def _industry(query: Query, industries: Ints) -> Ints:
    """100 for the question's own field of work, 0 for another, 50 where either is not known."""
    asked = industries_of(tag_keys(query.tags))
    if not asked:
        return np.full(len(industries), style.NEUTRAL, dtype=np.int64)
    return np.where(industries == 0, style.NEUTRAL, np.where(industries & np.uint32(asked), 100, 0)).astype(np.int64)


def _style(query: Query, styles: Ints) -> Ints:
    """100 for words as long as the question's, 0 for three letters more or less, 50 where either is not known."""
    asked = style.style_of(query.text)
    if asked == style.UNKNOWN:
        return np.full(len(styles), style.NEUTRAL, dtype=np.int64)
    apart = np.minimum(np.abs(styles.astype(np.int64) - asked), style.WHOLE_LETTERS)
    return np.where(styles == style.UNKNOWN, style.NEUTRAL, 100 * (style.WHOLE_LETTERS - apart) // style.WHOLE_LETTERS)
