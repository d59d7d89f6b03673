"""References: which of Stripe's objects belongs to which charge, noted when it is first seen."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from billing.models import ProviderRefRow
from core.db import Tx

# Kinds: a hold's capture (charge, transfer, application_fee, destination_payment), a refund's part (refund,
# refund_reversal, refund_at_destination), a dispute (dispute, dispute_reversal, dispute_return).


async def remember(tx: Tx, charge_id: UUID, subject_id: UUID, **found: str | None) -> None:
    """Note the objects of a subject by kind; what is None is not known yet, what is known is left as it is."""
    rows = [
        {"id": provider_id, "kind": kind, "charge_id": charge_id, "subject_id": subject_id, "at": tx.now}
        for kind, provider_id in found.items()
        if provider_id is not None
    ]
    if rows:
        await tx.session.execute(insert(ProviderRefRow).values(rows).on_conflict_do_nothing())


async def known(tx: Tx, provider_ids: Iterable[str]) -> dict[str, ProviderRefRow]:
    """The references among these ids."""
    query = select(ProviderRefRow).where(ProviderRefRow.id.in_(set(provider_ids)))
    return {row.id: row for row in await tx.session.scalars(query)}
