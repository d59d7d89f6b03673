"""From Stripe's JSON to our values; an expandable field may be an id, an object or null."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from billing.provider.objects import (
    AccountLink,
    BalanceTransaction,
    Card,
    ConnectedAccount,
    Decline,
    Dispute,
    DisputeStatus,
    Hold,
    HoldStatus,
    PaymentMethod,
    Payout,
    PayoutStatus,
    ProviderEvent,
    Refund,
    RefundStatus,
    SetupIntent,
    SetupStatus,
    Transfer,
    TransferReversal,
)

Json = Mapping[str, Any]


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _id(field: Any) -> str | None:
    if field is None or isinstance(field, str):
        return field
    return str(field["id"])


def _expanded(field: Any) -> Json:
    return field if isinstance(field, Mapping) else {}


def _decline(error: Json | None) -> Decline | None:
    if not error:
        return None
    return Decline(
        code=error.get("code") or "card_declined",
        decline_code=error.get("decline_code"),
        message=error.get("message") or "The card was declined.",
    )


def _redirect(next_action: Json | None) -> str | None:
    if not next_action:
        return None
    url = _expanded(next_action.get("redirect_to_url")).get("url")
    return str(url) if url else None


def payment_method(raw: Json) -> PaymentMethod:
    """A saved card."""
    card = raw.get("card")
    return PaymentMethod(
        id=raw["id"],
        customer_id=_id(raw.get("customer")),
        card=card
        and Card(
            brand=card["brand"],
            last4=card["last4"],
            exp_month=card["exp_month"],
            exp_year=card["exp_year"],
            fingerprint=card.get("fingerprint"),
        ),
    )


def setup_intent(raw: Json) -> SetupIntent:
    """A SetupIntent."""
    return SetupIntent(
        id=raw["id"],
        status=SetupStatus(raw["status"]),
        client_secret=raw["client_secret"],
        customer_id=_id(raw.get("customer")),
        payment_method_id=_id(raw.get("payment_method")),
        authenticate_url=_redirect(raw.get("next_action")),
        decline=_decline(raw.get("last_setup_error")),
        metadata=dict(raw.get("metadata") or {}),
    )


def hold(raw: Json) -> Hold:
    """A PaymentIntent, with ``latest_charge`` and its children expanded where the request asked for it."""
    charge = _expanded(raw.get("latest_charge"))
    fee = charge.get("application_fee")
    transfer = charge.get("transfer")
    line = charge.get("balance_transaction")
    card = _expanded(_expanded(charge.get("payment_method_details")).get("card"))
    before = card.get("capture_before")
    return Hold(
        id=raw["id"],
        status=HoldStatus(raw["status"]),
        amount_minor=raw["amount"],
        capturable_minor=raw.get("amount_capturable") or 0,
        captured_minor=raw.get("amount_received") or 0,
        currency=raw["currency"],
        customer_id=_id(raw.get("customer")),
        payment_method_id=_id(raw.get("payment_method")),
        destination_id=_id(_expanded(raw.get("transfer_data")).get("destination")),
        transfer_group=raw.get("transfer_group"),
        metadata=dict(raw.get("metadata") or {}),
        created_at=_moment(raw["created"]),
        authenticate_url=_redirect(raw.get("next_action")),
        decline=_decline(raw.get("last_payment_error")),
        cancellation_reason=raw.get("cancellation_reason"),
        charge_id=_id(raw.get("latest_charge")),
        capture_before=_moment(before) if before else None,
        refunded_minor=charge.get("amount_refunded") or 0,
        application_fee_id=_id(fee),
        application_fee_minor=_expanded(fee).get("amount"),
        transfer_id=_id(transfer),
        transfer_minor=_expanded(transfer).get("amount"),
        balance_transaction_id=_id(line),
        fee_minor=_expanded(line).get("fee"),
        application_fee_refunded_minor=_expanded(fee).get("amount_refunded") or 0,
        incremental=_expanded(card.get("incremental_authorization")).get("status") == "available",
        disputed=bool(charge.get("disputed")),
        destination_payment_id=_id(_expanded(transfer).get("destination_payment")),
    )


def refund(raw: Json) -> Refund:
    """A refund, with ``transfer_reversal``, ``charge.application_fee`` and ``charge.refunds`` expanded."""
    reversal = raw.get("transfer_reversal")
    charge = _expanded(raw.get("charge"))
    fee = _expanded(charge.get("application_fee"))
    return Refund(
        id=raw["id"],
        status=RefundStatus(raw["status"]),
        amount_minor=raw["amount"],
        currency=raw["currency"],
        charge_id=_id(raw.get("charge")),
        payment_intent_id=_id(raw.get("payment_intent")),
        balance_transaction_id=_id(raw.get("balance_transaction")),
        transfer_reversal_id=_id(reversal),
        transfer_reversed_minor=_expanded(reversal).get("amount") or 0,
        fee_refunded_total_minor=fee.get("amount_refunded") or 0,
        failure_reason=raw.get("failure_reason"),
        metadata=dict(raw.get("metadata") or {}),
        created_at=_moment(raw["created"]),
        application_fee_id=_id(charge.get("application_fee")),
        fee_refunded_minor=_fee_of(raw["id"], _expanded(charge.get("refunds")), _expanded(fee.get("refunds"))),
        failure_balance_transaction_id=_id(raw.get("failure_balance_transaction")),
        destination_refund_id=_id(_expanded(reversal).get("destination_payment_refund")),
    )


def _fee_of(refund_id: str, refunds: Json, fee_refunds: Json) -> int | None:
    """What one refund gave back of the application fee.

    Stripe links the two nowhere, but each refund of ours makes one fee refund in the same moment, so where both lists
    are whole (Stripe shows ten) and equally long they pair by their order. A refund so small that its part of the fee
    rounds to nothing makes none, and then nobody can tell.
    """
    ours, theirs = refunds.get("data") or [], fee_refunds.get("data") or []
    if refunds.get("has_more") or fee_refunds.get("has_more") or len(ours) != len(theirs):
        return None
    return next((fee["amount"] for one, fee in zip(ours, theirs, strict=True) if one["id"] == refund_id), None)


def transfer(raw: Json) -> Transfer:
    """A transfer."""
    return Transfer(
        id=raw["id"],
        amount_minor=raw["amount"],
        reversed_minor=raw["amount_reversed"],
        currency=raw["currency"],
        destination_id=_id(raw.get("destination")),
        transfer_group=raw.get("transfer_group"),
        balance_transaction_id=_id(raw.get("balance_transaction")),
        metadata=dict(raw.get("metadata") or {}),
        created_at=_moment(raw["created"]),
        destination_payment_id=_id(raw.get("destination_payment")),
    )


def transfer_reversal(raw: Json) -> TransferReversal:
    """A transfer's reversal."""
    return TransferReversal(
        id=raw["id"],
        transfer_id=str(_id(raw["transfer"])),
        amount_minor=raw["amount"],
        currency=raw["currency"],
        balance_transaction_id=_id(raw.get("balance_transaction")),
        metadata=dict(raw.get("metadata") or {}),
        created_at=_moment(raw["created"]),
        destination_refund_id=_id(raw.get("destination_payment_refund")),
    )


