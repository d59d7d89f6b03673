"""Figures by day: how well questions found the right consultant, computed from stored facts, never from counters.

A question belongs to the day (UTC) on which it was asked and to the model version that rang for it first, or that was
shown last when nobody was rung. Sums are kept, not means, so that days can be added up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import TextClause, select, text
from sqlalchemy.dialects.postgresql import insert

from core.db import Tx
from matching.models import MatchingDayRow

BINS: Final = 10
ALL: Final = ""  # the version of the row that counts every question
NEWCOMER_CONTACTS: Final = 20

_ASKED = """
asked AS (
  SELECT q.id, (q.created_at AT TIME ZONE 'UTC')::date AS day,
         coalesce(
           (SELECT m.model_version FROM request r JOIN offer o ON o.request_id = r.id
            JOIN question_match m ON m.id = o.match_id
            WHERE r.question_id = q.id ORDER BY o.created_at, o.id LIMIT 1),
           (SELECT m.model_version FROM question_match m WHERE m.question_id = q.id ORDER BY m.id DESC LIMIT 1),
           'none') AS version
  FROM question q WHERE q.created_at >= :since AND q.created_at < :until
)"""


def _with_asked(query: str) -> TextClause:
    return text(f"WITH {_ASKED}, {query}")


_FIGURES = _with_asked("""
rung AS (
  SELECT r.question_id, min(r.created_at) AS requested_at, min(s.at) AS met_at,
         min(o.answered_at) FILTER (WHERE o.state = 'accepted') AS answered_at, count(o.id) > 0 AS rung
  FROM request r LEFT JOIN offer o ON o.request_id = r.id
  LEFT JOIN request_stage s ON s.request_id = r.id AND s.stage = 'connected'
  WHERE r.question_id IN (SELECT id FROM asked) GROUP BY r.question_id
),
newcomers AS (
  SELECT question_id, count(*) AS contacts
  FROM (SELECT question_id, row_number() OVER (PARTITION BY consultant_id ORDER BY accepted_at, call_id) AS n
        FROM outcome WHERE connected) AS contact
  WHERE n <= :newcomer GROUP BY question_id
),
told AS (
  SELECT question_id, bool_or(connected) AS connected, bool_or(completed) AS completed,
         bool_or(refunded) AS refunded, sum(stars) AS stars, count(stars) AS rated,
         min(accepted_at) FILTER (WHERE succeeded) AS good_at,
         jsonb_agg(consultant_id) FILTER (WHERE succeeded) AS good
  FROM outcome WHERE question_id IN (SELECT id FROM asked) GROUP BY question_id
),
place AS (
  SELECT told.question_id, min(one.n) AS place
  FROM told
  CROSS JOIN LATERAL (
    SELECT results FROM question_match m
    WHERE m.question_id = told.question_id AND m.purpose = 'shown' AND m.at <= told.good_at
    ORDER BY m.id DESC LIMIT 1
  ) AS shown
  LEFT JOIN LATERAL jsonb_array_elements(shown.results) WITH ORDINALITY AS one (candidate, n)
    ON told.good ? (one.candidate ->> 'user_id')
  GROUP BY told.question_id
)
SELECT asked.day, CASE WHEN grouping(asked.version) = 1 THEN '' ELSE asked.version END AS version,
       count(*) AS questions,
       count(*) FILTER (WHERE rung.rung) AS rung,
       count(*) FILTER (WHERE rung.answered_at IS NOT NULL) AS answered,
       count(*) FILTER (WHERE rung.answered_at <= rung.requested_at + interval '2 minutes') AS answered_in_time,
       count(*) FILTER (WHERE rung.met_at <= rung.requested_at + interval '2 minutes') AS met_in_time,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM rung.answered_at - rung.requested_at))
         AS median_s,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM rung.answered_at - rung.requested_at))
         AS p95_s,
       count(*) FILTER (WHERE told.connected) AS connected,
       count(*) FILTER (WHERE told.completed) AS completed,
       count(*) FILTER (WHERE told.refunded) AS refunded,
       coalesce(sum(told.stars), 0) AS stars_sum, coalesce(sum(told.rated), 0) AS stars_count,
       count(place.question_id) AS placed,
       coalesce(sum(1.0 / place.place) FILTER (WHERE place.place <= 10), 0) AS reciprocal_sum,
       count(*) FILTER (WHERE place.place <= 3) AS hits3,
       coalesce(sum(newcomers.contacts), 0) AS newcomer_contacts
