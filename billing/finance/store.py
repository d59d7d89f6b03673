"""Queries of finance: pages of charges, totals over the whole filter, and the books against the holds."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text

from billing.finance.filters import ChargeFilter, after
from billing.models import CaseRow, ChargeRow, CommandRow
from core.db import Tx


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of a filter in one currency."""

    currency: str
    gross_minor: int
    commission_minor: int
    net_minor: int
    count: int


@dataclass(frozen=True, slots=True)
class Overview:
    """One currency at a glance. ``payable_minor`` is what consultants earned, paid out or not.

    ``difference_minor`` compares what Stripe took with what the books say, and is 0.
    """

    currency: str
    captured_minor: int
    held_minor: int
    released_minor: int
    commission_minor: int
    payable_minor: int
    fees_minor: int
    difference_minor: int


async def page(tx: Tx, wanted: ChargeFilter, *, cursor: str | None, limit: int) -> list[ChargeRow]:
    """Charges, newest first."""
    query = select(ChargeRow).where(*wanted.conditions())
    if cursor is not None:
        query = query.where(after(cursor))
    query = query.order_by(ChargeRow.created_at.desc(), ChargeRow.id.desc()).limit(limit)
    return list(await tx.session.scalars(query))


async def totals(tx: Tx, wanted: ChargeFilter) -> list[Total]:
    """Sums per currency over everything the filter finds, not over one page."""
    query = (
        select(
            ChargeRow.currency,
            func.coalesce(func.sum(ChargeRow.gross_minor), 0),
            func.coalesce(func.sum(ChargeRow.commission_minor), 0),
            func.coalesce(func.sum(ChargeRow.net_minor), 0),
            func.count(),
        )
        .where(*wanted.conditions())
        .group_by(ChargeRow.currency)
        .order_by(ChargeRow.currency)
    )
    rows = await tx.session.execute(query)
    return [Total(row[0], *(int(value or 0) for value in row[1:])) for row in rows.all()]


async def overview(tx: Tx) -> list[Overview]:
    """Every currency at a glance. Holds say what Stripe told us, postings what we booked."""
    query = """
    WITH holds AS (
      SELECT currency,
             sum(captured_minor) AS captured,
             sum(amount_minor) FILTER (WHERE state IN ('held', 'capturing', 'releasing')
                                         AND held_at IS NOT NULL) AS held,
             sum(amount_minor - captured_minor) FILTER (WHERE state IN ('captured', 'released', 'lapsed')
                                                          AND held_at IS NOT NULL) AS released
      FROM hold GROUP BY currency
    ), books AS (
      SELECT p.currency,
             sum(p.amount_minor) FILTER (WHERE t.kind = 'capture' AND p.destination = 'stripe\\:clearing') AS cleared,
             sum(CASE WHEN p.source = 'platform\\:commission' THEN p.amount_minor
                      WHEN p.destination = 'platform\\:commission' THEN -p.amount_minor ELSE 0 END) AS commission,
             sum(CASE WHEN p.source LIKE 'consultant\\:%' AND p.destination LIKE 'customer\\:%' THEN p.amount_minor
                      WHEN p.source LIKE 'customer\\:%' AND p.destination LIKE 'consultant\\:%' THEN -p.amount_minor
                      WHEN t.kind = 'correction' AND p.source LIKE 'consultant\\:%' THEN p.amount_minor
                      WHEN t.kind = 'correction' AND p.destination LIKE 'consultant\\:%' THEN -p.amount_minor
                      ELSE 0 END) AS payable,
             sum(CASE WHEN p.destination = 'platform\\:stripe_fees' THEN p.amount_minor
                      WHEN p.source = 'platform\\:stripe_fees' THEN -p.amount_minor ELSE 0 END) AS fees
      FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id GROUP BY p.currency
    )
    SELECT h.currency, coalesce(h.captured, 0), coalesce(h.held, 0), coalesce(h.released, 0),
           coalesce(b.commission, 0), coalesce(b.payable, 0), coalesce(b.fees, 0),
           coalesce(h.captured, 0) - coalesce(b.cleared, 0)
    FROM holds h LEFT JOIN books b ON b.currency = h.currency ORDER BY h.currency
    """
    return [Overview(row[0], *(int(value) for value in row[1:])) for row in await tx.session.execute(text(query))]


async def commands(tx: Tx, charge_id: UUID) -> list[CommandRow]:
    """Every write to Stripe for a charge."""
    query = select(CommandRow).where(CommandRow.charge_id == charge_id).order_by(CommandRow.created_at, CommandRow.key)
    return list(await tx.session.scalars(query))


async def cases(tx: Tx, charge_id: UUID) -> list[CaseRow]:
    """What a person must look at or has looked at, first to last."""
    query = select(CaseRow).where(CaseRow.charge_id == charge_id).order_by(CaseRow.opened_at, CaseRow.id)
    return list(await tx.session.scalars(query))
