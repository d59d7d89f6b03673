"""Our clearing account against Stripe: against its balance now, and against the sum of its lines as they were read."""

from datetime import datetime
from typing import Any

from sqlalchemy import text

from billing.ledger import entries
from core.db import Tx

# A charge of which something is under way, or was booked after the lines end, is left out on both sides: what is left
# must be equal at any moment, however busy the house is.
_SETTLED = text(
    "WITH moving AS (SELECT charge_id FROM command WHERE finished_at IS NULL "
    " UNION SELECT charge_id FROM ledger_transaction WHERE charge_id IS NOT NULL AND at >= :until "
    " UNION SELECT h.charge_id FROM stripe_event e JOIN hold h ON h.provider_id = e.intent_id "
    "  WHERE e.processed_at IS NULL), "
    "ours AS (SELECT p.currency, sum(CASE WHEN p.destination = :clearing THEN p.amount_minor ELSE -p.amount_minor END) "
    "  AS minor FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id "
    "  WHERE :clearing IN (p.source, p.destination) "
    "  AND (t.charge_id IS NULL OR t.charge_id NOT IN (SELECT charge_id FROM moving)) GROUP BY 1), "
    "theirs AS (SELECT currency, sum(net_minor) AS minor FROM provider_line WHERE account_id IS NULL "
    "  AND finding IS DISTINCT FROM 'vanished_at_provider' "
    "  AND (charge_id IS NULL OR charge_id NOT IN (SELECT charge_id FROM moving)) GROUP BY 1) "
    "SELECT coalesce(ours.currency, theirs.currency) AS currency, coalesce(ours.minor, 0) AS books, "
    "coalesce(theirs.minor, 0) AS lines FROM ours FULL JOIN theirs ON theirs.currency = ours.currency ORDER BY 1"
)


async def against_lines(tx: Tx, until: datetime) -> dict[str, tuple[int, int]]:
    """Per currency, in minor units: what we booked of everything that is at rest, and what its lines sum to."""
    rows: Any = await tx.session.execute(_SETTLED, {"until": until, "clearing": entries.CLEARING})
    return {row.currency: (int(row.books), int(row.lines)) for row in rows}
