"""Durable jobs on PostgreSQL (procrastinate): deferred inside our own transaction, run by ``worker``."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import procrastinate
from psycopg import AsyncConnection

# procrastinate's tables live in a schema of their own; both are on every connection's search path.
SEARCH_PATH = "public,procrastinate"


class Jobs:
    """The job queue: rooms register tasks by name and defer them inside a transaction."""

    def __init__(self, database_url: str) -> None:
        self.app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=database_url,
                kwargs={"options": f"-csearch_path={SEARCH_PATH}"},
                min_size=1,
                max_size=4,
            )
        )

    def register(self, name: str, function: Callable[..., Awaitable[None]], *, retry: Any = False) -> None:
        """Name the coroutine that runs a job; ``retry`` is a procrastinate retry strategy."""
        self.app.task(name=name, retry=retry)(function)

    async def defer(
        self,
        connection: AsyncConnection[Any],
        name: str,
        *,
        queueing_lock: str | None = None,
        at: datetime | None = None,
        priority: int = 0,
        **arguments: Any,
    ) -> None:
        """Put a job into the caller's transaction: it exists if, and only if, that transaction commits.

        Of the jobs that wait, those of the highest ``priority`` are run first.
        """
        await self.app.configure_task(
            name,
            allow_unknown=True,
            queueing_lock=queueing_lock,
            schedule_at=at,
            priority=priority,
            connection=connection,
        ).defer_async(**arguments)
