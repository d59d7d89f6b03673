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
    Hold,
    HoldStatus,
    PaymentMethod,
    Payout,
    ProviderEvent,
    Refund,
    Schedule,
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
        and Card(brand=card["brand"], last4=card["last4"], exp_month=card["exp_month"], exp_year=card["exp_year"]),
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
    )


def hold(raw: Json) -> Hold:
    """A PaymentIntent, with ``latest_charge`` and its children expanded where the request asked for it."""
    charge = _expanded(raw.get("latest_charge"))
    fee = charge.get("application_fee")
    transfer = charge.get("transfer")
    balance = charge.get("balance_transaction")
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
        balance_transaction_id=_id(balance),
        destination_payment_id=_id(_expanded(transfer).get("destination_payment")),
        incremental=_expanded(card.get("incremental_authorization")).get("status") == "available",
        fee_minor=_expanded(balance).get("fee"),
    )


def refund(raw: Json) -> Refund:
    """A refund, with ``transfer_reversal`` and ``charge.application_fee`` expanded."""
    reversal = raw.get("transfer_reversal")
    fee = _expanded(_expanded(raw.get("charge")).get("application_fee"))
    return Refund(
        id=raw["id"],
        status=raw["status"],
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
        destination_refund_id=_id(_expanded(reversal).get("destination_payment_refund")),
    )


def account(raw: Json) -> ConnectedAccount:
    """A connected account."""
    return ConnectedAccount(
        id=raw["id"],
        can_receive=_expanded(raw.get("capabilities")).get("transfers") == "active",
        details_submitted=bool(raw.get("details_submitted")),
        payouts_enabled=bool(raw.get("payouts_enabled")),
        country=raw.get("country"),
        default_currency=raw.get("default_currency"),
        requirements_due=tuple(_expanded(raw.get("requirements")).get("currently_due") or ()),
        metadata=dict(raw.get("metadata") or {}),
        requirements_past_due=tuple(_expanded(raw.get("requirements")).get("past_due") or ()),
        disabled_reason=_expanded(raw.get("requirements")).get("disabled_reason"),
        schedule=_schedule(_expanded(_expanded(_expanded(raw.get("settings")).get("payouts")).get("schedule"))),
    )


def _schedule(raw: Json) -> Schedule | None:
    if not raw.get("interval"):
        return None
    anchor, days = raw.get("monthly_anchor"), raw.get("delay_days")
    return Schedule(
        interval=str(raw["interval"]),
        weekly_anchor=raw.get("weekly_anchor"),
        monthly_anchor=None if anchor is None else int(anchor),
        delay_days=None if days is None else int(days),
    )


def transfer_reversal(raw: Json) -> TransferReversal:
    """Part of a transfer taken back."""
    return TransferReversal(
        id=raw["id"],
        transfer_id=_id(raw["transfer"]) or "",
        amount_minor=raw["amount"],
        currency=raw["currency"],
        balance_transaction_id=_id(raw.get("balance_transaction")),
        metadata=dict(raw.get("metadata") or {}),
        created_at=_moment(raw["created"]),
        destination_refund_id=_id(raw.get("destination_payment_refund")),
    )


def transfer(raw: Json) -> Transfer:
    """A transfer."""
    return Transfer(
        id=raw["id"],
        amount_minor=raw["amount"],
        reversed_minor=raw.get("amount_reversed") or 0,
        currency=raw["currency"],
        destination_id=_id(raw.get("destination")),
        transfer_group=raw.get("transfer_group"),
        balance_transaction_id=_id(raw.get("balance_transaction")),
        metadata=dict(raw.get("metadata") or {}),
        created_at=_moment(raw["created"]),
        destination_payment_id=_id(raw.get("destination_payment")),
    )


def dispute(raw: Json) -> Dispute:
    """A dispute; its balance transactions are always objects."""
    details = _expanded(raw.get("evidence_details"))
    due = details.get("due_by")
    evidence = {name: value for name, value in _expanded(raw.get("evidence")).items() if isinstance(value, str)}
    return Dispute(
        id=raw["id"],
        status=raw["status"],
        reason=raw.get("reason") or "general",
        amount_minor=raw["amount"],
        currency=raw["currency"],
        charge_id=_id(raw.get("charge")),
        payment_intent_id=_id(raw.get("payment_intent")),
        due_by=_moment(due) if due else None,
        past_due=bool(details.get("past_due")),
        submission_count=details.get("submission_count") or 0,
        evidence=evidence,
        lines=tuple(balance_transaction(line) for line in raw.get("balance_transactions") or ()),
        is_charge_refundable=bool(raw.get("is_charge_refundable")),
        created_at=_moment(raw["created"]),
    )


def payout(raw: Json) -> Payout:
    """A payout of a connected account."""
    arrives = raw.get("arrival_date")
    return Payout(
        id=raw["id"],
        status=raw["status"],
        amount_minor=raw["amount"],
        currency=raw["currency"],
        automatic=bool(raw.get("automatic")),
        created_at=_moment(raw["created"]),
        arrives_at=_moment(arrives) if arrives else None,
        failure_code=raw.get("failure_code"),
        failure_message=raw.get("failure_message"),
        balance_transaction_id=_id(raw.get("balance_transaction")),
        failure_balance_transaction_id=_id(raw.get("failure_balance_transaction")),
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
        parent_id=_id(_expanded(raw.get("source")).get("fee")),
    )


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
