"""Disputes: by deadline, with the evidence put together, handed in by one click."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from billing import timeline
from billing.charges import store as charges
from billing.disputes import store as disputes
from billing.disputes.evidence import CallFacts, Observed, evidence
from billing.disputes.models import DisputeRow
from billing.receipts import shown_to
from core.db import Tx
from core.ids import CallId, UserId
from core.money import Currency
from web.routes.finance import READERS
from web.routing import Access, Call, route
from web.schemas import Input, Output, Utc

# What the bank (and so its customer) is shown: what was agreed, seen and charged; nothing of our own deliberations.
_FOR_THE_BANK = shown_to("customer") | {"side_seen", "side_unseen", "invoice_issued"}


class DisputesQuery(Input):
    """Those that wait for an answer or a decision, or those that are over."""

    closed: bool = False


class DisputeOut(Output):
    """A dispute as Stripe tells it; ``share_minor`` is the consultant's part of it."""

    id: UUID
    provider_id: str
    charge_id: UUID
    reference: str
    customer_name: str
    consultant_name: str
    amount_minor: int
    share_minor: int
    fee_minor: int
    currency: Currency
    reason: str
    status: str
    due_at: Utc | None
    opened_at: Utc
    closed_at: Utc | None
    submitted_at: Utc | None
    handed_in: bool


class DisputesOut(Output):
    """Disputes, the nearest deadline first."""

    items: list[DisputeOut]


class EvidenceOut(Output):
    """The package, by Stripe's own field names, as it will be (or was) handed in."""

    fields: dict[str, str]
    handed_in: bool


class EvidenceIn(Input):
    """A sentence of finance's own, added to what was put together."""

    remark: Annotated[str, Field(max_length=5_000)] = ""


@route("GET", "/api/finance/disputes", access=READERS, query=DisputesQuery, reply=DisputesOut)
async def get_disputes(call: Call) -> DisputesOut:
    """Disputes, the nearest deadline first; closed ones newest first."""
    query: DisputesQuery = call.query
    async with call.house.db.begin() as tx:
        rows = await disputes.listed(tx, open_only=not query.closed)
        return DisputesOut(items=[await _dispute(call, tx, row) for row in rows])


@route("GET", "/api/finance/disputes/{dispute_id}", access=READERS, reply=DisputeOut)
async def get_dispute(call: Call) -> DisputeOut:
    """One dispute, however long ago it was."""
    async with call.house.db.begin() as tx:
        return await _dispute(call, tx, await call.house.disputes.get(tx, call.id("dispute_id")))


@route("GET", "/api/finance/disputes/{dispute_id}/evidence", access=READERS, reply=EvidenceOut)
async def get_evidence(call: Call) -> EvidenceOut:
    """What would be handed in, put together from timeline, consent and receipt."""
    async with call.house.db.begin() as tx:
        row = await call.house.disputes.get(tx, call.id("dispute_id"))
        fields = dict(row.evidence) if row.evidence is not None else dict(evidence(await _facts(call, tx, row)))
    return EvidenceOut(fields=fields, handed_in=row.evidence is not None)


@route("POST", "/api/finance/disputes/{dispute_id}/evidence", access=Access.FINANCE, body=EvidenceIn, reply=EvidenceOut)
async def post_evidence(call: Call) -> EvidenceOut:
    """Hand the evidence to the bank: once, and for good."""
    body: EvidenceIn = call.body
    async with call.house.db.begin() as tx:
        row = await call.house.disputes.get(tx, call.id("dispute_id"))
        fields = dict(evidence(await _facts(call, tx, row)))
        if body.remark:
            fields["uncategorized_text"] = f"{fields['uncategorized_text']}\n\n{body.remark}"
        row = await call.house.disputes.submit(tx, row.id, fields, call.user)
    return EvidenceOut(fields=fields, handed_in=True)


async def _facts(call: Call, tx: Tx, row: DisputeRow) -> CallFacts:
    charge = await charges.charge(tx, row.charge_id)
    assert charge is not None
    customer, consultant = UserId(charge.customer_id), UserId(charge.consultant_id)
    names = await call.house.profiles.names(tx, [customer, consultant])
    seen = await call.house.calls.get(tx, CallId(charge.call_id), customer)
    entries = [
        Observed(entry.at, " ".join([entry.kind.replace("_", " "), *_figures(entry.details)]))
        for entry in await timeline.of_charge(tx, charge.id)
        if entry.kind in _FOR_THE_BANK
    ]
    return CallFacts(
        reference=charge.reference,
        customer_name=names.get(customer, ""),
        customer_email=(await call.house.accounts.view(tx, customer)).email,
        consultant_name=names.get(consultant, ""),
        question=seen.question.title,
        currency=charge.currency,
        gross_minor=charge.gross_minor or 0,
        captured_minor=charge.captured_minor,
        rate_minor_per_hour=charge.rate_minor_per_hour,
        threshold_ms=charge.threshold_ms,
        policy=charge.policy,
        connected_ms=charge.connected_ms or 0,
        billed_ms=charge.billed_ms or 0,
        terms_version=charge.terms_version,
        consented_at=charge.consented_at,
        started_at=seen.live_at,
        timeline=entries,
        refunded_minor=charge.refunded_minor + charge.credited_minor,
        receipt_address=f"{call.house.settings.public_url}/call/{charge.call_id}/done",
    )


def _figures(details: dict[str, object]) -> list[str]:
    """Plain figures of an entry; nothing nested is handed to a bank."""
    return [f"{name}={value}" for name, value in sorted(details.items()) if isinstance(value, str | int)]


async def _dispute(call: Call, tx: Tx, row: DisputeRow) -> DisputeOut:
    charge = await charges.charge(tx, row.charge_id)
    assert charge is not None
    names = await call.house.profiles.names(tx, [UserId(charge.customer_id), UserId(charge.consultant_id)])
    plain = {name: getattr(row, name) for name in DisputeOut.model_fields if hasattr(row, name)}
    return DisputeOut(
        **plain
        | {
            "reference": charge.reference,
            "customer_name": names.get(UserId(charge.customer_id), ""),
            "consultant_name": names.get(UserId(charge.consultant_id), ""),
            "handed_in": row.evidence is not None,
        }
    )
