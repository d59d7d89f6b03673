"""The record of a customer, read from the rows that the money path itself wrote."""

from sqlalchemy import text

from billing import saved_cards
from billing.collection import steps as collecting
from billing.trust.rule import CLEAN_FOR, Record
from core.db import Tx
from core.ids import UserId

# A refund for the house's or the consultant's failing says nothing about the customer.
_COUNTS = text("""
SELECT
  (SELECT count(*) FROM charge c WHERE c.customer_id = :customer AND c.state = 'captured'
     AND c.captured_minor > c.refunded_minor + c.credited_minor) AS paid_calls,
  (SELECT count(*) FROM hold h JOIN charge c ON c.id = h.charge_id
    WHERE c.customer_id = :customer AND h.state = 'declined' AND h.created_at >= :since) AS declined,
  (SELECT count(*) FROM charge c WHERE c.customer_id = :customer AND c.close_reason IN
     ('hold_missed', 'authentication_abandoned') AND c.created_at >= :since) AS hold_missed,
  (SELECT count(*) FROM dispute d JOIN charge c ON c.id = d.charge_id
    WHERE c.customer_id = :customer AND d.opened_at >= :since) AS disputed,
  (SELECT count(*) FROM collection o WHERE o.customer_id = :customer AND o.opened_at >= :since) AS collected,
  (SELECT count(*) FROM refund r JOIN charge c ON c.id = r.charge_id
    WHERE c.customer_id = :customer AND r.state IN ('sending', 'done') AND r.requested_at >= :since
      AND r.reason NOT IN ('quality', 'technical', 'consultant_absent', 'duplicate', 'missed_promise')) AS given_back
""")


async def of_customer(tx: Tx, customer: UserId) -> Record:
    """What is stored of a customer as of now."""
    found = await tx.session.execute(_COUNTS, {"customer": customer, "since": tx.now - CLEAN_FOR})
    return Record(
        card=await saved_cards.for_hold(tx, customer) is not None,
        owes=await collecting.limits(tx, customer),
        **found.mappings().one(),
    )
