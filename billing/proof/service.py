"""ProofService: the signed receipt of a call for each of its sides."""

from typing import Any

from billing import invoices, timeline
from billing.charges import charge as charges
from billing.charges import store
from billing.metering import store as meter_store
from billing.proof.document import Evidence, Story, document
from billing.proof.signing import ReceiptSigner
from billing.receipts import shown_to
from core.db import Tx
from core.errors import Conflict, NotFound
from core.ids import CallId, UserId


class NotSettled(Conflict):
    """The payment is still being settled; the receipt is sealed when it is."""

    code = "not_settled"


class ProofService:
    """Seals receipts. Each is made anew from raw rows, so that it can never say anything else than they do."""

    def __init__(self, signer: ReceiptSigner) -> None:
        self._signer = signer

    @property
    def keys(self) -> list[dict[str, str]]:
        """The public keys of our receipts, as JSON Web Keys."""
        return self._signer.keys

    async def sealed(self, tx: Tx, user: UserId, call_id: CallId, story: Story) -> dict[str, Any]:
        """The signed receipt; NotFound for anybody but the two sides, NotSettled before the charge is final."""
        charge = await store.charge_of_call(tx, call_id)
        if charge is None or user not in {charge.customer_id, charge.consultant_id}:
            raise NotFound
        if charge.state not in charges.FINAL:
            raise NotSettled
        evidence = Evidence(
            charge=charge,
            intervals=await meter_store.intervals(tx, charge),
            holds=await store.holds(tx, charge.id),
            events=await timeline.of_charge(tx, charge.id),
            invoices=await invoices.of_charge(tx, charge.id),
        )
        role = "customer" if user == charge.customer_id else "consultant"
        return self._signer.sign(document(evidence, story, role=role, shown=shown_to(role), issued_at=tx.now))
