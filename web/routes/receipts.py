"""Receipts: the bill of a call, line by line, with the evidence behind it; sealed as JSON and as PDF."""

import asyncio
import json
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from aiohttp import web
from pydantic import ConfigDict, Field

from billing.proof.document import Story
from billing.proof.pdf.layout import printed
from billing.receipts import Receipt
from billing.tax import Reason
from core.ids import CallId, UserId
from core.money import Currency
from web.routing import Access, Call, route
from web.schemas import Output, Utc

ISSUER = "Consultant Connect"


class LineOut(Output):
    """A stretch of the call: paid, free, past the cap, or unbilled with its cause."""

    model_config = ConfigDict(serialize_by_alias=True)

    kind: Literal["talk", "unbilled", "free", "cap"]
    starts_at: Utc = Field(serialization_alias="from")
    ends_at: Utc = Field(serialization_alias="to")
    duration_ms: int
    cause: str | None
    amount_minor: int


class ConsentOut(Output):
    """What the customer agreed to before anyone was rung."""

    terms_version: str
    at: Utc


class EntryOut(Output):
    """One line of the timeline; ``detail`` holds its figures."""

    at: Utc
    kind: str
    detail: dict[str, Any]


class SealOut(Output):
    """The evidence chain; ``broken_at`` is the first entry that is not as it was written, None when all are."""

    entries: int
    last_hash: str | None
    broken_at: int | None


class GivenBackOut(Output):
    """Money that went back after the capture, by us, at our own expense (``credit``) or by the customer's bank.

    ``share_minor`` of it came from the consultant; ``at`` is None while it is on its way.
    """

    by: Literal["refund", "credit", "bank"]
    amount_minor: int
    share_minor: int
    at: Utc | None
    credit_note: str | None


class KeyOut(Output):
    """A public key of our receipts, as a JSON Web Key (RFC 8037)."""

    kty: str
    crv: str
    kid: str
    x: str
    use: str
    alg: str


class KeysOut(Output):
    """Every public key with which our receipts are or were signed, the present one first."""

    keys: list[KeyOut]


class TaxedOut(Output):
    """Why the price is taxed as it is, and the facts that decided it; None where nothing was stated."""

    reason: Reason | None
    supplier_country: str | None
    supplier_vat_id: str | None
    supplier_name: str | None
    supplier_address: str | None
    customer_country: str | None
    customer_vat_id: str | None
    customer_name: str | None
    customer_address: str | None


class ReceiptOut(Output):
    """The bill of one call, from one of its sides; ``paid_minor`` is what was taken less what was given back.

    ``review_until`` is when it is captured, while it may be looked at first.
    """

    call_id: UUID
    reference: str
    role: Literal["customer", "consultant"]
    state: str
    review_until: Utc | None
    question_title: str
    other_name: str
    started_at: Utc
    ended_at: Utc | None
    close_reason: str | None
    connected_ms: int
    billed_ms: int
    lines: list[LineOut]
    rate_minor_per_hour: int
    policy: Literal["whole_call", "after_threshold"]
    threshold_ms: int
    cap_minor: int
    currency: Currency
    tax_mode: Literal["inclusive", "exempt", "reverse_charge", "outside_scope"]
    tax_rate_bps: int
    tax: TaxedOut
    gross_minor: int
    commission_minor: int
    net_minor: int
    held_minor: int
    released_minor: int
    released_at: Utc | None
    captured_at: Utc | None
    consent: ConsentOut
    timeline: list[EntryOut]
    net_of_vat_minor: int
    vat_minor: int
    invoice_number: str | None
    evidence: SealOut
    given_back: list[GivenBackOut]
    paid_minor: int


@route("GET", "/api/calls/{call_id}/receipt", access=Access.USER, reply=ReceiptOut, owned="call")
async def get_receipt(call: Call) -> ReceiptOut:
    """The receipt of one of your calls; a call that cost nothing has one too."""
    call_id = CallId(call.id("call_id"))
    async with call.house.db.begin() as tx:
        receipt = await call.house.receipts.receipt(tx, call.user, call_id)
        seen = await call.house.calls.get(tx, call_id, call.user)
        other = receipt.consultant_id if receipt.role == "customer" else receipt.customer_id
        names = await call.house.profiles.names(tx, [UserId(other)])
    return _receipt(
        receipt,
        title=seen.question.title,
        other_name=names.get(UserId(other), ""),
        started_at=seen.live_at or seen.created_at,
    )


@route("GET", "/api/receipt-keys", access=Access.PUBLIC, reply=KeysOut)
async def get_receipt_keys(call: Call) -> KeysOut:
    """The public keys of our receipts, to compare with the one inside a file."""
    return KeysOut(keys=[KeyOut(**key) for key in call.house.proof.keys])


@route("GET", "/api/calls/{call_id}/receipt.json", access=Access.USER, owned="call", status=200)
async def get_receipt_json(call: Call) -> web.Response:
    """The signed receipt: anybody can check it and work out the amount again, without us."""
    sealed = await _sealed(call)
    text = json.dumps(sealed, ensure_ascii=False, indent=1) + "\n"
    return _file(text.encode(), "application/json", f"{sealed['reference']}.json")


@route("GET", "/api/calls/{call_id}/receipt.pdf", access=Access.USER, owned="call", media_type="application/pdf")
async def get_receipt_pdf(call: Call) -> web.Response:
    """The same receipt on paper, in your language and time zone."""
    sealed = await _sealed(call)
    async with call.house.db.begin() as tx:
        reader = await call.house.accounts.view(tx, call.user)
    body = await asyncio.to_thread(printed, sealed, locale=reader.locale, zone=reader.time_zone)
    return _file(body, "application/pdf", f"{sealed['reference']}.pdf")


async def _sealed(call: Call) -> dict[str, Any]:
    house, call_id = call.house, CallId(call.id("call_id"))
    async with house.db.begin() as tx:
        receipt = await house.receipts.receipt(tx, call.user, call_id)
        seen = await house.calls.get(tx, call_id, call.user)
        customer, consultant = UserId(receipt.customer_id), UserId(receipt.consultant_id)
        names = await house.profiles.names(tx, [customer, consultant])
        story = Story(
            issuer_name=ISSUER,
            issuer_url=house.settings.public_url,
            customer_name=names.get(customer, ""),
            consultant_name=names.get(consultant, ""),
            question_title=seen.question.title,
            started_at=seen.live_at or seen.created_at,
        )
        return await house.proof.sealed(tx, call.user, call_id, story)


def _file(body: bytes, content_type: str, name: str) -> web.Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return web.Response(body=body, content_type=content_type, headers=headers)


def _receipt(receipt: Receipt, *, title: str, other_name: str, started_at: datetime) -> ReceiptOut:
    plain = {name: getattr(receipt, name) for name in ReceiptOut.model_fields if hasattr(receipt, name)}
    return ReceiptOut(
        **plain
        | {
            "question_title": title,
            "other_name": other_name,
            "started_at": started_at,
            "lines": [LineOut.model_validate(line) for line in receipt.lines],
            "tax": TaxedOut.model_validate(receipt.tax),
            "consent": ConsentOut(terms_version=receipt.terms_version, at=receipt.consented_at),
            "given_back": [GivenBackOut.model_validate(one) for one in receipt.given_back],
            "evidence": SealOut.model_validate(receipt.evidence),
            "timeline": [EntryOut.model_validate(entry) for entry in receipt.timeline],
        }
    )
