"""Queries of charges. The charge row is the lock of everything below it: holds, commands, settlement."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ScalarSelect, Text, cast, exists, func, or_, select

from billing.models import CaseRow, ChargeRow, CommandRow, ContinuedCallRow, HoldRow, PayoutAccountRow
from core.db import Tx


def _id_of_call(call_id: UUID) -> ScalarSelect[UUID]:
    """The charge whose first call this is, or which it goes on with."""
    first = select(ChargeRow.id).where(ChargeRow.call_id == call_id)
    later = select(ContinuedCallRow.charge_id).where(ContinuedCallRow.call_id == call_id)
    return first.union_all(later).scalar_subquery()


async def charge_of_call(tx: Tx, call_id: UUID) -> ChargeRow | None:
    """The charge of a call, unlocked: for looking only."""
    return (await tx.session.scalars(select(ChargeRow).where(ChargeRow.id == _id_of_call(call_id)))).one_or_none()


async def charge(tx: Tx, charge_id: UUID) -> ChargeRow | None:
    """A charge, unlocked: for looking only."""
    return await tx.session.get(ChargeRow, charge_id)


async def lock(tx: Tx, charge_id: UUID) -> ChargeRow:
    """Lock a charge that is known to exist, and read it anew."""
    query = select(ChargeRow).where(ChargeRow.id == charge_id).with_for_update()
    return (await tx.session.scalars(query.execution_options(populate_existing=True))).one()


async def lock_of_call(tx: Tx, call_id: UUID) -> ChargeRow | None:
    """Lock the charge of a call; None when the call has none."""
    query = select(ChargeRow).where(ChargeRow.id == _id_of_call(call_id)).with_for_update()
    return (await tx.session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def lock_waiting(tx: Tx, *users: UUID) -> list[ChargeRow]:
    """Lock the charges of lost calls to which one of these users could come back."""
    row = ChargeRow
    mine = or_(row.customer_id.in_(users), row.consultant_id.in_(users))
    waiting = (row.state == "metering", row.call_ended_at.is_not(None), row.rescue_until.is_not(None))
    query = select(row).where(mine, *waiting).order_by(row.id).with_for_update()
    return list(await tx.session.scalars(query.execution_options(populate_existing=True)))


async def claim_forsaken(tx: Tx) -> ChargeRow | None:
    """Lock one charge whose call is over for good: every interval is final, and nobody may come back any more.

    One that could not be settled says by ``books_closed_at`` when it is tried again.
    """
    row = ChargeRow
    query = (
        select(row)
        .where(row.state == "metering", row.books_closed_at <= tx.now)
        .where(or_(row.rescue_until.is_(None), row.rescue_until <= tx.now))
        .order_by(row.books_closed_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (await tx.session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def holds(tx: Tx, charge_id: UUID) -> list[HoldRow]:
    """The holds of a charge, first to last, read anew."""
    query = select(HoldRow).where(HoldRow.charge_id == charge_id).order_by(HoldRow.n)
    return list(await tx.session.scalars(query.execution_options(populate_existing=True)))


async def hold(tx: Tx, hold_id: UUID) -> HoldRow | None:
    """One hold, read anew."""
    return await tx.session.get(HoldRow, hold_id, populate_existing=True)


async def hold_of_provider(tx: Tx, provider_id: str) -> HoldRow | None:
    """The hold that is this PaymentIntent."""
    return (await tx.session.scalars(select(HoldRow).where(HoldRow.provider_id == provider_id))).one_or_none()


async def command(tx: Tx, command_id: UUID) -> CommandRow | None:
    """One command, read anew."""
    return await tx.session.get(CommandRow, command_id, populate_existing=True)


async def commands(tx: Tx, hold_id: UUID) -> list[CommandRow]:
    """The commands of a hold, in the order they were intended, read anew."""
    query = select(CommandRow).where(CommandRow.hold_id == hold_id).order_by(CommandRow.created_at, CommandRow.key)
    return list(await tx.session.scalars(query.execution_options(populate_existing=True)))


async def payout(tx: Tx, consultant_id: UUID) -> PayoutAccountRow | None:
    """The consultant's connected account."""
    return await tx.session.get(PayoutAccountRow, consultant_id)


async def claim_command(tx: Tx) -> CommandRow | None:
    """Lock one command whose outcome is due to be looked at."""
    query = (
        select(CommandRow)
        .where(CommandRow.due_at <= tx.now)
        .order_by(CommandRow.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (await tx.session.scalars(query)).one_or_none()


async def claim_reviewed(tx: Tx) -> ChargeRow | None:
    """Lock one charge whose review window has closed; those that others work on are skipped."""
    query = select(ChargeRow).where(ChargeRow.review_until <= tx.now).order_by(ChargeRow.review_until).limit(1)
    return (await tx.session.scalars(query.with_for_update(skip_locked=True))).one_or_none()


async def expired_hold(tx: Tx) -> HoldRow | None:
    """A hold whose time to come to stand is over (unlocked: the charge is locked first, then it is read anew)."""
    query = select(HoldRow).where(HoldRow.expires_at <= tx.now).order_by(HoldRow.expires_at).limit(1)
    return (await tx.session.scalars(query)).one_or_none()


async def lapsing_hold(tx: Tx, before: datetime) -> HoldRow | None:
    """A hold that nobody has taken or let go, that lapses before this moment, and for which there is no case yet."""
    told = exists().where(CaseRow.key == func.concat("capture_before:", cast(HoldRow.id, Text)))
    query = (
        select(HoldRow)
        .where(HoldRow.state.in_(("held", "capturing")), HoldRow.capture_before <= before, ~told)
        .order_by(HoldRow.capture_before)
        .limit(1)
    )
    return (await tx.session.scalars(query)).one_or_none()
