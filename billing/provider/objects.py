"""Stripe's objects as plain values: what the rest of billing is given instead of SDK objects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class SetupStatus(StrEnum):
    """Status of a SetupIntent (docs.stripe.com/api/setup_intents/object#setup_intent_object-status)."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    CANCELED = "canceled"
    SUCCEEDED = "succeeded"


class HoldStatus(StrEnum):
    """Status of a PaymentIntent (docs.stripe.com/api/payment_intents/object#payment_intent_object-status)."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    REQUIRES_CAPTURE = "requires_capture"
    CANCELED = "canceled"
    SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True)
class Card:
    """What may be shown of a card; the number is never ours to see."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A saved card; ``customer_id`` is None once it is detached."""

    id: str
    customer_id: str | None
    card: Card | None


@dataclass(frozen=True, slots=True)
class Decline:
    """Why the last attempt failed: Stripe's code, the bank's code, and a sentence for the customer."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class SetupIntent:
    """Saving and verifying a card. ``client_secret`` belongs to the customer's browser and to no log."""

    id: str
    status: SetupStatus
    client_secret: str = field(repr=False)
    customer_id: str | None
    payment_method_id: str | None
    authenticate_url: str | None
    decline: Decline | None


@dataclass(frozen=True, slots=True)
class Hold:
    """A PaymentIntent with manual capture, and what its latest charge tells.

    ``authenticate_url`` is set while the status is ``requires_action``: the customer goes there (3-D Secure).
    ``capture_before`` is when the bank lets the authorization lapse; None before it stands.
    ``charge_id``, ``transfer_id``, ``balance_transaction_id`` and ``application_fee_minor`` speak of the capture.
    ``destination_payment_id`` is the capture as the connected account sees it; ``incremental`` says that a standing
    hold on this card can be raised.
    ``transfer_minor`` is what Stripe moved to the consultant *before* taking the application fee back (= captured).
    """

    id: str
    status: HoldStatus
    amount_minor: int
    capturable_minor: int
    captured_minor: int
    currency: str
    customer_id: str | None
    payment_method_id: str | None
    destination_id: str | None
    transfer_group: str | None
    metadata: Mapping[str, str]
    created_at: datetime
    authenticate_url: str | None = None
    decline: Decline | None = None
    cancellation_reason: str | None = None
    charge_id: str | None = None
    capture_before: datetime | None = None
    refunded_minor: int = 0
    application_fee_id: str | None = None
    application_fee_minor: int | None = None
    transfer_id: str | None = None
    transfer_minor: int | None = None
    balance_transaction_id: str | None = None
    destination_payment_id: str | None = None
    incremental: bool = False
    fee_minor: int | None = None
    """Stripe's own processing fee, once the capture's balance transaction is known."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back. ``fee_refunded_total_minor`` is the commission returned on this charge so far."""

    id: str
    status: str
    amount_minor: int
    currency: str
    charge_id: str | None
    payment_intent_id: str | None
    balance_transaction_id: str | None
    transfer_reversal_id: str | None
    transfer_reversed_minor: int
    fee_refunded_total_minor: int
    failure_reason: str | None
    metadata: Mapping[str, str]
    created_at: datetime
    destination_refund_id: str | None = None


@dataclass(frozen=True, slots=True)
class TransferReversal:
    """Part of a transfer that was taken back; ``destination_refund_id`` is it as the connected account sees it."""

    id: str
    transfer_id: str
    amount_minor: int
    currency: str
    balance_transaction_id: str | None
    metadata: Mapping[str, str]
    created_at: datetime
    destination_refund_id: str | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money moved from our balance to a connected account."""

    id: str
    amount_minor: int
    reversed_minor: int
    currency: str
    destination_id: str | None
    transfer_group: str | None
    balance_transaction_id: str | None
    metadata: Mapping[str, str]
    created_at: datetime
    destination_payment_id: str | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A bank's claim on a capture; ``lines`` are the lines it wrote into Stripe's ledger so far.

    ``status``: needs_response, under_review, won, lost, the same three for inquiries (``warning_…``), prevented.
    """

    id: str
    status: str
    reason: str
    amount_minor: int
    currency: str
    charge_id: str | None
    payment_intent_id: str | None
    due_by: datetime | None
    past_due: bool
    submission_count: int
    evidence: Mapping[str, str]
    lines: "tuple[BalanceTransaction, ...]"
    is_charge_refundable: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Payout:
    """Money on its way from a connected account to its bank: pending, in_transit, paid, failed or canceled."""

    id: str
    status: str
    amount_minor: int
    currency: str
    automatic: bool
    created_at: datetime
    arrives_at: datetime | None
    failure_code: str | None
    failure_message: str | None
    balance_transaction_id: str | None
    failure_balance_transaction_id: str | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a connected account is paid out; anchors are None where the interval has none."""

    interval: str
    weekly_anchor: str | None
    monthly_anchor: int | None
    delay_days: int | None


@dataclass(frozen=True, slots=True)
class ConnectedAccount:
    """A consultant's account at Stripe; ``can_receive`` is its capability ``transfers`` being active."""

    id: str
    can_receive: bool
    details_submitted: bool
    payouts_enabled: bool
    country: str | None
    default_currency: str | None
    requirements_due: tuple[str, ...]
    metadata: Mapping[str, str]
    requirements_past_due: tuple[str, ...] = ()
    disabled_reason: str | None = None
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True)
class AccountLink:
    """A single-use address of Stripe's onboarding pages."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One line of Stripe's own ledger: ``net_minor = amount_minor - fee_minor``.

    ``parent_id`` is what its source belongs to, where that was asked for: a fee's refund names the fee.
    """

    id: str
    type: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    source_id: str | None
    created_at: datetime
    available_at: datetime
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """A webhook event. ``object`` is Stripe's snapshot at that moment; re-fetch before acting on it."""

    id: str
    type: str
    created_at: datetime
    object_id: str | None
    object_type: str
    account_id: str | None
    object: Mapping[str, Any]
