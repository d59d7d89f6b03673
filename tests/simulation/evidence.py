"""What came of a call: rows of the database and objects of Stripe, as plain values for the oracle."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from tests.simulation.bank import Bank
from tests.simulation.later_script import Deed
from tests.simulation.script import Call

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One call of a chain: when somebody came back to it, how it ended, and who was refused afterwards, with why.

    ``ended_at`` is None where billing ended it (the cap), ``media_at`` and
    ``ended_tick`` where media never began.
    """

    script: Call
    began_at: datetime | None
    ended_at: datetime | None
    media_at: datetime | None
    ended_tick: int | None
    ended_because: str
    closed_at: datetime | None
    given_up_at: datetime | None = None
    refusals: tuple[tuple[datetime, str], ...] = ()


@dataclass(eq=False, slots=True)
class Played:
    """One deed as it was played: who was told what, and when; what the bank did."""

    deed: Deed
    call_id: UUID | None = None
    key: str = ""
    amount_minor: int = 0
    accepted_at: datetime | None = None
    refusals: list[tuple[datetime, str]] = field(default_factory=list)
    words: list[tuple[datetime, str]] = field(default_factory=list)  # of the second person, as far as they were taken
    unheard: list[tuple[datetime, str]] = field(default_factory=list)  # their words that were not: why
    returned: list[str] = field(default_factory=list)  # refunds the customer's bank sent back
    provider_id: str = ""  # the dispute's, at Stripe
    intent_id: str = ""
    opened_at: datetime | None = None
    said: list[tuple[datetime, str]] = field(default_factory=list)  # by the bank
    answered: bool = False
    payouts: list[str] = field(default_factory=list)
    at: datetime | None = None
    released_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """What the world around billing did with a call, as it was played; ticks of the media clock.

    ``parts``: the call and those that went on with it.
    """

    opened_at: datetime
    began_at: datetime | None  # the moment of tick 0, by the steady clock
    ended_tick: int | None  # None: media never began
    ended_because: str
    closed_at: datetime | None
    lapsed: tuple[str, ...]  # the intents the bank let go
    clicks: int  # extensions that billing took on
    parts: tuple[Part, ...] = ()
    later: tuple[Played, ...] = ()  # what came after this call's capture
    paid_out: bool = False  # whether the consultant's account was emptied meanwhile


@dataclass(frozen=True, slots=True)
class Later:
    """What came after the capture: our rows, Stripe's objects, and what all of it moved. Lines are Stripe's."""

    refunds: list[Row]
    parts: list[Row]
    approvals: list[Row]
    disputes: list[Row]
    invoices: list[Row]
    mails: list[Row]
    stripe_refunds: list[Row]
    stripe_disputes: list[Row]
    fee_refunds: list[Row]
    reversals: list[Row]
    returns: list[Row]  # transfers that are no capture's
    fees: list[Row]
    own_lines: list[Row]
    their_lines: list[Row]


@dataclass(frozen=True, slots=True)
class Account:
    """The consultant's account over all calls: our rows and books by currency, and what Stripe has of it.

    ``taken`` are the lines of each payout; ``strange`` are lines of the platform's that belong to no call.
    """

    row: Row
    payouts: list[Row]
    payout_lines: list[Row]
    approvals: list[Row]
    cases: list[Row]
    jobs: int
    books: dict[tuple[str, str], int]
    lines: list[Row]
    stripe_payouts: list[Row]
    taken: dict[str, list[Row]]
    stripe: Row  # the account as Stripe describes it
    strange: list[Row]
    charge_of: dict[str, UUID]  # the source of a line on this account, and the charge it belongs to


@dataclass(frozen=True, slots=True)
class Found:
    """Everything there is about one call."""

    charge: Row
    holds: list[Row]
    raises: list[Row]
    commands: list[Row]
    intervals: list[Row]
    timeline: list[Row]
    cases: list[Row]
    books: dict[str, int]
    unread_events: int
    intents: list[Row]
    stripe_charges: list[Row]
    consultant_net_minor: int
    application_fees_minor: int
    later: Later


