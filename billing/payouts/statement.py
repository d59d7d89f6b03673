"""The statement of a connected account: what it held before, every movement of a period, what it holds after.

It is read from the books alone, so that it sums to them: each line is one ledger transaction that moved the account.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from billing.finance.sheet import safe
from billing.ledger import entries
from billing.periods import Period
from core.db import Tx
from core.money import amount_text

HEADER = ("at", "what", "reference", "gross", "commission", "net", "paid_out", "balance", "currency")
BEFORE, AFTER = "balance brought forward", "balance carried forward"
_PAYOUTS = frozenset({"payout", "payout_failed"})

_BEFORE = text(
    """
    SELECT p.currency, sum(CASE WHEN p.destination = :balance THEN p.amount_minor ELSE -p.amount_minor END) AS held
    FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
    WHERE t.at < :starts AND (p.source = :balance OR p.destination = :balance)
    GROUP BY p.currency
    """
)

# What a transaction moved on the connected account, and what the customer paid or had back in the same transaction.
_MOVEMENTS = text(
    """
    SELECT t.at, t.kind, t.key, c.reference, p.currency,
           sum(CASE WHEN p.destination = :balance THEN p.amount_minor
                    WHEN p.source = :balance THEN -p.amount_minor ELSE 0 END) AS moved,
           sum(CASE WHEN p.destination = :clearing AND p.source LIKE 'customer:%' THEN p.amount_minor
                    WHEN p.source = :clearing AND p.destination LIKE 'customer:%' THEN -p.amount_minor
                    ELSE 0 END) AS gross
    FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id LEFT JOIN charge c ON c.id = t.charge_id
    WHERE t.at >= :starts AND t.at < :ends
      AND t.id IN (SELECT transaction_id FROM posting WHERE source = :balance OR destination = :balance)
    GROUP BY t.id, t.at, t.kind, t.key, c.reference, p.currency
    ORDER BY p.currency, t.at, t.key
    """
)


@dataclass(frozen=True, slots=True)
class Movement:
    """One line, in minor units; ``gross_minor - commission_minor == net_minor``, and a payout is nothing but that."""

    at: datetime
    kind: str
    reference: str
    gross_minor: int
    commission_minor: int
    net_minor: int
    paid_out_minor: int


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """One currency: ``before_minor`` and the movements make ``after_minor``; negative is carried."""

    currency: str
    before_minor: int
    movements: Sequence[Movement]

    @property
    def after_minor(self) -> int:
        """What lies on the account at the end."""
        return self.before_minor + sum(one.net_minor - one.paid_out_minor for one in self.movements)

    def running(self) -> Iterator[tuple[Movement, int]]:
        """Each movement with the balance after it."""
        balance = self.before_minor
        for one in self.movements:
            balance += one.net_minor - one.paid_out_minor
            yield one, balance

    @property
    def sums(self) -> tuple[int, int, int, int]:
        """Gross, commission, net and what was paid out, over all movements."""
        gross, commission, net, paid_out = zip((0, 0, 0, 0), *map(amounts, self.movements), strict=True)
        return sum(gross), sum(commission), sum(net), sum(paid_out)


async def of_period(tx: Tx, consultant: UUID, period: Period) -> list[AccountStatement]:
    """The statements of a consultant by currency; a currency that never moved has none."""
    assert period.starts_at is not None, "a statement begins with a balance"
    assert period.ends_at is not None, "and ends with one"
    account = entries.connected_balance(consultant)
    held = await tx.session.execute(_BEFORE, {"balance": account, "starts": period.starts_at})
    before = {row.currency: int(row.held) for row in held}
    given = {"balance": account, "clearing": entries.CLEARING, "starts": period.starts_at, "ends": period.ends_at}
    movements: dict[str, list[Movement]] = {}
    for row in await tx.session.execute(_MOVEMENTS, given):
        movements.setdefault(row.currency, []).append(_movement(row))
    return [
        AccountStatement(currency, before.get(currency, 0), movements.get(currency, []))
        for currency in sorted(before.keys() | movements.keys())
    ]


def table(accounts: Iterable[AccountStatement], zone: str) -> str:
    """The statements as CSV (RFC 4180): exact decimals, times in ``zone``, no cell that runs as a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    for account in accounts:
        currency, text_of = account.currency.upper(), partial(amount_text, currency=account.currency)
        writer.writerow(("", BEFORE, "", "", "", "", "", text_of(account.before_minor), currency))
        for one, balance in account.running():
            moment = one.at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")
            what = one.kind.replace("_", " ")
            writer.writerow(
                (moment, what, safe(one.reference), *map(text_of, amounts(one)), text_of(balance), currency)
            )
        writer.writerow(("", AFTER, "", *map(text_of, account.sums), text_of(account.after_minor), currency))
    return out.getvalue()


def _movement(row: Any) -> Movement:
    moved = int(row.moved)
    if row.kind in _PAYOUTS:
        return Movement(row.at, row.kind, row.key.partition(":")[2], 0, 0, 0, -moved)
    # A disputed share moves without its customer: there the share is the whole line.
    gross = int(row.gross) or moved
    return Movement(row.at, row.kind, row.reference or "", gross, gross - moved, moved, 0)


def amounts(one: Movement) -> tuple[int, int, int, int]:
    """Gross, commission, net and what was paid out."""
    return one.gross_minor, one.commission_minor, one.net_minor, one.paid_out_minor
