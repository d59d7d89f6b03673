"""How many cards a customer may save within an hour: stolen ones are tried out in rows (H24)."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from billing.models import CardSetupRow
from core.db import Tx
from core.errors import TooMany

NEW_CARDS = 3  # within the window; the next one is refused
NEW_CARDS_WINDOW = timedelta(hours=1)
FORMS = 10  # forms begun within the same window


async def check(tx: Tx, user: UUID) -> None:
    """Refuse the fourth new card within an hour: TooMany."""
    wait = await wait_s(tx, user)
    if wait:
        raise TooMany(wait, f"Only {NEW_CARDS} new cards an hour can be saved. Try again in {wait} seconds.")


async def wait_s(tx: Tx, user: UUID) -> int:
    """Whole seconds until this customer may save one more card; 0 when they may now."""
    since = tx.now - NEW_CARDS_WINDOW
    wait = _wait_s(await _added_since(tx, user, since), tx.now, most=NEW_CARDS, window=NEW_CARDS_WINDOW)
    # A form that is never finished here tries cards at Stripe all the same.
    return wait or _wait_s(await _begun_since(tx, user, since), tx.now, most=FORMS, window=NEW_CARDS_WINDOW)


async def _added_since(tx: Tx, user: UUID, moment: datetime) -> list[datetime]:
    """When this customer added cards after ``moment``, oldest first; removed ones count too."""
    query = (
        select(CardSetupRow.completed_at)
        .where(CardSetupRow.user_id == user, CardSetupRow.completed_at > moment)
        .order_by(CardSetupRow.completed_at)
    )
    return [at for at in await tx.session.scalars(query) if at is not None]


async def _begun_since(tx: Tx, user: UUID, moment: datetime) -> list[datetime]:
    """When this customer opened a card form after ``moment``, oldest first."""
    query = select(CardSetupRow.created_at).where(CardSetupRow.user_id == user, CardSetupRow.created_at > moment)
    return list(await tx.session.scalars(query.order_by(CardSetupRow.created_at)))


def _wait_s(added: list[datetime], now: datetime, *, most: int, window: timedelta) -> int:
    """Whole seconds until one more card may be added; 0 when it may be now. PURE."""
    if len(added) < most:
        return 0
    left = added[-most] + window - now
    return max(1, -(-left // timedelta(seconds=1)))