_OF_CHARGE = {
    "holds": "SELECT * FROM hold WHERE charge_id = %s ORDER BY n",
    "raises": "SELECT hold_raise.* FROM hold_raise JOIN hold ON hold.id = hold_id WHERE charge_id = %s "
    "ORDER BY hold.n, hold_raise.n",
    "commands": "SELECT * FROM command WHERE charge_id = %s ORDER BY created_at, key",
    "timeline": "SELECT * FROM charge_event WHERE charge_id = %s ORDER BY id",
    "cases": "SELECT * FROM billing_case WHERE charge_id = %s ORDER BY opened_at",
}
_LATER = {
    "refunds": "SELECT * FROM refund WHERE charge_id = %s ORDER BY requested_at, key",
    "parts": "SELECT refund_part.*, refund.key AS key, hold.provider_id AS intent_id FROM refund_part "
    "JOIN refund ON refund.id = refund_id JOIN hold ON hold.id = hold_id WHERE refund.charge_id = %s",
    "approvals": "SELECT approval.* FROM approval JOIN refund ON refund.id = subject_id WHERE charge_id = %s",
    "disputes": "SELECT * FROM dispute WHERE charge_id = %s ORDER BY opened_at",
    "invoices": "SELECT * FROM invoice WHERE charge_id = %s ORDER BY series, number",
    "mails": "SELECT mail.* FROM mail JOIN refund ON refund.id::text = subject_id WHERE charge_id = %s",
}
_PAYOUTS = "SELECT * FROM payout WHERE consultant_id = %s ORDER BY created_at, id"
_PAYOUT_LINES = "SELECT payout_line.* FROM payout_line JOIN payout ON payout.id = payout_id WHERE consultant_id = %s"
_PAYOUT_CASES = (
    "SELECT billing_case.* FROM billing_case WHERE charge_id IS NULL AND (details ->> 'consultant_id' = %s "
    "OR kind = 'webhook_failed' OR details ->> 'account' = %s "
    "OR details ->> 'payout' IN (SELECT id FROM payout WHERE consultant_id::text = %s))"
)
_ALL_BOOKS = (
    "SELECT account, currency, sum(amount)::bigint AS amount FROM ("
    "SELECT destination AS account, amount_minor AS amount, currency FROM posting UNION ALL "
    "SELECT source, -amount_minor, currency FROM posting) lines WHERE account LIKE %s GROUP BY account, currency"
)
_BOOKS = (
    "SELECT account, sum(amount)::bigint AS amount FROM ("
    "SELECT destination AS account, amount_minor AS amount, transaction_id FROM posting UNION ALL "
    "SELECT source, -amount_minor, transaction_id FROM posting) lines "
    "JOIN ledger_transaction ON ledger_transaction.id = transaction_id WHERE charge_id = %s GROUP BY account"
)


async def gather(database: psycopg.Connection[Any], bank: Bank, call_id: UUID, calls: Sequence[UUID]) -> Found | None:
    """Read it all; None when the call has no charge. ``calls``: it and those that went on with it."""
    with database.cursor(row_factory=dict_row) as cursor:
        charge = cursor.execute("SELECT * FROM charge WHERE call_id = %s", (call_id,)).fetchone()
        if charge is None:
            return None
        rows = {name: cursor.execute(query, (charge["id"],)).fetchall() for name, query in _OF_CHARGE.items()}
        books = cursor.execute(_BOOKS, (charge["id"],)).fetchall()
        intervals = cursor.execute("SELECT * FROM billable_interval WHERE call_id = ANY(%s)", (list(calls),))
        measured = intervals.fetchall()
        later = {name: cursor.execute(query, (charge["id"],)).fetchall() for name, query in _LATER.items()}
        unread = cursor.execute("SELECT count(*) AS n FROM stripe_event WHERE processed_at IS NULL").fetchone()
    assert unread is not None
    state = await bank.call("GET", "/_sandbox/state")
    ours = str(charge["id"])
    intents = [intent for intent in state.get("payment_intent", []) if intent["metadata"].get("charge_id") == ours]
    names = {intent["id"] for intent in intents}
    charges = [one for one in state.get("charge", []) if one["payment_intent"] in names]
    transfers = {one["transfer"] for one in charges}
    fees = {one["application_fee"] for one in charges if one["application_fee"]}
    payments = {one["destination_payment"] for one in state.get("transfer", []) if one["id"] in transfers}
    sources = {one["id"] for one in charges} | transfers | fees
    lines = state.get("balance_transaction", [])
    own = [line for line in lines if line["source"] in sources]
    after = _after(state, ours, charges, transfers, fees)
    moved = sources | {one["id"] for name in _MOVED for one in after[name]}
    theirs = payments | {one["destination_payment"] for one in after["returns"]}
    theirs |= {one["destination_payment_refund"] for one in after["reversals"]}
    given = {one["id"] for one in after["fee_refunds"]}
    return Found(
        charge=charge,
        **rows,
        intervals=measured,
        books={row["account"]: row["amount"] for row in books},
        unread_events=unread["n"],
        intents=intents,
        stripe_charges=charges,
        consultant_net_minor=sum(line["net"] for line in lines if line["source"] in payments),
        application_fees_minor=sum(line["amount"] for line in own if line["type"] == "application_fee"),
        later=Later(
            **later,
            **after,
            fees=[fee for fee in state.get("application_fee", []) if fee["id"] in fees],
            own_lines=[line for line in lines if line["source"] in moved and not _with_them(line, given)],
            their_lines=[line for line in lines if line["source"] in theirs or _with_them(line, given)],
        ),
    )


