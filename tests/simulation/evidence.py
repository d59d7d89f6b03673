"""What came of a call: rows of the database and objects of Stripe, as plain values for the oracle."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from tests.simulation.bank import Bank
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
    stripe_refunds: list[Row]
    platform_net_minor: int
    consultant_net_minor: int
    fees_minor: int
    application_fees_minor: int


_OF_CHARGE = {
    "holds": "SELECT * FROM hold WHERE charge_id = %s ORDER BY n",
    "raises": "SELECT hold_raise.* FROM hold_raise JOIN hold ON hold.id = hold_id WHERE charge_id = %s "
    "ORDER BY hold.n, hold_raise.n",
    "commands": "SELECT * FROM command WHERE charge_id = %s ORDER BY created_at, key",
    "timeline": "SELECT * FROM charge_event WHERE charge_id = %s ORDER BY id",
    "cases": "SELECT * FROM billing_case WHERE charge_id = %s ORDER BY opened_at",
}
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
        unread = cursor.execute("SELECT count(*) AS n FROM stripe_event WHERE processed_at IS NULL").fetchone()
    assert unread is not None
    state = await bank.call("GET", "/_sandbox/state")
    ours = str(charge["id"])
    intents = [intent for intent in state.get("payment_intent", []) if intent["metadata"].get("charge_id") == ours]
    names = {intent["id"] for intent in intents}
    charges = [one for one in state.get("charge", []) if one["payment_intent"] in names]
    transfers = {one["transfer"] for one in charges}
    refunds = [one for one in state.get("refund", []) if one["payment_intent"] in names]
    fees = {one["application_fee"] for one in charges if one["application_fee"]}
    payments = {one["destination_payment"] for one in state.get("transfer", []) if one["id"] in transfers}
    sources = {one["id"] for one in (*charges, *refunds)} | transfers | fees
    lines = state.get("balance_transaction", [])
    own = [line for line in lines if line["source"] in sources]
    return Found(
        charge=charge,
        **rows,
        intervals=measured,
        books={row["account"]: row["amount"] for row in books},
        unread_events=unread["n"],
        intents=intents,
        stripe_charges=charges,
        stripe_refunds=refunds,
        platform_net_minor=sum(line["net"] for line in own),
        consultant_net_minor=sum(line["net"] for line in lines if line["source"] in payments),
        fees_minor=sum(line["fee"] for line in own),
        application_fees_minor=sum(line["amount"] for line in own if line["type"] == "application_fee"),
    )