def dispute(raw: Json) -> Dispute:
    """A dispute; evidence that is no text (an uploaded file's object, Visa's own form) is left out."""
    details = raw["evidence_details"]
    evidence = raw.get("evidence") or {}
    return Dispute(
        id=raw["id"],
        status=DisputeStatus(raw["status"]),
        reason=raw["reason"],
        amount_minor=raw["amount"],
        currency=raw["currency"],
        charge_id=_id(raw.get("charge")),
        payment_intent_id=_id(raw.get("payment_intent")),
        due_by=_moment(details["due_by"]) if details.get("due_by") else None,
        past_due=bool(details.get("past_due")),
        submission_count=details.get("submission_count") or 0,
        evidence={name: value for name, value in evidence.items() if isinstance(value, str)},
        lines=tuple(balance_transaction(line) for line in raw.get("balance_transactions") or ()),
        is_charge_refundable=bool(raw.get("is_charge_refundable")),
        created_at=_moment(raw["created"]),
    )


def payout(raw: Json) -> Payout:
    """A payout."""
    return Payout(
        id=raw["id"],
        status=PayoutStatus(raw["status"]),
        amount_minor=raw["amount"],
        currency=raw["currency"],
        arrival_at=_moment(raw["arrival_date"]),
        created_at=_moment(raw["created"]),
        failure_code=raw.get("failure_code"),
        failure_message=raw.get("failure_message"),
        automatic=bool(raw.get("automatic")),
        failure_balance_transaction_id=_id(raw.get("failure_balance_transaction")),
        balance_transaction_id=_id(raw.get("balance_transaction")),
        metadata=dict(raw.get("metadata") or {}),
    )


