"""Whom a question reached: everybody who was rung for it before it was answered, with the chance foretold for them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from core.db import Tx
from matching.ranking.index.chances import FORGOTTEN

# The chance is the one that stands in the ranking by which they were rung. A ring that was taken back, or that somebody
# else answered first, was no chance. Rankings of questions that are forgotten are not unfolded: a market's whole past
# is read when a process starts.
_RUNG = text("""
SELECT request.call_id, offer.consultant_id, max((listed ->> 'p_success')::double precision) AS chance
FROM request
JOIN outcome ON outcome.call_id = request.call_id AND outcome.asked_at >= :since
JOIN offer ON offer.request_id = request.id AND offer.state IN ('accepted', 'declined', 'missed')
JOIN question_match ON question_match.id = offer.match_id
CROSS JOIN LATERAL jsonb_array_elements(question_match.results) AS listed
WHERE request.call_id = ANY(:calls) AND listed ->> 'user_id' = offer.consultant_id::text
GROUP BY request.call_id, offer.consultant_id
ORDER BY request.call_id, offer.consultant_id
""")


async def by_call(tx: Tx, calls: Sequence[UUID]) -> dict[UUID, dict[UUID, float]]:
    """For each of these calls whom its question reached, with their chance of answering it well.

    Calls whose question is ``FORGOTTEN`` are left out.
    """
    found: dict[UUID, dict[UUID, float]] = defaultdict(dict)
    for row in await tx.session.execute(_RUNG, {"calls": list(calls), "since": tx.now - timedelta(days=FORGOTTEN)}):
        if row.chance is not None:
            found[row.call_id][row.consultant_id] = row.chance
    return found
