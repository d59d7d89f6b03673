"""The tables of ``billing``: every row from which a figure can be computed again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue, ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class ChargeRow(Base):
    """What one call costs. The upper half is the price snapshot taken at accept, the lower half moves.

    A lost call may be gone on with: then one charge has a chain of calls. ``call_id`` is the first of
    them, ``last_call_id`` the newest (None: there is only one). Once that has ended, ``rescue_until`` is until when
    another may go on with it, None when none may; ``books_closed_at`` is when every interval of it became final while
    the charge waits for that moment.

    ``cap_minor`` is what the customer allows now (it grows with an extension); ``snapshot_cap_minor`` what they
    allowed at first. ``next_deadline_at`` is when the meter has something to say, None while nothing runs.
    ``marked_ms`` is the connected time up to which warnings were given. ``late_hold_ms`` is the connected time at
    which a trusted customer's hold is placed, None where that is at accept; ``secured_at`` is when that one stood.
    ``review_until`` is when a bill that may still be looked at is settled; ``waived``: it was found wrong by then.
    ``refunded_minor`` is what both sides gave back of it, ``credited_minor`` what the house did (``CreditRow``).
    ``tax_reason`` is a member of
    ``billing.tax.Reason`` (None before there were any), and the columns after it what both sides had stated.
    """

    __tablename__ = "charge"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_id: Mapped[UUID]
    reference: Mapped[str]
    customer_id: Mapped[UUID]
    consultant_id: Mapped[UUID]
    created_at: Mapped[datetime]
    currency: Mapped[str]
    rate_minor_per_hour: Mapped[int]
    policy: Mapped[str]
    policy_version: Mapped[str]
    threshold_ms: Mapped[int]
    commission_bps: Mapped[int]
    tax_mode: Mapped[str]
    tax_rate_bps: Mapped[int]
    tax_reason: Mapped[str | None]
    supplier_country: Mapped[str | None]
    supplier_vat_id: Mapped[str | None]
    supplier_name: Mapped[str | None]
    supplier_address: Mapped[str | None]
    customer_country: Mapped[str | None]
    customer_vat_id: Mapped[str | None]
    customer_name: Mapped[str | None]
    customer_address: Mapped[str | None]
    snapshot_cap_minor: Mapped[int]
    terms_version: Mapped[str]
    consented_at: Mapped[datetime]
    late_hold_ms: Mapped[int | None] = mapped_column(default=None)
    review_window_s: Mapped[int] = mapped_column(server_default="0", default=0)

    state: Mapped[str]
    cap_minor: Mapped[int]
    marked_ms: Mapped[int]
    next_deadline_at: Mapped[datetime | None]
    secured_at: Mapped[datetime | None] = mapped_column(default=None)
    call_ended_at: Mapped[datetime | None]
    close_reason: Mapped[str | None]
    connected_ms: Mapped[int | None]
    billed_ms: Mapped[int | None]
    gross_minor: Mapped[int | None]
    commission_minor: Mapped[int | None]
    net_minor: Mapped[int | None]
    captured_minor: Mapped[int]
    refunded_minor: Mapped[int] = mapped_column(server_default="0", default=0)
    credited_minor: Mapped[int] = mapped_column(server_default="0", default=0)
    review_until: Mapped[datetime | None] = mapped_column(default=None)
    waived: Mapped[bool] = mapped_column(server_default="false", default=False)
    settling_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    last_call_id: Mapped[UUID | None] = mapped_column(default=None)
    rescue_until: Mapped[datetime | None] = mapped_column(default=None)
    books_closed_at: Mapped[datetime | None] = mapped_column(default=None)


class ContinuedCallRow(Base):
    """A call that goes on where a lost one ended, on the same charge; ``n`` counts from 1 within it.

    ``intervals_before`` is added to the numbers of its intervals: within a charge each number is given once.
    """

    __tablename__ = "continued_call"

    call_id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_id: Mapped[UUID] = mapped_column(ForeignKey("charge.id"))
    n: Mapped[int]
    intervals_before: Mapped[int]
    began_at: Mapped[datetime]


class HoldRow(Base):
    """One authorization on the customer's card: one PaymentIntent. ``n`` counts from 1 within a charge.

    ``expires_at`` ends the time in which it may come to stand; ``unwanted`` says to release it once it is known.
    ``purpose`` is ``call``, or ``collection`` for one that is captured as soon as it stands. ``incremental``: the bank
    may be asked to hold more on it; ``amount_minor`` is then what it holds by now (``HoldRaiseRow``).
    """

    __tablename__ = "hold"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_id: Mapped[UUID] = mapped_column(ForeignKey("charge.id"))
    n: Mapped[int]
    client_key: Mapped[str | None]
    purpose: Mapped[str] = mapped_column(server_default="call", default="call")
    state: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    provider_id: Mapped[str | None]
    authenticate_url: Mapped[str | None]
    decline_message: Mapped[str | None]
    unwanted: Mapped[bool]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    held_at: Mapped[datetime | None]
    capture_before: Mapped[datetime | None]
    capture_minor: Mapped[int]
    capture_fee_minor: Mapped[int]
    captured_minor: Mapped[int]
    provider_fee_minor: Mapped[int | None]
    transfer_id: Mapped[str | None]
    finished_at: Mapped[datetime | None]
    incremental: Mapped[bool] = mapped_column(server_default="false", default=False)


class HoldRaiseRow(Base):
    """A hold that the bank is asked to raise from one amount to another. ``n`` counts from 1 within a hold.

    ``expires_at`` ends the time in which the customer waits for it, None once that is over.
    """

    __tablename__ = "hold_raise"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hold_id: Mapped[UUID] = mapped_column(ForeignKey("hold.id"))
    n: Mapped[int]
    client_key: Mapped[str]
    state: Mapped[str]
    from_minor: Mapped[int]
    to_minor: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class CommandRow(Base):
    """One write to Stripe: committed before it is sent, with the key it is sent under.

    ``due_at`` is when the sweeper looks at it again, None once its outcome is known. ``subject_id`` is the refund's
    part or the dispute it serves, None where that is the hold itself.
    """

    __tablename__ = "command"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_id: Mapped[UUID] = mapped_column(ForeignKey("charge.id"))
    hold_id: Mapped[UUID] = mapped_column(ForeignKey("hold.id"))
    subject_id: Mapped[UUID | None] = mapped_column(default=None)
    kind: Mapped[str]
    key: Mapped[str]
    params: Mapped[dict[str, Any]]
    params_hash: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    first_sent_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    absent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[dict[str, Any] | None]


class BillableIntervalRow(Base):
    """Connected time of a call as the media room observed it; frozen by the database once closed."""

    __tablename__ = "billable_interval"

    call_id: Mapped[UUID] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    duration_ms: Mapped[int] = mapped_column(BigInteger)
    open: Mapped[bool]
    cause: Mapped[str | None]


class ChargeEventRow(Base):
    """Evidence: what happened to a charge and when. Append-only; receipts and finance show it as the timeline.

    ``body`` is the entry as canonical JSON; a trigger numbers and links it (``billing/proof/chain.py``).
    """

    __tablename__ = "charge_event"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    charge_id: Mapped[UUID] = mapped_column(ForeignKey("charge.id"))
    at: Mapped[datetime]
    kind: Mapped[str]
    details: Mapped[dict[str, Any]]
    body: Mapped[str]
    n: Mapped[int] = mapped_column(FetchedValue())
    previous_hash: Mapped[str] = mapped_column(FetchedValue())
    hash: Mapped[str] = mapped_column(FetchedValue())


class LedgerTransactionRow(Base):
    """One fact in the books. ``key`` makes it happen once; a correction is another transaction.

    The database refuses one that lies in a closed month. ``charge_id`` is None for what is no charge's: payouts.
    """

    __tablename__ = "ledger_transaction"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_id: Mapped[UUID | None] = mapped_column(ForeignKey("charge.id"))
    key: Mapped[str]
    kind: Mapped[str]
    at: Mapped[datetime]


class PostingRow(Base):
    """Value moved from ``source`` to ``destination``: balanced by construction."""

    __tablename__ = "posting"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    transaction_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transaction.id"))
    source: Mapped[str]
    destination: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]


class StripeEventRow(Base):
    """A webhook as it came, stored before anything is made of it.

    ``attempts`` counts how often it was taken up, ``failures`` how often that ended in an error nobody expected.
    """

    __tablename__ = "stripe_event"

    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[str | None]
    intent_id: Mapped[str | None]
    account_id: Mapped[str | None] = mapped_column(default=None)
    raw: Mapped[str]
    received_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    attempts: Mapped[int]
    processed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    failures: Mapped[int] = mapped_column(server_default="0")


class CustomerPaymentRow(Base):
    """A customer at Stripe; ``payment_method_id`` is the card holds are placed with, None while there is none."""

    __tablename__ = "customer_payment"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_customer_id: Mapped[str | None]
    payment_method_id: Mapped[str | None] = mapped_column(ForeignKey("saved_card.payment_method_id"))
    updated_at: Mapped[datetime]


class SavedCardRow(Base):
    """What may be shown of a customer's card; never a number.

    A removed card is kept: ``detach_key`` is the key under which Stripe is told, ``detached_at`` when it was.
    ``looked_at`` is when Stripe was asked for what stands here.
    """

    __tablename__ = "saved_card"

    payment_method_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    brand: Mapped[str]
    last4: Mapped[str]
    exp_month: Mapped[int]
    exp_year: Mapped[int]
    added_at: Mapped[datetime]
    looked_at: Mapped[datetime | None] = mapped_column(default=None)
    removed_at: Mapped[datetime | None]
    detach_key: Mapped[str | None]
    detached_at: Mapped[datetime | None]


class CardSetupRow(Base):
    """A card being saved: whose SetupIntent this is."""

    __tablename__ = "card_setup"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    setup_intent_id: Mapped[str | None]
    created_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]


class PayoutAccountRow(Base):
    """A consultant's connected account, and whether it can receive transfers.

    ``schedule`` mirrors when Stripe pays out, ``wanted_schedule`` is what we want it to be; they differ until a job
    has told Stripe (``schedule_due_at`` is when the next attempt is). Held: paid out by nobody until finance releases.
    ``look_due_at`` is when Stripe is asked again how the account stands, whatever was told of it meanwhile.
    ``country`` is stored before Stripe is asked to open the account there, and stays.
    """

    __tablename__ = "payout_account"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_account_id: Mapped[str | None]
    country: Mapped[str | None] = mapped_column(default=None)
    can_receive: Mapped[bool]
    payouts_enabled: Mapped[bool] = mapped_column(server_default="false", default=False)
    requirements: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    schedule: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    wanted_schedule: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    schedule_due_at: Mapped[datetime | None] = mapped_column(default=None)
    schedule_attempts: Mapped[int] = mapped_column(server_default="0", default=0)
    held_reason: Mapped[str | None] = mapped_column(default=None)
    held_by: Mapped[UUID | None] = mapped_column(default=None)
    held_at: Mapped[datetime | None] = mapped_column(default=None)
    look_due_at: Mapped[datetime | None] = mapped_column(default=None)
    updated_at: Mapped[datetime]


class CaseRow(Base):
    """Something a person must look at: Stripe and we disagree, or Stripe refused what we asked.

    ``key`` names the difference itself, so that finding it again opens no second case.
    """

    __tablename__ = "billing_case"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_id: Mapped[UUID | None] = mapped_column(ForeignKey("charge.id"))
    key: Mapped[str | None] = mapped_column(unique=True, default=None)
    kind: Mapped[str]
    details: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = mapped_column(default=None)
    resolution: Mapped[str | None] = mapped_column(default=None)


class ProviderRefRow(Base):
    """An object at Stripe that belongs to a charge, and what it stands for: how a line of Stripe's is recognised."""

    __tablename__ = "provider_ref"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    charge_id: Mapped[UUID] = mapped_column(ForeignKey("charge.id"))
    subject_id: Mapped[UUID]
    at: Mapped[datetime]


class InvoiceSeriesRow(Base):
    """The last number given in a series of invoices; its row lock is what leaves no gap."""

    __tablename__ = "invoice_series"

    series: Mapped[str] = mapped_column(primary_key=True)
    last_number: Mapped[int]


class InvoiceRow(Base):
    """An invoice, or a credit note that takes (part of) one back. Append-only; amounts of a credit note are positive.

    ``vat_treatment`` is a member of ``billing.tax.Treatment``; ``refund_id`` names the refund of a credit note.
    """

    __tablename__ = "invoice"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    series: Mapped[str] = mapped_column(ForeignKey("invoice_series.series"))
    number: Mapped[int]
    kind: Mapped[str]
    charge_id: Mapped[UUID] = mapped_column(ForeignKey("charge.id"))
    refund_id: Mapped[UUID | None]
    corrects_id: Mapped[UUID | None] = mapped_column(ForeignKey("invoice.id"))
    issued_at: Mapped[datetime]
    currency: Mapped[str]
    gross_minor: Mapped[int]
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    vat_rate_bps: Mapped[int]
    vat_treatment: Mapped[str]
