"""The journal: books a fact once, and says what accounts hold. Rows are only ever added."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select, text

from billing.ledger.entries import Posting
from billing.models import LedgerTransactionRow, PostingRow
from core.db import Tx
from core.ids import new_id


async def book(
    tx: Tx, charge_id: UUID | None, *, key: str, kind: str, currency: str, postings: Iterable[Posting]
) -> bool:
    """Book ``postings`` under ``key``; False (and nothing happens) when that key is booked already or all is zero."""
    moving = [posting for posting in postings if posting.amount_minor]
    if not moving or await tx.session.scalar(select(LedgerTransactionRow.id).where(LedgerTransactionRow.key == key)):
        return False
    transaction = LedgerTransactionRow(id=new_id(), charge_id=charge_id, key=key, kind=kind, at=tx.now)
    tx.session.add(transaction)
    await tx.session.flush()  # the postings refer to it
    tx.session.add_all(
        PostingRow(
            transaction_id=transaction.id,
            source=posting.source,
            destination=posting.destination,
            amount_minor=posting.amount_minor,
            currency=currency,
        )
        for posting in moving
    )
    await tx.session.flush()
    return True


async def mirror(tx: Tx, charge_id: UUID, *, of: str, key: str) -> bool:
    """Take back what is booked under ``of`` by its mirror image; False when it is not booked, or this is already."""
    original = await tx.session.scalar(select(LedgerTransactionRow).where(LedgerTransactionRow.key == of))
    if original is None:
        return False
    rows = list(await tx.session.scalars(select(PostingRow).where(PostingRow.transaction_id == original.id)))
    back = [Posting(row.destination, row.source, row.amount_minor) for row in rows]
    return await book(
        tx, charge_id, key=key, kind=f"{original.kind}_reversed", currency=rows[0].currency, postings=back
    )


async def of_charge(tx: Tx, charge_id: UUID) -> list[tuple[LedgerTransactionRow, Sequence[PostingRow]]]:
    """The transactions of a charge with their postings, in order of booking."""
    transactions = await tx.session.scalars(
        select(LedgerTransactionRow)
        .where(LedgerTransactionRow.charge_id == charge_id)
        .order_by(LedgerTransactionRow.at, LedgerTransactionRow.key)
    )
    found: list[tuple[LedgerTransactionRow, Sequence[PostingRow]]] = []
    for transaction in transactions:
        postings = await tx.session.scalars(
            select(PostingRow).where(PostingRow.transaction_id == transaction.id).order_by(PostingRow.id)
        )
        found.append((transaction, list(postings)))
    return found


async def balances_minor(tx: Tx, account: str) -> dict[str, int]:
    """What an account holds per currency: what came in less what went out; currencies it is empty in are left out."""
    query = text(
        "SELECT currency, sum(CASE WHEN destination = :account THEN amount_minor ELSE -amount_minor END) AS held "
        "FROM posting WHERE source = :account OR destination = :account GROUP BY currency ORDER BY currency"
    )
    rows = await tx.session.execute(query, {"account": account})
    return {row.currency: int(row.held) for row in rows if row.held}
