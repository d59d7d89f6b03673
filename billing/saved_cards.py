"""Saved cards: which there are, which one a hold may be placed with, and what is noted of one. The caller locks."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from billing.charges.charge import FINAL, State
from billing.models import CardSetupRow, ChargeRow, CommandRow, CustomerPaymentRow, SavedCardRow
from billing.provider.objects import Card, PaymentMethod
from core.db import Tx


@dataclass(frozen=True, slots=True)
class HoldCard:
    """Whom and what Stripe is asked to place a hold on."""

    customer_id: str
    payment_method_id: str


def expired(card: SavedCardRow, now: datetime) -> bool:
    """A card is good through the last day of its month."""
    return (card.exp_year, card.exp_month) < (now.year, now.month)


async def lock_customer(tx: Tx, user: UUID) -> CustomerPaymentRow:
    """The customer's row, made if need be, locked: the lock of everything about their cards."""
    await tx.session.execute(
        insert(CustomerPaymentRow).values(user_id=user, updated_at=tx.now).on_conflict_do_nothing()
    )
    row = await tx.session.get(CustomerPaymentRow, user, with_for_update=True, populate_existing=True)
    assert row is not None
    return row


async def of_customer(tx: Tx, user: UUID) -> list[SavedCardRow]:
    """The cards that were not removed, newest first."""
    query = (
        select(SavedCardRow)
        .where(SavedCardRow.user_id == user, SavedCardRow.removed_at.is_(None))
        .order_by(SavedCardRow.added_at.desc(), SavedCardRow.payment_method_id)
    )
    return list(await tx.session.scalars(query))


async def lock(tx: Tx, user: UUID, payment_method_id: str) -> SavedCardRow | None:
    """One card of this customer, locked; None when it is removed, or somebody else's."""
    query = select(SavedCardRow).where(
        SavedCardRow.payment_method_id == payment_method_id,
        SavedCardRow.user_id == user,
        SavedCardRow.removed_at.is_(None),
    )
    query = query.with_for_update().execution_options(populate_existing=True)
    return (await tx.session.scalars(query)).one_or_none()


async def for_hold(tx: Tx, user: UUID) -> HoldCard | None:
    """The default card while it is valid, kept from being removed until this transaction has placed its hold."""
    query = (
        select(CustomerPaymentRow.provider_customer_id, SavedCardRow)
        .join(SavedCardRow, SavedCardRow.payment_method_id == CustomerPaymentRow.payment_method_id)
        .where(CustomerPaymentRow.user_id == user, SavedCardRow.removed_at.is_(None))
        .with_for_update(read=True, of=SavedCardRow)
    )
    found = (await tx.session.execute(query)).one_or_none()
    if found is None or found[0] is None or expired(found[1], tx.now):
        return None
    return HoldCard(found[0], found[1].payment_method_id)


async def in_use(tx: Tx, card: SavedCardRow) -> bool:
    """Whether a hold was placed with this card whose charge is not finished: the command says with which card.

    Where the hold of a running call comes later, every card of its customer is in use: one of them will be asked.
    """
    to_come = select(ChargeRow.id).where(
        ChargeRow.customer_id == card.user_id,
        ChargeRow.state == State.METERING,
        ChargeRow.late_hold_ms.is_not(None),
        ChargeRow.secured_at.is_(None),
    )
    if await tx.session.scalar(to_come.limit(1)) is not None:
        return True
    query = (
        select(CommandRow.id)
        .join(ChargeRow, ChargeRow.id == CommandRow.charge_id)
        .where(
            ChargeRow.customer_id == card.user_id,
            ChargeRow.state.not_in(FINAL),
            CommandRow.kind == "create",
            CommandRow.params["payment_method_id"].astext == card.payment_method_id,
        )
        .limit(1)
    )
    return await tx.session.scalar(query) is not None


async def setup(tx: Tx, user: UUID, setup_intent_id: str) -> CardSetupRow | None:
    """The form of this customer, locked."""
    query = select(CardSetupRow).where(CardSetupRow.setup_intent_id == setup_intent_id, CardSetupRow.user_id == user)
    query = query.with_for_update().execution_options(populate_existing=True)
    return (await tx.session.scalars(query)).one_or_none()


async def remember(tx: Tx, customer: CustomerPaymentRow, method: PaymentMethod, *, make_default: bool) -> None:
    """Note a new card; it becomes the default where there is no valid one."""
    assert method.card is not None
    card = SavedCardRow(
        payment_method_id=method.id,
        user_id=customer.user_id,
        brand=method.card.brand,
        last4=method.card.last4,
        exp_month=method.card.exp_month,
        exp_year=method.card.exp_year,
        added_at=tx.now,
        looked_at=tx.now,
        removed_at=None,
        detach_key=None,
        detached_at=None,
    )
    tx.session.add(card)
    await tx.session.flush()  # the default refers to it
    if make_default or await for_hold(tx, customer.user_id) is None:
        prefer(tx, customer, method.id)
    tx.touch([customer.user_id])


def renew(tx: Tx, card: SavedCardRow, seen: Card) -> None:
    """Note what the bank changed of a card: it is the same card, with another number or a later end."""
    card.brand, card.last4 = seen.brand, seen.last4
    card.exp_month, card.exp_year = seen.exp_month, seen.exp_year
    tx.touch([card.user_id])


async def forget(tx: Tx, customer: CustomerPaymentRow, card: SavedCardRow) -> None:
    """Note that a card is gone, and the key under which Stripe is told; the default passes to the newest valid one."""
    card.removed_at, card.detach_key = tx.now, f"detach:{card.payment_method_id}"
    await tx.session.flush()
    if customer.payment_method_id == card.payment_method_id:
        others = await of_customer(tx, customer.user_id)
        others.sort(key=lambda other: expired(other, tx.now))  # stable: the newest valid one is first
        prefer(tx, customer, others[0].payment_method_id if others else None)
    tx.touch([customer.user_id])


def prefer(tx: Tx, customer: CustomerPaymentRow, payment_method_id: str | None) -> None:
    """Place holds with this card from now on."""
    customer.payment_method_id, customer.updated_at = payment_method_id, tx.now
    tx.touch([customer.user_id])
