"""Every bill computed again from raw rows, in SQL: this code shares nothing with the meter that wrote them.

The rules are those of the product (decisions 1 and 4), written a second time on purpose. What both agree on is
likely right; what they do not agree on is a case, before anybody is paid out. Only Stripe's minima are not ours to
write twice: they are given.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from billing.reconciliation import recompute_invoices
from billing.reconciliation.difference import Difference, unequal
from core.db import Tx
from core.errors import NotFound
from core.money import MINIMUM_CHARGE_MINOR

_BILLS = """
WITH minimum AS (
  SELECT * FROM unnest(CAST(:currencies AS text[]), CAST(:minima AS int[])) AS known (currency, minor)
), raw AS (
  SELECT c.*,
         (SELECT coalesce(sum(i.duration_ms), 0) FROM billable_interval i WHERE NOT i.open AND i.call_id IN (
            SELECT c.call_id UNION ALL SELECT k.call_id FROM continued_call k WHERE k.charge_id = c.id)) AS raw_ms,
         (SELECT sum(o.duration_ms) FROM observed_interval o WHERE o.side = 'both' AND NOT o.open AND o.call_id IN (
            SELECT c.call_id UNION ALL SELECT k.call_id FROM continued_call k WHERE k.charge_id = c.id)) AS seen_ms
  FROM charge c WHERE {which}
), timed AS (
  SELECT *, CASE policy WHEN 'after_threshold' THEN threshold_ms ELSE 0 END AS unpaid_ms,
         floor(cap_minor::numeric * 3600000 / rate_minor_per_hour) AS paid_ms
  FROM raw
), bounded AS (
  SELECT *, CASE policy WHEN 'after_threshold' THEN threshold_ms + paid_ms
                        ELSE greatest(threshold_ms, paid_ms) END AS last_ms
  FROM timed
), priced AS (
  SELECT *, CASE WHEN raw_ms < threshold_ms OR NOT EXISTS (SELECT 1 FROM hold h WHERE h.charge_id = bounded.id
           AND h.held_at IS NOT NULL) THEN 0 ELSE least(cap_minor, floor(
           (rate_minor_per_hour::numeric * (least(raw_ms, last_ms) - unpaid_ms) + 1800000) / 3600000)) END AS price
  FROM bounded
), due AS (
  SELECT *, CASE WHEN price < (SELECT minor FROM minimum m WHERE m.currency = priced.currency)
                 THEN 0 ELSE price END AS due_minor
  FROM priced
), split AS (
  SELECT *, least(due_minor, CASE WHEN waived THEN 0
                                  WHEN EXISTS (SELECT 1 FROM billing_case b WHERE b.charge_id = due.id
                                  AND b.kind = 'holds_do_not_cover') THEN gross_minor ELSE due_minor END) AS gross_again
  FROM due
)
SELECT id,
       raw_ms, connected_ms, coalesce(seen_ms, raw_ms) AS seen_ms,
       billed_ms, CASE WHEN due_minor = 0 THEN 0 ELSE least(raw_ms, last_ms) - unpaid_ms END AS billed_again,
       gross_minor, gross_again,
       commission_minor, floor((gross_again * commission_bps + 5000) / 10000) AS commission_again,
       net_minor, gross_again - floor((gross_again * commission_bps + 5000) / 10000) AS net_again,
       settling_at, state, captured_minor,
       (SELECT coalesce(sum(h.captured_minor), 0) FROM hold h WHERE h.charge_id = split.id) AS taken,
       (SELECT coalesce(sum(h.amount_minor), 0) FROM hold h
         WHERE h.charge_id = split.id AND h.held_at IS NOT NULL) AS held,
       cap_minor, refunded_minor,
       (SELECT coalesce(sum(p.amount_minor), 0) FROM refund_part p JOIN refund r ON r.id = p.refund_id
         WHERE r.charge_id = split.id AND p.state = 'done' AND r.credit_id IS NULL) AS given_back,
       credited_minor,
       (SELECT coalesce(sum(p.amount_minor), 0) FROM refund_part p JOIN refund r ON r.id = p.refund_id
         WHERE r.charge_id = split.id AND p.state = 'done' AND r.credit_id IS NOT NULL) AS credited,
       (SELECT coalesce(sum(p.amount_minor), 0) FROM refund_part p JOIN refund r ON r.id = p.refund_id
         WHERE r.charge_id = split.id AND r.credit_id IS NOT NULL
         AND (p.state <> 'failed' OR p.platform_minor > 0)) AS credit_set,
       (SELECT coalesce(sum(CASE p.destination WHEN 'platform' || chr(58) || 'credits' THEN p.amount_minor
                                               ELSE -p.amount_minor END), 0)
          FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
         WHERE t.charge_id = split.id AND t.kind IN ('credit_set', 'credit_set_reversed')) AS booked_credit,
       (SELECT coalesce(sum(k.used_minor), 0) FROM credit k WHERE k.id IN (
          SELECT r.credit_id FROM refund r WHERE r.charge_id = split.id)) AS used_minor,
       (SELECT coalesce(sum(p.amount_minor), 0) FROM refund_part p JOIN refund r ON r.id = p.refund_id
         WHERE (p.state <> 'failed' OR p.platform_minor > 0) AND r.credit_id IN (
          SELECT own.credit_id FROM refund own WHERE own.charge_id = split.id)) AS used_again,
       (SELECT coalesce(sum(p.amount_minor), 0) FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
         WHERE t.key = 'settle' || chr(58) || split.id) AS booked_gross,
       (SELECT coalesce(sum(p.amount_minor), 0) FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
         WHERE t.charge_id = split.id AND t.kind = 'capture' AND p.destination = 'stripe' || chr(58) || 'clearing'
       ) AS booked_captured