_MOVED = ("stripe_refunds", "stripe_disputes", "fee_refunds", "reversals", "returns")


def _after(
    state: dict[str, list[Row]], ours: str, charges: list[Row], transfers: set[str], fees: set[str]
) -> dict[str, list[Row]]:
    """Stripe's objects of what came after these captures."""
    names = {one["id"] for one in charges}
    returns = [one for one in state.get("transfer", []) if one["transfer_group"] == ours and one["id"] not in transfers]
    every = transfers | {one["id"] for one in returns}
    return {
        "stripe_refunds": [one for one in state.get("refund", []) if one["charge"] in names],
        "stripe_disputes": [one for one in state.get("dispute", []) if one["charge"] in names],
        "fee_refunds": [one for one in state.get("fee_refund", []) if one["fee"] in fees],
        "reversals": [one for one in state.get("transfer_reversal", []) if one["transfer"] in every],
        "returns": returns,
    }


def _with_them(line: Row, given: set[str]) -> bool:
    """Whether this line of a returned fee is the connected account's side of it; ours bears the same source."""
    return line["source"] in given and line["type"] == "adjustment"


async def gather_account(
    database: psycopg.Connection[Any], bank: Bank, consultant: UUID, account: str, found: Sequence[Found]
) -> Account:
    """Read what there is about the consultant's account, once every call is gathered."""
    with database.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("SELECT * FROM payout_account WHERE user_id = %s", (consultant,)).fetchone()
        payouts = cursor.execute(_PAYOUTS, (consultant,)).fetchall()
        payout_lines = cursor.execute(_PAYOUT_LINES, (consultant,)).fetchall()
        cases = cursor.execute(_PAYOUT_CASES, (str(consultant), account, str(consultant))).fetchall()
        approvals = cursor.execute("SELECT * FROM approval WHERE subject_id = %s", (consultant,)).fetchall()
        jobs = cursor.execute("SELECT count(*) AS n FROM procrastinate_jobs").fetchone()
        books = cursor.execute(_ALL_BOOKS, (f"%:{consultant}:%",)).fetchall()
    assert row is not None
    assert jobs is not None
    state = await bank.call("GET", "/_sandbox/state")
    made = state.get("payout", [])
    known = {line["id"] for one in found for line in one.later.own_lines}
    lines = await bank.lines(account)
    theirs = {line["id"] for line in lines}
    seen = await bank.api("GET", f"/v1/accounts/{account}")
    return Account(
        row=row,
        payouts=payouts,
        payout_lines=payout_lines,
        approvals=approvals,
        cases=cases,
        jobs=jobs["n"],
        books={(one["account"], one["currency"]): one["amount"] for one in books},
        lines=lines,
        stripe_payouts=made,
        taken={one["id"]: await bank.lines(account, one["id"]) for one in made if one["automatic"]},
        stripe=seen,
        strange=[
            line
            for line in state.get("balance_transaction", [])
            if line["id"] not in known | theirs and line["type"] != "topup"
        ],
        charge_of={line["source"]: one.charge["id"] for one in found for line in one.later.their_lines},
    )
