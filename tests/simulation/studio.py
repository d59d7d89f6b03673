"""What many seeds share: one migrated database, the processes' connections, one clock."""

import asyncio
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from core.settings import Settings
from tests.simulation.entropy import START, VirtualClock
from tests.simulation.house import House
from tests.simulation.later_script import LIMIT_MINOR
from tests.simulation.stage import Boundaries

# The rooms beside billing, as far as it must survive a crash that they heard of something.
_HEARD = (
    "CREATE UNLOGGED TABLE heard (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    "call_id uuid NOT NULL, kind text NOT NULL, at timestamptz NOT NULL)"
)
_TABLES = (
    "posting, ledger_transaction, charge_event, billing_case, billable_interval, command, hold, continued_call, "
    "charge, stripe_event, "
    "customer_payment, saved_card, payout_account, payout, approval, mail, invoice_series, feed, heard, "
    "procrastinate.procrastinate_jobs"
)


class Studio:
    """Open it once, play any number of seeds in it."""

    def __init__(self, database_url: str, *, start: datetime = START) -> None:
        self.clock = VirtualClock(start)
        self.boundaries = Boundaries()
        self.database: psycopg.Connection[Any] = psycopg.connect(
            database_url, autocommit=True, options="-csearch_path=public,procrastinate"
        )
        self.database.execute(_HEARD)
        settings = Settings(
            database_url=database_url,
            redis_url="redis://127.0.0.1:9",
            receipt_key="c2ltdWxhdGVkLXJlY2VpcHQta2V5LW9mLTMyLWJ5dGU",
            secret_key="simulated-secret-key-of-enough-characters",
            environment="test",
            stripe_secret_key="sk_test_sandbox",
            stripe_webhook_secret="whsec_simulated",
            media_control_token="simulated-control-token-of-enough-characters",
            approval_above_minor=LIMIT_MINOR,
        )
        self.houses = {name: House(name, settings, self.clock, self.boundaries) for name in ("web", "w1", "w2")}

    async def open(self) -> None:
        """Let every pool learn what kind of server this is, so that no seed is the first."""
        await asyncio.gather(*(self._warm(house) for house in self.houses.values()))

    async def _warm(self, house: House) -> None:
        async with house.db.engine.connect():
            pass

    def sweep(self) -> None:
        """Empty every table: after a seed that left something undone, or before the same seed is played again."""
        with self.database.transaction():
            # The books refuse to be emptied; a superuser may say that no trigger shall be asked.
            self.database.execute("SET LOCAL session_replication_role = replica")
            self.database.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(_TABLES)))

    async def close(self) -> None:
        """Close every connection."""
        for house in self.houses.values():
            await house.close()
        self.database.close()