FROM split ORDER BY id
"""
_MINIMA = {"currencies": list(MINIMUM_CHARGE_MINOR), "minima": list(MINIMUM_CHARGE_MINOR.values())}
_IN_TIME = text(_BILLS.format(which="c.settling_at >= :since AND c.settling_at < :until"))
_ONE = text(_BILLS.format(which="c.id = :charge"))


@dataclass(frozen=True, slots=True)
class Recomputed:
    """The gross that a charge's raw rows give now, and what of its bill differs: nothing while none is written."""

    gross_minor: int
    differences: tuple[Difference, ...]

    @property
    def matches(self) -> bool:
        """Whether every figure is what was stored."""
        return not self.differences


async def differences(tx: Tx, since: datetime, until: datetime) -> tuple[int, list[Difference]]:
    """Every bill written in ``[since, until)``: how many were computed again, and what differs."""
    rows = (await tx.session.execute(_IN_TIME, {"since": since, "until": until, **_MINIMA})).all()
    wrong = [one for row in rows for one in _wrong(row)]
    return len(rows), wrong + await recompute_invoices.differences(tx, since, until)


async def of_charge(tx: Tx, charge_id: UUID) -> Recomputed:
    """The bill of one charge, computed again. Raises NotFound."""
    row = (await tx.session.execute(_ONE, {"charge": charge_id, **_MINIMA})).one_or_none()
    if row is None:
        raise NotFound
    if row.settling_at is None:
        return Recomputed(int(row.gross_again), ())
    wrong = _wrong(row) + await recompute_invoices.differences_of(tx, charge_id)
    return Recomputed(int(row.gross_again), tuple(wrong))


def _wrong(row: Row[Any]) -> list[Difference]:
    pairs = [
        ("observed_ms", row.raw_ms, row.seen_ms),
        ("connected_ms", row.connected_ms, row.raw_ms),
        ("billed_ms", row.billed_ms, row.billed_again),
        ("gross_minor", row.gross_minor, row.gross_again),
        ("commission_minor", row.commission_minor, row.commission_again),
        ("net_minor", row.net_minor, row.net_again),
        ("refunded_minor", row.refunded_minor, row.given_back),
        ("credit_given_minor", row.credited_minor, row.credited),
        ("booked_credit_minor", row.booked_credit, row.credit_set),
        ("credit_used_minor", row.used_minor, row.used_again),
        ("credit_of_commission_minor", max(row.credit_set, row.commission_again), row.commission_again),
        ("booked_gross_minor", row.booked_gross, row.gross_again),
        ("booked_captured_minor", row.booked_captured, row.taken),
        ("cap_minor", max(row.captured_minor, row.cap_minor), row.cap_minor),
        ("held_minor", max(row.taken, row.held), row.held),
    ]
    if row.state != "settling":
        pairs.append(("captured_minor", row.captured_minor, row.taken))
    if row.state == "captured":
        pairs.append(("captured_of_gross_minor", row.captured_minor, row.gross_again))
    return unequal(row.id, pairs)
