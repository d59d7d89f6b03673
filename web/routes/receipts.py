"""Receipts: the bill of a call, line by line, with the evidence behind it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from billing.receipts import Receipt
from core.ids import CallId, UserId
from core.money import Currency
from web.routing import Access, Call, route
from web.schemas import Output, Utc


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


class ReceiptOut(Output):
    """The bill of one call, from one of its sides."""

    call_id: UUID
    reference: str
    role: Literal["customer", "consultant"]
    state: str
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
    tax_mode: str
    tax_rate_bps: int
    gross_minor: int
    commission_minor: int
    net_minor: int
    held_minor: int
    released_minor: int
    released_at: Utc | None
    captured_at: Utc | None
    consent: ConsentOut
    timeline: list[EntryOut]


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


def _receipt(receipt: Receipt, *, title: str, other_name: str, started_at: datetime) -> ReceiptOut:
    plain = {name: getattr(receipt, name) for name in ReceiptOut.model_fields if hasattr(receipt, name)}
    return ReceiptOut(
        **plain
        | {
            "question_title": title,
            "other_name": other_name,
            "started_at": started_at,
            "lines": [LineOut.model_validate(line) for line in receipt.lines],
            "consent": ConsentOut(terms_version=receipt.terms_version, at=receipt.consented_at),
            "timeline": [EntryOut.model_validate(entry) for entry in receipt.timeline],
        }
    )
