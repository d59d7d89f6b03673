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


class RefundStatus(StrEnum):
    """Status of a refund (docs.stripe.com/api/refunds/object#refund_object-status)."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class DisputeStatus(StrEnum):
    """Status of a dispute (docs.stripe.com/api/disputes/object#dispute_object-status)."""

    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    APPEAL_NEEDS_RESPONSE = "appeal_needs_response"
    APPEAL_UNDER_REVIEW = "appeal_under_review"
    WON = "won"
    LOST = "lost"
    PREVENTED = "prevented"


class PayoutStatus(StrEnum):
    """Status of a payout (docs.stripe.com/api/payouts/object#payout_object-status)."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Card:
    """What may be shown of a card; the number is never ours to see.

    ``fingerprint`` is the same for the same number wherever it was saved: two accounts with one card show by it.
    """

    brand: str
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str | None = None


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
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hold:
    """A PaymentIntent with manual capture, and what its latest charge tells.

    ``authenticate_url`` is set while the status is ``requires_action``: the customer goes there (3-D Secure).
    ``capture_before`` is when the bank lets the authorization lapse; None before it stands.
    ``charge_id``, ``transfer_id``, ``balance_transaction_id`` and ``application_fee_minor`` speak of the capture.
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
    fee_minor: int | None = None
    """Stripe's own processing fee, once the capture's balance transaction is known."""
    application_fee_refunded_minor: int = 0
    incremental: bool = False
    """Whether the bank lets this authorization be enlarged."""
    disputed: bool = False
    destination_payment_id: str | None = None
    """The capture as the connected account sees it."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back; ``status`` may turn from succeeded to failed days later.

    ``fee_refunded_total_minor`` is the commission returned on this charge so far; ``fee_refunded_minor`` is this
    refund's part of it, or None where Stripe's figures do not tell (it names no refund on a returned fee).
    A failed refund is no longer in the charge's refunded amount, but its transfer reversal and fee stay returned.
    """

    id: str
    status: RefundStatus
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
    application_fee_id: str | None = None
    fee_refunded_minor: int | None = None
    failure_balance_transaction_id: str | None = None
    destination_refund_id: str | None = None
    """The transfer's reversal as the connected account sees it."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money moved from the platform to a connected account; a capture makes one by itself."""

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
class TransferReversal:
    """Part of a transfer taken back from the connected account."""

    id: str
    transfer_id: str
    amount_minor: int
    currency: str
    balance_transaction_id: str | None
    metadata: Mapping[str, str]
    created_at: datetime
    destination_refund_id: str | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A payment a bank takes back (or, as ``warning_…``, asks about).

    ``lines`` are what it moved on the platform's balance: none for an inquiry, the withdrawal with Stripe's fee for a
    dispute, and the reinstatement when it is won. ``due_by`` is when an answer must be there, None when none may be
    given. ``evidence`` is what was kept so far, by Stripe's names.
    """

    id: str
    status: DisputeStatus
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
    """Money sent from a connected account to its bank; ``automatic`` when its schedule did it.

    ``failure_balance_transaction_id`` is the line that brought the money back.
    """

    id: str
    status: PayoutStatus
    amount_minor: int
    currency: str
    arrival_at: datetime
    created_at: datetime
    failure_code: str | None
    failure_message: str | None
    automatic: bool
    failure_balance_transaction_id: str | None
    balance_transaction_id: str | None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConnectedAccount:
    """A consultant's account at Stripe; ``can_receive`` is its capability ``transfers`` being active.

    ``payout_interval`` is ``manual``, ``daily``, ``weekly`` (with ``payout_weekly_anchor``, a day's English name) or
    ``monthly`` (with ``payout_monthly_anchor``, 1-31). ``disabled_reason`` says why Stripe stopped something.
    """

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
    payout_interval: str | None = None
    payout_weekly_anchor: str | None = None
    payout_monthly_anchor: int | None = None
    payout_delay_days: int | None = None


@dataclass(frozen=True, slots=True)
class AccountLink:
    """A single-use address of Stripe's onboarding pages."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One line of Stripe's own ledger: ``net_minor = amount_minor - fee_minor``.

    ``reporting_category`` tells adjustments apart: ``dispute``, ``dispute_reversal``, ``fee``
    (docs.stripe.com/reports/reporting-categories). ``parent_id`` is the application fee a returned fee belongs to.
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
    reporting_category: str = ""
    description: str | None = None
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
