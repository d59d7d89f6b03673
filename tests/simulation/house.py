"""A process of the house: the real services over a pool of connections, built anew whenever it was killed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.util import await_only

from billing.card_news import CardNews
from billing.charges.rescue import RescueService
from billing.charges.service import ChargeService
from billing.collection.service import CollectionService
from billing.disputes.errand import KINDS as DISPUTE_KINDS
from billing.disputes.errand import DisputeErrand
from billing.disputes.service import DisputeService
from billing.facts import Observed
from billing.metering.service import MeterService
from billing.metering.terms import Policy, PriceTerms
from billing.payout_accounts import PayoutAccountService
from billing.payouts.service import PayoutService
from billing.provider.gateway import StripeGateway
from billing.provider.limiter import Limiter
from billing.refunds.errand import KINDS as REFUND_KINDS
from billing.refunds.errand import RefundErrand
from billing.refunds.service import RefundService
from billing.webhooks import WebhookService
from core.db import Database
from core.events import Bus, Flow
from core.jobs import Jobs
from core.settings import Settings
from tests.simulation.bank import SECRET, URL_BASE, Bank, Wire
from tests.simulation.entropy import VirtualClock
from tests.simulation.stage import Boundaries, Process, boundary


@dataclass(frozen=True, slots=True)
class Task:
    """A job's function, and whether the queue tries it again after an error."""

    run: Callable[..., Awaitable[None]]
    again: bool


class Queue(Jobs):
    """The real queue's front: jobs are rows; the play takes them from the table and runs what is registered here."""

    def __init__(self, database_url: str) -> None:
        super().__init__(database_url)
        self.tasks: dict[str, Task] = {}

    def register(self, name: str, function: Callable[..., Awaitable[None]], *, retry: Any = False) -> None:
        """Note the function; the one of the newest life counts."""
        self.tasks[name] = Task(function, again=bool(retry))


class House:
    """One process and its connections, which outlive it (a killed process's transactions are rolled back)."""

    def __init__(self, name: str, settings: Settings, clock: VirtualClock, boundaries: Boundaries) -> None:
        self.process = Process(name)
        self._settings, self._clock = settings, clock
        self._boundaries = boundaries
        self.queue = Queue(settings.database_url)
        self.bus = Bus()
        self.db = Database(settings.database_url, clock=clock, bus=self.bus, jobs=self.queue, pool_size=17)
        self.db.engine.pool._pre_ping = False  # no server goes away in here: a question less in each transaction
        event.listen(self.db.engine.sync_engine, "before_cursor_execute", self._on_statement)
        event.listen(self.db.engine.sync_engine, "commit", self._on_commit)

    def start(self, bank: Bank, policy: str, flow: Callable[["House"], Flow], observed: Observed) -> None:
        """Build every service from nothing."""
        self.process = Process(self.process.name)
        self._bank, self._policy, self._flow, self._observed = bank, policy, flow, observed
        self.restart()

    def restart(self) -> None:
        """The same again after a kill."""
        self.process.up = True
        self.process.life += 1
        settings = self._settings
        gateway = StripeGateway(
            api_key="sk_test_sandbox",
            api_base=URL_BASE,
            webhook_secret=SECRET,
            limiter=Limiter(per_endpoint=10**9, in_all=10**9),  # virtual seconds are not the limiter's
            http=Wire(self._bank),
        )
        limit, terms = settings.approval_above_minor, PriceTerms(policy=Policy(self._policy))
        steady = self._clock.steady
        self.meter = MeterService(self._observed, steady=lambda: steady().timestamp())
        self.collection = CollectionService(settings)
        self.rescues = RescueService()
        self.charges = ChargeService(
            db=self.db, gateway=gateway, settings=settings, observed=self._observed, terms=terms
        )
        payouts = self.payouts = PayoutService(db=self.db, gateway=gateway, approval_above_minor=limit)
        self.refunds = RefundService(db=self.db, gateway=gateway, approval_above_minor=limit)
        self.disputes = DisputeService(db=self.db, gateway=gateway)
        self.charges.employ(REFUND_KINDS, RefundErrand(gateway))
        self.charges.employ(DISPUTE_KINDS, DisputeErrand(gateway))
        self.webhooks = WebhookService(
            db=self.db,
            gateway=gateway,
            charges=self.charges,
            cards=CardNews(db=self.db, gateway=gateway),
            accounts=PayoutAccountService(db=self.db, gateway=gateway, settings=settings, payouts=payouts),
            payouts=payouts,
            refunds=self.refunds,
            disputes=self.disputes,
        )
        self.charges.register(self.queue)
        self.webhooks.register(self.queue)
        payouts.register(self.queue)
        self.bus.connect(self._flow(self))

    async def close(self) -> None:
        """Close the connections."""
        await self.db.close()

    def _on_statement(self, connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        self._stop(connection, _short(statement))

    def _on_commit(self, connection: Connection) -> None:
        self._stop(connection, "COMMIT")

    def _stop(self, connection: Connection, where: str) -> None:
        if self._boundaries.stage is not None:
            backend = connection.connection.dbapi_connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
            await_only(boundary(self._boundaries.stage, where, backend))


def _short(statement: str) -> str:
    """The verb and the table."""
    words = statement.split()
    verb = words[0].upper()
    after = {"SELECT": "FROM", "INSERT": "INTO", "UPDATE": "UPDATE", "DELETE": "FROM"}.get(verb)
    table = words[words.index(after) + 1] if after in words[:-1] else ""
    return f"{verb} {table}{' FOR UPDATE' if 'FOR UPDATE' in statement else ''}".strip()
