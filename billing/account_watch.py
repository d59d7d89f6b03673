"""AccountWatch: asks Stripe once a day how each connected account stands, for the event that never came."""

from datetime import timedelta

from sqlalchemy import select

from billing.models import PayoutAccountRow
from billing.payout_accounts import LOOK_EVERY, PayoutAccountService
from billing.payouts.store import by_account
from billing.provider.errors import ProviderBusy, ProviderRejected, ProviderUnknown
from core import logs
from core.db import Database
from core.jobs import Jobs

log = logs.get(__name__)

TASK = "billing.look_at_account"
AT_ONCE = 60  # a tick: one a second of the fifteen that may be asked
AGAIN_AFTER = timedelta(minutes=15)  # where Stripe did not answer, or whoever asked was killed
_LAST = -1  # priority: nobody waits for it


class AccountWatch:
    """Rows say when they are due; the tick leaves a job for each, and the job asks."""

    def __init__(self, *, db: Database, accounts: PayoutAccountService) -> None:
        self._db = db
        self._accounts = accounts

    def register(self, jobs: Jobs) -> None:
        """Name the job; what fails stays due."""
        jobs.register(TASK, self.look)

    async def run_due(self, db: Database) -> int:
        """Leave a job for accounts that nobody has looked at for a day; returns for how many."""
        async with db.begin() as tx:
            query = (
                select(PayoutAccountRow)
                .where(PayoutAccountRow.look_due_at <= tx.now, PayoutAccountRow.provider_account_id.is_not(None))
                .order_by(PayoutAccountRow.look_due_at)
                .limit(AT_ONCE)
                .with_for_update(skip_locked=True)
            )
            due = list(await tx.session.scalars(query))
            for row in due:
                row.look_due_at = tx.now + AGAIN_AFTER
                await tx.defer(TASK, priority=_LAST, account_id=row.provider_account_id)
        return len(due)

    async def look(self, account_id: str) -> None:
        """The job: ask how one account stands."""
        try:
            await self._accounts.look(account_id)
        except (ProviderUnknown, ProviderBusy):
            log.info("account.not_answered", account_id=account_id)  # it is due again in a while
        except ProviderRejected as error:
            log.warning("account.rejected", account_id=account_id, code=error.provider_code)
            async with self._db.begin() as tx:
                row = await by_account(tx, account_id)
                if row is not None:
                    row.look_due_at = tx.now + LOOK_EVERY
