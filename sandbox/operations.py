"""The table of operations: method, path, name, typed params of the SDK, and the function that answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.resources import (
    accounts,
    balance,
    charges,
    customers,
    disputes,
    events,
    fees,
    increments,
    payment_intents,
    payment_methods,
    payouts,
    refunds,
    setup_intents,
    transfers,
)
from sandbox.store import Obj
from sandbox.world import Request, World

Answer = Callable[[World, Request], Obj]
Listing = Callable[[World, Request], list[Obj]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint; exactly one of ``answer`` (an object) and ``listing`` (a page of them) is set."""

    method: str
    path: str
    name: str
    params: str
    answer: Answer | None = None
    listing: Listing | None = None

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The ids in the path, or None when this is not the endpoint."""
        if method != self.method:
            return None
        found = re.fullmatch(self.path.replace("{id}", r"(?P<id>[A-Za-z0-9_]+)"), path)
        return found.groupdict() if found else None


def _post(path: str, name: str, params: str, answer: Answer) -> Operation:
    return Operation("POST", f"/v1/{path}", name, params, answer=answer)


def _get(path: str, name: str, params: str, answer: Answer) -> Operation:
    return Operation("GET", f"/v1/{path}", name, params, answer=answer)


def _list(path: str, name: str, params: str, listing: Listing) -> Operation:
    return Operation("GET", f"/v1/{path}", name, params, listing=listing)


OPERATIONS = (
    _post("customers", "customers.create", "CustomerCreateParams", customers.create),
    _get("customers/{id}", "customers.retrieve", "CustomerRetrieveParams", customers.retrieve),
    _post("setup_intents", "setup_intents.create", "SetupIntentCreateParams", setup_intents.create),
    _get("setup_intents/{id}", "setup_intents.retrieve", "SetupIntentRetrieveParams", setup_intents.retrieve),
    _post("setup_intents/{id}/confirm", "setup_intents.confirm", "SetupIntentConfirmParams", setup_intents.confirm),
    _list("payment_methods", "payment_methods.list", "PaymentMethodListParams", payment_methods.listed),
    _get("payment_methods/{id}", "payment_methods.retrieve", "PaymentMethodRetrieveParams", payment_methods.retrieve),
    _post("payment_methods/{id}", "payment_methods.update", "PaymentMethodUpdateParams", payment_methods.update),
    _post("payment_methods/{id}/attach", "payment_methods.attach", "PaymentMethodAttachParams", payment_methods.attach),
    _post("payment_methods/{id}/detach", "payment_methods.detach", "PaymentMethodDetachParams", payment_methods.detach),
    _post("payment_intents", "payment_intents.create", "PaymentIntentCreateParams", payment_intents.create),
    _list("payment_intents", "payment_intents.list", "PaymentIntentListParams", payment_intents.listed),
    _get("payment_intents/{id}", "payment_intents.retrieve", "PaymentIntentRetrieveParams", payment_intents.retrieve),
    _post(
        "payment_intents/{id}/confirm", "payment_intents.confirm", "PaymentIntentConfirmParams", payment_intents.confirm
    ),
    _post(
        "payment_intents/{id}/capture", "payment_intents.capture", "PaymentIntentCaptureParams", payment_intents.capture
    ),
    _post("payment_intents/{id}/cancel", "payment_intents.cancel", "PaymentIntentCancelParams", payment_intents.cancel),
    _post(
        "payment_intents/{id}/increment_authorization",
        "payment_intents.increment_authorization",
        "PaymentIntentIncrementAuthorizationParams",
        increments.increment,
    ),
    _list("charges", "charges.list", "ChargeListParams", charges.listed),
    _get("charges/{id}", "charges.retrieve", "ChargeRetrieveParams", charges.retrieve),
    _post("refunds", "refunds.create", "RefundCreateParams", refunds.create),
    _list("refunds", "refunds.list", "RefundListParams", refunds.listed),
    _get("refunds/{id}", "refunds.retrieve", "RefundRetrieveParams", refunds.retrieve),
    _post("accounts", "accounts.create", "AccountCreateParams", accounts.create),
    _get("accounts/{id}", "accounts.retrieve", "AccountRetrieveParams", accounts.retrieve),
    _post("accounts/{id}", "accounts.update", "AccountUpdateParams", accounts.update),
    _post("account_links", "account_links.create", "AccountLinkCreateParams", accounts.link),
    _list("events", "events.list", "EventListParams", events.listed),
    _get("events/{id}", "events.retrieve", "EventRetrieveParams", events.retrieve),
    _post("transfers", "transfers.create", "TransferCreateParams", transfers.create),
    _list("transfers", "transfers.list", "TransferListParams", transfers.listed),
    _get("transfers/{id}", "transfers.retrieve", "TransferRetrieveParams", transfers.retrieve),
    _post(
        "transfers/{id}/reversals",
        "transfer_reversals.create",
        "TransferReversalCreateParams",
        transfers.create_reversal,
    ),
    _list("transfers/{id}/reversals", "transfer_reversals.list", "TransferReversalListParams", transfers.reversals),
    _list("application_fees", "application_fees.list", "ApplicationFeeListParams", fees.listed),
    _get("application_fees/{id}", "application_fees.retrieve", "ApplicationFeeRetrieveParams", fees.retrieve),
    _list(
        "application_fees/{id}/refunds", "application_fee_refunds.list", "ApplicationFeeRefundListParams", fees.refunds
    ),
    _list("disputes", "disputes.list", "DisputeListParams", disputes.listed),
    _get("disputes/{id}", "disputes.retrieve", "DisputeRetrieveParams", disputes.retrieve),
    _post("disputes/{id}", "disputes.update", "DisputeUpdateParams", disputes.update),
    _post("disputes/{id}/close", "disputes.close", "DisputeCloseParams", disputes.close),
    _post("payouts", "payouts.create", "PayoutCreateParams", payouts.create),
    _list("payouts", "payouts.list", "PayoutListParams", payouts.listed),
    _get("payouts/{id}", "payouts.retrieve", "PayoutRetrieveParams", payouts.retrieve),
    _get("balance", "balance.retrieve", "BalanceRetrieveParams", balance.total),
    _list("balance_transactions", "balance_transactions.list", "BalanceTransactionListParams", balance.listed),
    _get(
        "balance_transactions/{id}",
        "balance_transactions.retrieve",
        "BalanceTransactionRetrieveParams",
        balance.retrieve,
    ),
)


def find(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation this request means, and the ids in its path."""
    for operation in OPERATIONS:
        ids = operation.match(method, path)
        if ids is not None:
            return operation, ids
    return None
