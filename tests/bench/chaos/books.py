"""The reconciliation from outside: observed time, bills, books and the sandbox's own state, session by session."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp
import psycopg
from psycopg.rows import dict_row

from tests.bench.chaos.people import Session
from tests.bench.chaos.script import CAP_MINOR, EXTENSION_MINOR, THRESHOLD_MS, Kind, commission_minor, due_minor

UNSEEN_MS = 8_000  # what a meter may show of a node that is dead, and what dies with it unwritten
SLACK_MS = 2_000
AT_REST = {"succeeded", "canceled", "requires_payment_method"}
_FINAL = {"captured", "released", "abandoned"}

CHARGES = """
SELECT charge.*, coalesce(seen.ms, 0) AS observed_ms, coalesce(seen.open, 0) AS observed_open,
       (SELECT count(*) FROM billing_case WHERE charge_id = charge.id) AS cases
  FROM charge LEFT JOIN (SELECT call_id, sum(duration_ms)::bigint AS ms, count(*) FILTER (WHERE open) AS open
                           FROM observed_interval WHERE side = 'both' GROUP BY call_id) seen USING (call_id)
"""
# What is owed for a missed promise and not given back, although a call was paid for since that had room for it.
FORGOTTEN = """
SELECT customer_id, amount_minor FROM credit WHERE used_minor < amount_minor AND EXISTS (
  SELECT 1 FROM charge WHERE charge.customer_id = credit.customer_id AND charge.currency = credit.currency
     AND state = 'captured' AND settled_at > granted_at + interval '10 s'
     AND commission_minor > credited_minor)
"""
OWED = "SELECT customer_id, sum(amount_minor)::bigint AS minor FROM promise_credit GROUP BY customer_id"
BALANCES = """
SELECT account, sum(amount)::bigint AS minor FROM (
  SELECT destination AS account, amount_minor AS amount FROM posting
  UNION ALL SELECT source, -amount_minor FROM posting) lines GROUP BY account
