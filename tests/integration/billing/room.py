"""The billing room on real PostgreSQL and the real sandbox, with the other rooms played by the test."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from billing.account_watch import AccountWatch
from billing.adjustments.service import AdjustmentService
from billing.card_news import CardNews
from billing.cards import CardService
from billing.charges.rescue import RescueService
from billing.charges.service import ChargeService
from billing.collection.service import CollectionService
from billing.credits.service import CreditService
from billing.disputes.errand import KINDS as DISPUTE_KINDS
from billing.disputes.errand import DisputeErrand
from billing.disputes.service import DisputeService
from billing.events import (
    CapReached,
    ChargeRefunded,
    ChargeSettled,
    HoldDeferred,
    HoldFailed,
    HoldPlaced,
    PayoutAccountChanged,
)
from billing.metering.service import MeterService
from billing.models import ChargeRow, HoldRow
from billing.payout_accounts import PayoutAccountService
from billing.payouts.on_request import PayoutsOnRequest
from billing.payouts.service import PayoutService
from billing.provider.gateway import StripeGateway
from billing.reconciliation.service import ReconciliationService
from billing.refunds.errand import KINDS as REFUND_KINDS
from billing.refunds.errand import RefundErrand
from billing.refunds.service import RefundService
from billing.tax import Party
from billing.webhooks import WebhookService
from core.clock import FakeClock
from core.db import Database, Tx
from core.events import Bus, Event
from core.ids import CallId, QuestionId, RequestId, UserId, new_id, new_reference
from core.jobs import Jobs
from core.settings import Settings
from media.events import IntervalClosed, IntervalOpened, SessionClosed
from signaling.events import CallContinued, CallEnded, CallOpened
from tests.fakes.sandbox import RunningSandbox


class Room:
    """Every billing service, the events it published, and a call's life in a few verbs."""

    def __init__(self, settings: Settings, clock: FakeClock, sandbox: RunningSandbox) -> None:
        self.settings, self.clock, self.sandbox = settings, clock, sandbox
        self.heard: list[Event] = []
        self.jobs = Jobs(settings.database_url)
        self.bus = Bus()
        self.db = Database(settings.database_url, clock=clock, bus=self.bus, jobs=self.jobs, pool_size=10)
        self.gateway = StripeGateway(
            api_key=sandbox.api_key, api_base=sandbox.url, webhook_secret=sandbox.webhook_secret, timeout_s=2
        )
        self.parties: dict[UserId, Party] = {}
        self.charges = ChargeService(
            db=self.db, gateway=self.gateway, settings=settings, observed=self.observed_ms, party=self.party
        )
        self.rescues = RescueService()
        self.meter = MeterService(self.observed_ms, steady=lambda: clock.now().timestamp())
        self.cards = CardService(db=self.db, gateway=self.gateway, settings=settings)
        self.money = PayoutService(db=self.db, gateway=self.gateway, approval_above_minor=10_000)
        self.on_request = PayoutsOnRequest(db=self.db, gateway=self.gateway, payouts=self.money)
        self.payouts = PayoutAccountService(db=self.db, gateway=self.gateway, settings=settings, payouts=self.money)
        self.watch = AccountWatch(db=self.db, accounts=self.payouts)
        self.refunds = RefundService(db=self.db, gateway=self.gateway, approval_above_minor=10_000)
        self.adjustments = AdjustmentService(approval_above_minor=10_000)
        self.disputes = DisputeService(db=self.db, gateway=self.gateway)
        self.collection = CollectionService(settings)
        self.credits = CreditService()
        self.charges.employ(REFUND_KINDS, RefundErrand(self.gateway))
        self.charges.employ(DISPUTE_KINDS, DisputeErrand(self.gateway))
        self.webhooks = WebhookService(
            db=self.db,
            gateway=self.gateway,
            charges=self.charges,
            cards=CardNews(db=self.db, gateway=self.gateway),
            accounts=self.payouts,
            payouts=self.money,
            refunds=self.refunds,
            disputes=self.disputes,
        )
        self.reconciliation = ReconciliationService(db=self.db, gateway=self.gateway, payouts=self.money)
        self.reconciliation.register(self.jobs)
        self.cards.register(self.jobs)
        self.watch.register(self.jobs)
        self.charges.register(self.jobs)
        self.money.register(self.jobs)
        self.on_request.register(self.jobs)
        self.webhooks.register(self.jobs)
        events = (HoldPlaced, HoldDeferred, HoldFailed, CapReached, ChargeSettled, ChargeRefunded, PayoutAccountChanged)
        self.bus.connect(dict.fromkeys(events, (self.hear,)))
        self.customer, self.consultant = UserId(new_id()), UserId(new_id())

    async def hear(self, tx: Tx, event: Event) -> None:
        """Note it, and end the call that has no money left, as the call service does."""
        self.heard.append(event)
        if isinstance(event, HoldFailed | CapReached):
            reason = event.reason if isinstance(event, HoldFailed) else "cap_reached"
            await self.charges.on_call_ended(tx, self.ended(event.call_id, reason))

    async def party(self, _tx: Tx, user: UserId, /) -> Party | None:
        """Where somebody is taxed, as the test says."""
        return self.parties.get(user)

    async def observed_ms(self, tx: Tx, call_ids: Sequence[UUID]) -> dict[UUID, int]:
        """The node of a call that runs writes down every moment of it."""
        passed = "extract(epoch FROM CAST(:now AS timestamptz) - started_at) * 1000"
        query = text(
            f"SELECT call_id, sum(CASE WHEN open THEN {passed} ELSE duration_ms END) FROM billable_interval "  # noqa: S608
            "WHERE call_id = ANY(:calls) GROUP BY call_id"
        )
        found = await tx.session.execute(query, {"now": tx.now, "calls": list(call_ids)})
        return {call_id: int(ms) for call_id, ms in found}

    def names(self) -> list[str]:
        """What was published, by name."""
        return [type(event).__name__ for event in self.heard]

    async def equip(self, number: str = "4242424242424242") -> None:
        """A customer with a card and a consultant who can be paid."""
        form = await self.cards.begin(self.customer)
        await self.sandbox.save_card(form.setup_intent_id, form.client_secret, number)
        await self.cards.complete(self.customer, form.setup_intent_id, make_default=True)
        status = await self.payouts.begin(self.consultant, "DE")
        assert status.onboarding_url is not None
        await self.sandbox.onboard(status.onboarding_url)
        assert (await self.payouts.status(self.consultant)).can_receive

    async def work(self) -> None:
        """What the worker does: timers and jobs, until nothing is due now."""
        while True:
            done = await self.meter.run_due(self.db) + await self.charges.run_due(self.db)
            done += await self.rescues.run_due(self.db)
            done += await self.collection.run_due(self.db) + await self.money.run_due(self.db)
            await self.jobs.app.run_worker_async(
                wait=False, install_signal_handlers=False, listen_notify=False, concurrency=4, delete_jobs="always"
            )
            if not done and not await self._waiting():
                return

    async def _waiting(self) -> int:
        async with self.db.begin() as tx:
            query = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at IS NULL"
            return int(await tx.session.scalar(text(query)) or 0)

    async def open(
        self,
        *,
        rate: int = 9_000,
        cap: int = 4_500,
        currency: str = "eur",
        max_rate: int | None = None,
        at_work: bool = True,
        call: CallId | None = None,
    ) -> CallId:
        """A consultant accepted: the hold is asked for. ``call``: what was told of this one is told again."""
        call = call or CallId(new_id())
        event = CallOpened(
            call_id=call,
            reference=new_reference(self.clock.now().date()),
            request_id=RequestId(new_id()),
            question_id=QuestionId(new_id()),
            customer_id=self.customer,
            consultant_id=self.consultant,
            rate_minor_per_hour=rate,
            max_rate_minor_per_hour=max_rate or rate,
            currency=currency,
            cap_minor=cap,
            terms_version="2026-1",
            consented_at_iso=self.clock.now().isoformat(),
        )
        async with self.db.begin() as tx:
            await self.charges.on_call_opened(tx, event)
            await self.rescues.on_call_opened(tx, event)
        if at_work:
            await self.work()
        return call

    async def talk(self, call: CallId, ms: int, *, n: int = 0, cause: str = "ended") -> None:
        """Connected time: opens, passes, closes; the worker looks once it is over."""
        started = self.clock.now()
        async with self.db.begin() as tx:
            await self.meter.on_interval_opened(tx, IntervalOpened(call, n, started))
        self.clock.advance(timedelta(milliseconds=ms))
        async with self.db.begin() as tx:
            await self.meter.on_interval_closed(tx, IntervalClosed(call, n, started, ms, cause))

    async def end(self, call: CallId, reason: str = "customer_left", *, at_work: bool = True) -> None:
        """The call is over and its books are closed."""
        async with self.db.begin() as tx:
            await self.charges.on_call_ended(tx, self.ended(call, reason))
        async with self.db.begin() as tx:
            await self.charges.on_session_closed(tx, SessionClosed(call))
        if at_work:
            await self.work()

    async def come_back(self, lost: CallId) -> CallId:
        """Somebody comes back: a call that goes on with the lost one."""
        call = CallId(new_id())
        event = CallContinued(
            call_id=call,
            continues_call_id=lost,
            request_id=RequestId(new_id()),
            customer_id=self.customer,
            consultant_id=self.consultant,
        )
        async with self.db.begin() as tx:
            await self.rescues.on_call_continued(tx, event)
        return call

    def ended(self, call: UUID, reason: str) -> CallEnded:
        """The event of a call's end."""
        return CallEnded(
            call_id=CallId(call),
            request_id=RequestId(new_id()),
            question_id=QuestionId(new_id()),
            customer_id=self.customer,
            consultant_id=self.consultant,
            reason=reason,
            went_live=True,
        )

    async def charge(self, call: CallId) -> ChargeRow:
        """The charge of a call as it stands."""
        from billing.charges import store  # noqa: PLC0415

        async with self.db.begin() as tx:
            found = await store.charge_of_call(tx, call)
        assert found is not None
        return found

    async def holds(self, call: CallId) -> list[HoldRow]:
        """The holds of a call."""
        from billing.charges import store  # noqa: PLC0415

        charge = await self.charge(call)
        async with self.db.begin() as tx:
            return await store.holds(tx, charge.id)

    async def intents(self) -> list[dict[str, Any]]:
        """Stripe's side of it."""
        state = await self.sandbox.state()
        return state.get("payment_intent", [])

    async def kinds(self, call: CallId) -> list[str]:
        """The timeline's kinds, in order."""
        from billing import timeline  # noqa: PLC0415

        charge = await self.charge(call)
        async with self.db.begin() as tx:
            return [row.kind for row in await timeline.of_charge(tx, charge.id)]

    async def balances(self) -> dict[str, int]:
        """What every account holds: what came in less what went out."""
        query = (
            "SELECT account, sum(amount) FROM ("
            "SELECT destination AS account, amount_minor AS amount FROM posting UNION ALL "
            "SELECT source, -amount_minor FROM posting) lines GROUP BY account"
        )
        async with self.db.begin() as tx:
            return {str(account): int(amount) for account, amount in await tx.session.execute(text(query))}

    async def close(self) -> None:
        """Close every connection."""
        await self.gateway.close()
        await self.db.close()
