"""Holds: placing one, and letting it go in whatever state it is."""

from datetime import timedelta
from typing import Any

from billing import saved_cards, timeline
from billing.charges import commands, store
from billing.charges.command import Kind
from billing.charges.command import Move as CommandMove
from billing.charges.hold import FINAL, Move, State, advance
from billing.models import ChargeRow, HoldRow
from core.db import Tx
from core.ids import new_id

CALL, COLLECTION = "call", "collection"
LAPSE_ALARM = timedelta(days=3)  # before ``capture_before``


async def place(
    tx: Tx,
    charge: ChargeRow,
    *,
    amount_minor: int,
    within: timedelta,
    client_key: str | None = None,
    purpose: str = CALL,
) -> HoldRow | None:
    """Write down a new hold and the command that asks for it; None without a valid card or a payout account.

    One for ``COLLECTION`` is captured as soon as it stands; without a ``client_key`` the customer is not there.
    """
    means = await means_of(tx, charge)
    if means is None:
        return None
    card, destination_id = means
    hold = HoldRow(
        id=new_id(),
        charge_id=charge.id,
        n=len(await store.holds(tx, charge.id)) + 1,
        client_key=client_key,
        purpose=purpose,
        state=State.PLACING,
        amount_minor=amount_minor,
        currency=charge.currency,
        provider_id=None,
        authenticate_url=None,
        decline_message=None,
        unwanted=False,
        created_at=tx.now,
        expires_at=tx.now + within,
        held_at=None,
        capture_before=None,
        capture_minor=0,
        capture_fee_minor=0,
        captured_minor=0,
        provider_fee_minor=None,
        transfer_id=None,
        finished_at=None,
    )
    tx.session.add(hold)
    await tx.session.flush()
    params: dict[str, Any] = {
        "amount_minor": amount_minor,
        "currency": charge.currency,
        "customer_id": card.customer_id,
        "payment_method_id": card.payment_method_id,
        "destination_id": destination_id,
        "transfer_group": str(charge.id),
        "metadata": {"hold_id": str(hold.id), "charge_id": str(charge.id), "reference": charge.reference},
    }
    await commands.intend(tx, hold, Kind.CREATE, key=f"pi:{hold.id}", params=params)
    timeline.record(tx, charge.id, "hold_requested", n=hold.n, amount_minor=amount_minor)
    return hold


async def means_of(tx: Tx, charge: ChargeRow) -> tuple[saved_cards.HoldCard, str] | None:
    """The card a hold would be placed with and the account it pays; None when either is missing."""
    card = await saved_cards.for_hold(tx, charge.customer_id)
    account = await store.payout(tx, charge.consultant_id)
    if card is None or account is None or account.provider_account_id is None:
        return None
    return card, account.provider_account_id


async def let_go(tx: Tx, hold: HoldRow) -> None:
    """Release a hold: at once where Stripe knows it, as soon as it is known where its creation is in doubt."""
    state = State(hold.state)
    if state in FINAL or state in {State.RELEASING, State.CAPTURING}:
        return
    hold.unwanted, hold.expires_at, hold.authenticate_url = True, None, None
    confirm = await commands.unsent(tx, hold, Kind.CONFIRM)
    if confirm is not None:
        commands.close(tx, confirm, CommandMove.REFUSE, reason="not_wanted")
    if hold.provider_id is not None:
        hold.state = advance(state, Move.RELEASE)
        await commands.intend(tx, hold, Kind.CANCEL, key=f"cancel:{hold.id}", params={})
        return
    create = await commands.unsent(tx, hold, Kind.CREATE)
    if create is not None:
        commands.close(tx, create, CommandMove.REFUSE, reason="not_wanted")
        drop(tx, hold)


def drop(tx: Tx, hold: HoldRow) -> None:
    """Note that a hold never came to stand."""
    hold.state = advance(State(hold.state), Move.DROP)
    hold.expires_at, hold.authenticate_url, hold.finished_at = None, None, tx.now
    timeline.record(tx, hold.charge_id, "hold_dropped", n=hold.n)


def extend(tx: Tx, charge: ChargeRow, by_minor: int) -> None:
    """More is held: so much further the customer may talk."""
    charge.cap_minor += by_minor
    timeline.record(tx, charge.id, "extended", cap_minor=charge.cap_minor)
    charge.next_deadline_at = tx.now  # the meter looks at its next tick: there are other marks now


async def reserve(tx: Tx, charge: ChargeRow) -> list[HoldRow]:
    """The holds that stand."""
    return [hold for hold in await store.holds(tx, charge.id) if hold.state == State.HELD]
