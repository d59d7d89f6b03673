"""PayoutAccountService: a consultant's connected account, its onboarding, and whether it can be paid."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from billing.events import PayoutAccountChanged
from billing.models import PayoutAccountRow
from billing.payouts.countries import settled
from billing.payouts.service import PayoutService
from billing.payouts.store import by_account
from billing.provider.errors import ProviderDisconnected, ProviderRejected
from billing.provider.gateway import StripeGateway
from billing.provider.objects import ConnectedAccount
from core.db import Database, Tx
from core.errors import Conflict
from core.ids import UserId, new_id
from core.settings import Settings

LOOK_EVERY = timedelta(days=1)  # an event that never came is made up for by then


@dataclass(frozen=True, slots=True)
class PayoutStatus:
    """Whether money can be received, and where to go if not; ``country`` is None until one was settled."""

    onboarding_url: str | None
    can_receive: bool
    country: str | None


class PayoutAccountService:
    """Use cases of the connected account. They open their own transactions around each call to Stripe."""

    def __init__(self, *, db: Database, gateway: StripeGateway, settings: Settings, payouts: PayoutService) -> None:
        self._db = db
        self._gateway = gateway
        self._payouts = payouts
        self._return_url = f"{settings.public_url}/consultant/payout-account"

    async def begin(self, user: UserId, country: str | None = None, *, stated: str | None = None) -> PayoutStatus:
        """Open the account if there is none, and say where onboarding goes on while Stripe wants to know something.

        To open one a country is needed: ``country``, or where its owner is taxed (``stated``). Raises Refused where
        payouts are not possible, Conflict for another country than the account's, and for an account that was taken
        away from us.
        """
        account_id, country = await self._account(user, country, stated)
        account = await self.look(account_id)
        if account is None:
            raise Conflict("This payout account is no longer connected. Please write to us.", code="account_departed")
        if account.can_receive and account.payouts_enabled and not account.requirements_due:
            return PayoutStatus(None, can_receive=True, country=country)
        link = await self._gateway.account_link(
            account.id,
            return_url=self._return_url,
            refresh_url=self._return_url,
            idempotency_key=f"link:{new_id()}",  # a link is single use: never the same one twice
        )
        return PayoutStatus(link.url, can_receive=account.can_receive, country=country)

    async def status(self, user: UserId) -> PayoutStatus:
        """Ask Stripe whether the account can receive transfers by now."""
        async with self._db.begin() as tx:
            row = await tx.session.get(PayoutAccountRow, user)
            account_id, country = (None, None) if row is None else (row.provider_account_id, row.country)
        if account_id is None:
            return PayoutStatus(None, can_receive=False, country=country)
        account = await self.look(account_id)
        return PayoutStatus(None, can_receive=account is not None and account.can_receive, country=country)

    async def refresh(self, account_id: str) -> bool:
        """Fetch an account a webhook spoke of; False when it is not ours."""
        async with self._db.begin() as tx:
            if await by_account(tx, account_id) is None:
                return False
        await self.look(account_id)
        return True

    async def look(self, account_id: str) -> ConnectedAccount | None:
        """Ask Stripe how an account stands, note it, and tell the house what changed; None when it has left us."""
        async with self._db.begin() as tx:
            asked_at = tx.now
        try:
            account = await self._gateway.retrieve_account(account_id)
        except ProviderDisconnected:
            account = None
        async with self._db.begin() as tx:
            row = await by_account(tx, account_id)
            if row is not None and row.look_due_at is not None and row.look_due_at > asked_at + LOOK_EVERY:
                row.look_due_at = tx.now  # somebody else asked meanwhile: nobody knows whose answer is newer
                return account
            if row is not None:
                row.look_due_at = tx.now + LOOK_EVERY
                await _allow(tx, row, can_receive=account is not None and account.can_receive)
                if account is None:
                    self._payouts.departed(tx, row)
            if account is not None:
                await self._payouts.mirror(tx, account)
        return account

    async def _account(self, user: UserId, chosen: str | None, stated: str | None) -> tuple[str, str]:
        """The account and its country; the country is stored before Stripe is asked, as the key names it."""
        async with self._db.begin() as tx:
            row = await _lock(tx, user)
            country = row.country = settled(row.country, chosen, stated)
            if row.provider_account_id is not None:
                return row.provider_account_id, country
        try:
            made = await self._gateway.create_account(
                country=country, metadata={"user_id": str(user)}, idempotency_key=f"acct:{user}:{country}"
            )
        except ProviderRejected:
            await self._choose_anew(user, country)
            raise
        async with self._db.begin() as tx:
            row = await _lock(tx, user)
            row.provider_account_id = row.provider_account_id or made.id
            row.look_due_at = row.look_due_at or tx.now
            return row.provider_account_id, country

    async def _choose_anew(self, user: UserId, refused: str) -> None:
        """Stripe opens no account there: another country may be chosen."""
        async with self._db.begin() as tx:
            row = await _lock(tx, user)
            if row.provider_account_id is None and row.country == refused:
                row.country = None


async def _lock(tx: Tx, user: UUID) -> PayoutAccountRow:
    await tx.session.execute(
        insert(PayoutAccountRow).values(user_id=user, can_receive=False, updated_at=tx.now).on_conflict_do_nothing()
    )
    row = await tx.session.get(PayoutAccountRow, user, with_for_update=True, populate_existing=True)
    assert row is not None
    return row


async def _allow(tx: Tx, row: PayoutAccountRow, *, can_receive: bool) -> None:
    if row.can_receive != can_receive:
        row.can_receive, row.updated_at = can_receive, tx.now
        tx.touch([row.user_id])
        await tx.publish(PayoutAccountChanged(UserId(row.user_id), can_receive))