"""


@dataclass(slots=True)
class Findings:
    """What is wrong, counted and in words; and what happened, for whoever reads the figures."""

    double: int = 0
    lost: int = 0
    imbalance_minor: int = 0
    unexplained: int = 0
    strays: int = 0  # calls that no script knows of: the answer to their accept was lost
    captured_minor: int = 0
    credited_minor: int = 0  # given back for missed promises
    states: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    def odd(self, what: str) -> None:
        """One thing that nobody can explain."""
        self.unexplained += 1
        self.lines.append(what)


async def reconcile(database_url: str, sandbox_url: str, sessions: list[Session]) -> Findings:
    """Compare everything with everything; call it when nothing is under way any more."""
    found = Findings()
    async with aiohttp.ClientSession() as http, http.get(f"{sandbox_url}/_sandbox/state") as reply:
        state: dict[str, list[dict[str, Any]]] = await reply.json()
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        charges = connection.execute(CHARGES).fetchall()
        balances = {row["account"]: int(row["minor"]) for row in connection.execute(BALANCES)}
        owed = {row["customer_id"]: int(row["minor"]) for row in connection.execute(OWED)}
        forgotten = connection.execute(FORGOTTEN).fetchall()
    intents: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for intent in state.get("payment_intent", []):
        intents[intent["metadata"].get("charge_id", "")].append(intent)
    back: dict[str, int] = defaultdict(int)  # nobody asks for a refund here: what goes back is a credit
    for refund in state.get("refund", []):
        back[refund["payment_intent"]] += refund["amount"]
    given: dict[UUID, int] = defaultdict(int)
    by_call = {UUID(session.call_id): session for session in sessions}
    for charge in charges:
        session = by_call.pop(charge["call_id"], None)
        found.strays += session is None
        taken = intents.pop(str(charge["id"]), [])
        _check(found, charge, taken, session, sum(back.pop(intent["id"], 0) for intent in taken))
        given[charge["customer_id"]] += charge["credited_minor"]
    for session in by_call.values():
        found.odd(f"session {session.script.number}: its call has no charge")
    for charge_id in intents:
        found.odd(f"the sandbox holds an intent of an unknown charge {charge_id!r}")
    for customer, minor in given.items():
        if minor > owed.get(customer, 0):
            found.odd(f"{minor} credited to {customer}, {owed.get(customer, 0)} owed")
    for row in forgotten:
        found.odd(f"a credit of {row['amount_minor']} of {row['customer_id']} was not used, though there was room")
    if back:
        found.odd(f"the sandbox gave money back of unknown intents {sorted(back)}")
    found.credited_minor = sum(given.values())
    found.imbalance_minor = _imbalance(balances, state)
    return found


def _check(
    found: Findings, charge: dict[str, Any], intents: list[dict[str, Any]], session: Session | None, back: int
) -> None:
    name = f"{charge['reference']} ({session.script.kind if session else 'stray'})"
    taken = sum(intent["amount_received"] for intent in intents)
    # By a second hold, or by more on the first: Stripe's amounts say it either way.
    extended = charge["cap_minor"] > CAP_MINOR and sum(intent["amount"] for intent in intents) > CAP_MINOR
    expected = due_minor(charge["observed_ms"], CAP_MINOR + (EXTENSION_MINOR if extended else 0))
    found.captured_minor += taken
    found.states[charge["state"]] += 1
    found.reasons[charge["close_reason"]] += 1
    if taken > expected:
        found.double += 1
        found.lines.append(f"{name}: {taken} taken, {expected} due")
    if taken < expected or (_must_pay(session) and not taken):
        found.lost += 1
        found.lines.append(f"{name}: {taken} taken, {expected} due for {charge['observed_ms']} ms")
    wrong = {
        "state": charge["state"] not in _FINAL,
        "cases": charge["cases"] > 0,
        "cap": charge["cap_minor"] not in (CAP_MINOR, CAP_MINOR + EXTENSION_MINOR),
        "observed is open": charge["observed_open"] > 0,
        "billed time": charge["state"] != "abandoned" and charge["connected_ms"] != charge["observed_ms"],
        "bill": (charge["gross_minor"] or 0) != expected,
        "captured": charge["captured_minor"] != taken,
        "credited": not charge["credited_minor"] == back <= commission_minor(expected),
        "refunded": charge["refunded_minor"] != 0,
        "commission": sum(intent["application_fee_amount"] or 0 for intent in intents if intent["amount_received"])
        != commission_minor(expected),
        "a hold still stands": any(intent["status"] not in AT_REST for intent in intents),
        "time": session is not None and not _plausible(session, charge["observed_ms"]),
    }
    facts = (
        f"{charge['state']}, {charge['close_reason']}, {charge['connected_ms']} ms billed, "
        f"{charge['observed_ms']} ms observed, {charge['gross_minor']} due, {taken} taken; {session}"
    )
    for what, is_wrong in wrong.items():
        if is_wrong:
            found.odd(f"{name}: {what}; {facts}")


def _must_pay(session: Session | None) -> bool:
    """By the script alone: its people saw more than the free time on the meter."""
    return session is not None and session.reached and session.script.target_ms - UNSEEN_MS >= THRESHOLD_MS


def _plausible(session: Session, observed_ms: int) -> bool:
    """Between what the people saw and what the demo clock and the wall clock can have given."""
    script = session.script
    least = script.target_ms - UNSEEN_MS if session.reached and script.kind is not Kind.CAPPED else 0
    return least <= observed_ms <= session.skips * script.target_ms + 1000 * session.lasted_s + SLACK_MS


def _imbalance(balances: dict[str, int], state: dict[str, list[dict[str, Any]]]) -> int:
    """Minor units by which the books differ from the sandbox's own, and from zero where they must be zero."""
    lines = state.get("balance_transaction", [])
    platform = sum(line["net"] for line in lines if line["type"] != "payment")  # payments are the connected accounts'
    fees = sum(line["fee"] for line in lines if line["type"] == "charge")
    commission = sum(line["net"] for line in lines if line["type"] == "application_fee")
    people = sum(abs(minor) for account, minor in balances.items() if account.startswith(("customer:", "consultant:")))
    return (
        abs(sum(balances.values()))
        + people
        + abs(balances.get("stripe:clearing", 0) - platform)
        + abs(balances.get("platform:stripe_fees", 0) - fees)
        + abs(balances.get("platform:commission", 0) + commission)
        + abs(balances.get("platform:credits", 0) - sum(refund["amount"] for refund in state.get("refund", [])))
    )