def account(raw: Json) -> ConnectedAccount:
    """A connected account."""
    requirements = _expanded(raw.get("requirements"))
    schedule = _expanded(_expanded(_expanded(raw.get("settings")).get("payouts")).get("schedule"))
    return ConnectedAccount(
        id=raw["id"],
        can_receive=_expanded(raw.get("capabilities")).get("transfers") == "active",
        details_submitted=bool(raw.get("details_submitted")),
        payouts_enabled=bool(raw.get("payouts_enabled")),
        country=raw.get("country"),
        default_currency=raw.get("default_currency"),
        requirements_due=tuple(requirements.get("currently_due") or ()),
        metadata=dict(raw.get("metadata") or {}),
        requirements_past_due=tuple(requirements.get("past_due") or ()),
        disabled_reason=requirements.get("disabled_reason"),
        payout_interval=schedule.get("interval"),
        payout_weekly_anchor=schedule.get("weekly_anchor"),
        payout_monthly_anchor=schedule.get("monthly_anchor"),
        payout_delay_days=schedule.get("delay_days"),
    )


def account_link(raw: Json) -> AccountLink:
    """An onboarding address."""
    return AccountLink(url=raw["url"], expires_at=_moment(raw["expires_at"]))


def balance_transaction(raw: Json) -> BalanceTransaction:
    """A line of Stripe's ledger."""
    return BalanceTransaction(
        id=raw["id"],
        type=raw["type"],
        amount_minor=raw["amount"],
        fee_minor=raw["fee"],
        net_minor=raw["net"],
        currency=raw["currency"],
        source_id=_id(raw.get("source")),
        created_at=_moment(raw["created"]),
        available_at=_moment(raw["available_on"]),
        reporting_category=raw.get("reporting_category") or "",
        description=raw.get("description"),
        parent_id=_id(_expanded(raw.get("source")).get("fee")),
    )


def balance(raw: Json) -> dict[str, int]:
    """A balance: what is available and what is pending, together, in each currency."""
    found: dict[str, int] = {}
    for part in (*(raw.get("available") or ()), *(raw.get("pending") or ())):
        found[part["currency"]] = found.get(part["currency"], 0) + part["amount"]
    return found


def available(raw: Json) -> dict[str, int]:
    """What of a balance may be paid out now, in each currency."""
    return {part["currency"]: part["amount"] for part in raw.get("available") or ()}


def event(raw: Json) -> ProviderEvent:
    """A webhook event."""
    described = raw["data"]["object"]
    return ProviderEvent(
        id=raw["id"],
        type=raw["type"],
        created_at=_moment(raw["created"]),
        object_id=described.get("id"),
        object_type=described.get("object", ""),
        account_id=raw.get("account"),
        object=described,
    )