FROM asked
LEFT JOIN rung ON rung.question_id = asked.id
LEFT JOIN told ON told.question_id = asked.id
LEFT JOIN place ON place.question_id = asked.id
LEFT JOIN newcomers ON newcomers.question_id = asked.id
GROUP BY GROUPING SETS ((asked.day), (asked.day, asked.version))
ORDER BY 1, 2
""")

# Of every question with a finished call: each candidate of the list that was rung, with what was foretold of them and
# whether it came true. The same definition as in training, where whoever was not talked to counts as not successful.
_CALIBRATION = _with_asked("""
told AS (
  SELECT question_id, min(accepted_at) AS accepted_at,
         coalesce(jsonb_agg(consultant_id) FILTER (WHERE succeeded),
                  '[]') AS good
  FROM outcome WHERE question_id IN (SELECT id FROM asked) AND ended_at IS NOT NULL GROUP BY question_id
),
foretold AS (
  SELECT asked.day, asked.version, (one.candidate ->> 'p_success')::float AS p,
         told.good ? (one.candidate ->> 'user_id') AS came_true
  FROM asked JOIN told ON told.question_id = asked.id
  CROSS JOIN LATERAL (
    SELECT results FROM question_match m
    WHERE m.question_id = asked.id AND m.at <= told.accepted_at
    ORDER BY m.purpose = 'shown' DESC, m.id DESC LIMIT 1
  ) AS stored
  CROSS JOIN LATERAL jsonb_array_elements(stored.results) AS one (candidate)
  WHERE one.candidate ? 'p_success'
)
SELECT day, CASE WHEN grouping(version) = 1 THEN '' ELSE version END AS version,
       least(floor(p * 10), 9)::int AS bin,
       count(*) AS n, sum(p) AS foretold, count(*) FILTER (WHERE came_true) AS came_true
FROM foretold
GROUP BY GROUPING SETS ((day, least(floor(p * 10), 9)),
                        (day, version, least(floor(p * 10), 9)))
ORDER BY 1, 2, 3
""")


@dataclass(frozen=True, slots=True)
class Bin:
    """Candidates of whom about the same chance was foretold: how many, the sum of it, how often it came true."""

    n: int = 0
    foretold: float = 0.0
    came_true: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """One day's (or several days') figures; spans in seconds, None over several days, which have no one median."""

    questions: int = 0
    rung: int = 0
    answered: int = 0
    answered_in_time: int = 0  # within two minutes of the first ring
    met_in_time: int = 0  # both sides seen by then, which is what is promised
    median_s: float | None = None
    p95_s: float | None = None
    connected: int = 0
    completed: int = 0
    refunded: int = 0
    stars_sum: int = 0
    stars_count: int = 0
    placed: int = 0  # questions answered well of which a list was shown before
    reciprocal_sum: float = 0.0  # of the place, in that list, of whoever answered well
    hits3: int = 0
    newcomer_contacts: int = 0  # with consultants in their first twenty contacts
    calibration: tuple[Bin, ...] = (Bin(),) * BINS

    @property
    def stars(self) -> float | None:
        """Mean stars; None without a rating."""
        return self.stars_sum / self.stars_count if self.stars_count else None

    @property
    def mrr10(self) -> float | None:
        """Mean reciprocal place, among the ten shown, of whoever answered well; None without such a question."""
        return self.reciprocal_sum / self.placed if self.placed else None

    @property
    def hit3(self) -> float | None:
        """Share of well answered questions whose consultant stood among the first three shown."""
        return self.hits3 / self.placed if self.placed else None

    @property
    def refunded_share(self) -> float | None:
        """Share of connected questions of which money was given back."""
        return self.refunded / self.connected if self.connected else None

    @property
    def calibration_error(self) -> float | None:
        """Mean distance of foretold and true shares over the bins, weighted by size; None without any."""
        n = sum(one.n for one in self.calibration)
        return sum(abs(one.foretold - one.came_true) for one in self.calibration) / n if n else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as they are stored."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Figures":
        """What ``to_dict`` gave."""
        return cls(**{**values, "calibration": tuple(Bin(**one) for one in values["calibration"])})


@dataclass(frozen=True, slots=True)
class Day:
    """A day's figures, of one version or (``ALL``) of all."""

    day: date
    version: str
    figures: Figures


