"""Every invoice and its credit notes computed again, in SQL that shares nothing with the code that issued them.

The rules are those of ``docs/money.md`` (VAT), written a second time: the invoice is of what was captured, its price
includes the tax, and the tax of all credit notes together is rounded, not that of each. What the house bore of a price
has a paper of its own, and corrects no invoice.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from billing.reconciliation.difference import Difference, unequal
from core.db import Tx

# What was settled before the first invoice of all has none.
_INVOICES = """
WITH due AS (
  SELECT c.id, CASE c.tax_mode WHEN 'inclusive' THEN c.tax_rate_bps ELSE 0 END AS rate,
         CASE WHEN c.settled_at >= (SELECT issued_at FROM invoice ORDER BY series, number LIMIT 1)
              THEN c.captured_minor ELSE 0 END AS gross,
         i.gross_minor, i.net_minor, i.vat_minor, i.vat_rate_bps,
         (SELECT coalesce(sum(n.gross_minor), 0) FROM invoice n WHERE n.corrects_id = i.id) AS back,
         (SELECT coalesce(sum(n.net_minor), 0) FROM invoice n WHERE n.corrects_id = i.id) AS back_net,
         (SELECT coalesce(sum(n.vat_minor), 0) FROM invoice n WHERE n.corrects_id = i.id) AS back_vat,
         (SELECT coalesce(sum(n.gross_minor), 0) FROM invoice n
           WHERE n.charge_id = c.id AND n.kind = 'credit') AS borne,
         (SELECT coalesce(sum(p.platform_minor), 0) FROM refund_part p JOIN hold h ON h.id = p.hold_id
           WHERE h.charge_id = c.id) AS borne_again
  FROM charge c LEFT JOIN invoice i ON i.charge_id = c.id AND i.kind = 'invoice'
  WHERE {which}
)
SELECT *, round(gross * rate::numeric / (10000 + rate)) AS vat,
       round(back * rate::numeric / (10000 + rate)) AS back_vat_again
FROM due WHERE gross > 0 OR gross_minor IS NOT NULL ORDER BY id
"""
_IN_TIME = text(_INVOICES.format(which="c.settling_at >= :since AND c.settling_at < :until"))
_ONE = text(_INVOICES.format(which="c.id = :charge"))


async def differences(tx: Tx, since: datetime, until: datetime) -> list[Difference]:
    """What differs in the invoices of the bills that were written in ``[since, until)``."""
    rows = await tx.session.execute(_IN_TIME, {"since": since, "until": until})
    return [one for row in rows for one in _wrong(row)]


async def differences_of(tx: Tx, charge_id: UUID) -> list[Difference]:
    """What differs in the invoice of one charge and its credit notes."""
    rows = await tx.session.execute(_ONE, {"charge": charge_id})
    return [one for row in rows for one in _wrong(row)]


def _wrong(row: Row[Any]) -> list[Difference]:
    invoiced = row.gross_minor or 0
    pairs = [
        ("invoice_gross_minor", row.gross_minor, row.gross),
        ("invoice_net_minor", row.net_minor, row.gross - row.vat),
        ("invoice_vat_minor", row.vat_minor, row.vat),
        ("invoice_vat_rate_bps", row.vat_rate_bps, row.rate),
        ("credited_minor", max(row.back, invoiced), invoiced),
        ("credited_net_minor", row.back_net, row.back - row.back_vat_again),
        ("credited_vat_minor", row.back_vat, row.back_vat_again),
        ("house_credit_minor", row.borne, row.borne_again),
    ]
    return unequal(row.id, pairs)
