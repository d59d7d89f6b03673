"""WebhookService: stores what Stripe tells before anything is made of it, then works it off as jobs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from billing.card_news import CardNews
from billing.cases import open_once
from billing.charges.command import pause
from billing.charges.service import ChargeService
from billing.disputes.service import DisputeService
from billing.inbox import SWEEP_AFTER, TASK
from billing.models import StripeEventRow
from billing.payout_accounts import PayoutAccountService
from billing.payouts.service import PayoutService
from billing.provider.errors import ProviderBusy, ProviderMissing, ProviderRejected, ProviderUnknown
from billing.provider.gateway import StripeGateway
from billing.provider.objects import ProviderEvent
from billing.refunds.service import RefundService
from core import logs
from core.db import Database, Tx
from core.jobs import Jobs

log = logs.get(__name__)

MOST_FAILURES = 8  # some twenty minutes, the pauses between them taken together


@dataclass(frozen=True, slots=True)
class Hint:
    """What an event spoke of: nothing of it is believed, all of it is fetched."""

    type: str
    object_type: str
    object_id: str | None
    intent_id: str | None
    account_id: str | None


@dataclass(frozen=True, slots=True)
class Lead:
    """What a hint must name to lead anywhere, who fetches that, and the outcome when it was ours."""

    names: tuple[str, ...]
    fetch: Callable[..., Awaitable[bool]]
    outcome: str


class WebhookService:
    """Verify, store, answer; then re-fetch the object and end in the same ``reconcile`` as everything else."""

    def __init__(
        self,
        *,
        db: Database,
        gateway: StripeGateway,
        charges: ChargeService,
        cards: CardNews,
        accounts: PayoutAccountService,
        payouts: PayoutService,
        refunds: RefundService,
        disputes: DisputeService,
    ) -> None:
        self._db = db
        self._gateway = gateway
        self._charges = charges
        self._refunds = refunds
        self._disputes = disputes
        # By the event's type or else its object's. What is not here leads to the intent it names, if any: that a
        # transfer was made, say, its capture has told already.
        self._leads = {
            "account.application.deauthorized": Lead(("account_id",), accounts.refresh, "refreshed"),
            "account": Lead(("object_id",), accounts.refresh, "refreshed"),
            "setup_intent.succeeded": Lead(("object_id",), cards.take_in_form, "followed"),
            "payment_method": Lead(("object_id",), cards.take_in_card, "followed"),
            "payout": Lead(("object_id", "account_id"), payouts.take_in, "followed"),
            "refund": Lead(("intent_id", "object_id"), self._refund, "reconciled"),
            "dispute": Lead(("intent_id", "object_id"), self._dispute, "reconciled"),
        }
        self._any_other = Lead(("intent_id",), charges.take_in, "reconciled")

    def register(self, jobs: Jobs) -> None:
        """Name the job; a failed event stays due and is looked at again."""
        jobs.register(TASK, self.process)

    async def receive(self, tx: Tx, raw: bytes, signature: str | None) -> bool:
        """Check the signature and store the event; False when it was stored before. Raises WebhookForged."""
        return await self._store(tx, self._gateway.verify_webhook(raw, signature), raw.decode())

    async def catch_up(self) -> int:
        """Take in what Stripe could not deliver (it lists such events for thirty days); returns how many were new."""
        events = await self._gateway.list_events(undelivered=True)
        taken = 0
        for event in events:
            async with self._db.begin() as tx:
                taken += await self._store(tx, event, "")
        return taken

    async def process(self, event_id: str) -> None:
        """Work off one stored event; its content is only a hint of what to fetch."""
        async with self._db.begin() as tx:
            row = await tx.session.get(StripeEventRow, event_id, with_for_update=True)
            if row is None or row.processed_at is not None:
                return
            row.attempts += 1
            row.due_at = tx.now + max(SWEEP_AFTER, pause(row.attempts, 0.5, hurried=False))
            hint = Hint(row.type, row.object_type, row.object_id, row.intent_id, row.account_id)
        try:
            outcome = await self._follow(hint)
        except (ProviderUnknown, ProviderBusy):
            log.info("webhook.postponed", event_id=event_id)  # it stays due
            return
        except ProviderMissing:
            outcome = "missing"
        except OperationalError:
            raise  # the database is away, or wants this tried again: that is not the event's fault
        except ProviderRejected as error:  # an account that left us, say: nothing will be different tomorrow
            log.warning("webhook.rejected", event_id=event_id, code=error.provider_code)
            outcome = "rejected"
        except Exception as error:
            log.exception("webhook.failed", event_id=event_id)
            await self._failed(event_id, type(error).__name__)
            return
        async with self._db.begin() as tx:
            row = await tx.session.get(StripeEventRow, event_id, with_for_update=True)
            assert row is not None
            row.processed_at, row.due_at, row.outcome = tx.now, None, outcome

    async def _failed(self, event_id: str, error: str) -> None:
        """Try again later, each time later; after ``MOST_FAILURES`` it is over, and a person is told by a case."""
        async with self._db.begin() as tx:
            row = await tx.session.get(StripeEventRow, event_id, with_for_update=True)
            assert row is not None
            row.failures += 1
            if row.failures < MOST_FAILURES:
                row.due_at = tx.now + max(SWEEP_AFTER, pause(row.failures, 0.5, hurried=False))
                return
            row.processed_at, row.due_at, row.outcome = tx.now, None, "failed"
            await open_once(
                tx, None, "webhook_failed", key=f"webhook_failed:{event_id}", event=event_id, type=row.type, error=error
            )

    def lead(self, hint: Hint) -> tuple[Lead, list[str]] | None:
        """Where an event leads, with what is to be fetched there; None when there is nothing to fetch."""
        lead = self._leads.get(hint.type) or self._leads.get(hint.object_type) or self._any_other
        named = [value for value in (getattr(hint, name) for name in lead.names) if value is not None]
        return (lead, named) if len(named) == len(lead.names) else None

    async def _follow(self, hint: Hint) -> str:
        found = self.lead(hint)
        if found is None:
            return "ignored"
        lead, named = found
        return lead.outcome if await lead.fetch(*named) else "not_ours"

    async def _refund(self, intent_id: str, refund_id: str) -> bool:
        """The intent first, so that what came of its capture finds it booked."""
        ours = await self._charges.take_in(intent_id)
        return await self._refunds.take_in(refund_id) and ours

    async def _dispute(self, intent_id: str, dispute_id: str) -> bool:
        """The intent first, here too."""
        ours = await self._charges.take_in(intent_id)
        return await self._disputes.take_in(dispute_id) and ours

    async def _store(self, tx: Tx, event: ProviderEvent, raw: str) -> bool:
        """Write an event down, once, with the job that works it off; that one came which leads nowhere is kept too."""
        intent_id = _intent_of(event.object_type, event.object_id, event.object)
        hint = Hint(event.type, event.object_type, event.object_id, intent_id, event.account_id)
        waits = self.lead(hint) is not None
        stored = await tx.session.execute(
            insert(StripeEventRow)
            .values(
                id=event.id,
                type=event.type,
                object_type=event.object_type,
                object_id=event.object_id,
                intent_id=intent_id,
                account_id=event.account_id,
                raw=raw,
                received_at=tx.now,
                due_at=tx.now + SWEEP_AFTER if waits else None,
                attempts=0,
                processed_at=None if waits else tx.now,
                outcome=None if waits else "ignored",
            )
            .on_conflict_do_nothing()
            .returning(StripeEventRow.id)
        )
        if stored.scalar_one_or_none() is None:
            return False
        if waits:
            await tx.defer(TASK, event_id=event.id)
        return True


def _intent_of(object_type: str, object_id: str | None, body: Mapping[str, Any]) -> str | None:
    """The PaymentIntent an event speaks of."""
    if object_type == "payment_intent":
        return object_id
    named = body.get("payment_intent")
    return named if isinstance(named, str) else None