async def compute(tx: Tx, *, since: datetime, until: datetime) -> list[Day]:
    """The figures of the whole days from ``since`` on, read from the facts as they are now."""
    span = {"since": _midnight(since.astimezone(UTC).date()), "until": until}
    bins: dict[tuple[date, str], list[Bin]] = {}
    for row in await tx.session.execute(_CALIBRATION, span):
        at = bins.setdefault((row.day, row.version), [Bin()] * BINS)
        at[row.bin] = Bin(row.n, row.foretold, row.came_true)
    days = []
    for found in (await tx.session.execute(_FIGURES, {**span, "newcomer": NEWCOMER_CONTACTS})).mappings():
        values = {**found}
        day, version = values.pop("day"), values.pop("version")
        values["reciprocal_sum"] = float(values["reciprocal_sum"])
        for name in ("stars_sum", "stars_count", "newcomer_contacts"):
            values[name] = int(values[name])
        for name in ("median_s", "p95_s"):
            values[name] = None if values[name] is None else float(values[name])
        calibration = tuple(bins.get((day, version), (Bin(),) * BINS))
        days.append(Day(day, version, Figures(**values, calibration=calibration)))
    return days


async def keep(tx: Tx, *, since: datetime, until: datetime) -> int:
    """Store the figures of every day that was over by ``until``; a day computed before is written anew."""
    today = _midnight(until.astimezone(UTC).date())
    days = await compute(tx, since=since, until=today)
    for one in days:
        values = {"figures": one.figures.to_dict(), "computed_at": tx.now}
        put = insert(MatchingDayRow).values(day=one.day, model_version=one.version, **values)
        await tx.session.execute(put.on_conflict_do_update(index_elements=["day", "model_version"], set_=values))
    return len(days)


async def read(tx: Tx, *, since: datetime, until: datetime) -> list[Day]:
    """Stored days, and those that are not stored yet (today, above all) computed now; the oldest first."""
    row, first = MatchingDayRow, since.astimezone(UTC).date()
    stored = (await tx.session.scalars(select(row).where(row.day >= first).order_by(row.day, row.model_version))).all()
    days = [Day(one.day, one.model_version, Figures.from_dict(one.figures)) for one in stored]
    after = max((one.day + timedelta(days=1) for one in days), default=first)
    return days + await compute(tx, since=_midnight(after), until=until)


def total(figures: Iterable[Figures]) -> Figures:
    """Several figures added up."""
    rows: Sequence[Figures] = list(figures)
    summed = {
        name: sum(getattr(one, name) for one in rows)
        for name in Figures.__dataclass_fields__
        if name not in {"median_s", "p95_s", "calibration"}
    }
    bins = tuple(
        Bin(sum(b.n for b in same), sum(b.foretold for b in same), sum(b.came_true for b in same))
        for same in zip(*(one.calibration for one in rows), strict=True)
    )
    return Figures(**summed, calibration=bins or (Bin(),) * BINS)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
