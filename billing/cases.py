"""Cases: what a person in finance must look at, because Stripe and we disagree."""

from typing import Any
from uuid import UUID

from billing import timeline
from billing.models import CaseRow
from core import logs
from core.db import Tx
from core.ids import new_id

log = logs.get(__name__)


def open_case(tx: Tx, charge_id: UUID, kind: str, **details: Any) -> None:
    """Open a case on a charge; ``kind`` is a constant such as ``capture_refused``."""
    tx.session.add(
        CaseRow(id=new_id(), charge_id=charge_id, kind=kind, details=details, opened_at=tx.now, closed_at=None)
    )
    timeline.record(tx, charge_id, "case_opened", case=kind, **details)
    log.warning("billing.case_opened", charge_id=str(charge_id), case=kind)
