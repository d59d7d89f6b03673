"""The workers: they look at what is due, and run the jobs that transactions left in the queue's table."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from tests.simulation.house import House
from tests.simulation.stage import Actor
from tests.simulation.world import RETRY, World

_AT_ONCE = 4  # jobs a worker runs at a time
_RESCUED = timedelta(seconds=8)  # a killed worker's jobs are given to another once its heart is not heard
_DUE = (
    "SELECT (SELECT min(next_deadline_at) FROM charge), least((SELECT min(expires_at) FROM hold), "
    "(SELECT min(review_until) FROM charge), "
    "(SELECT min(due_at) FROM command), (SELECT min(due_at) FROM stripe_event)), "
    "(SELECT min(next_at) FROM collection), (SELECT min(greatest(rescue_until, books_closed_at)) FROM charge "
    "WHERE state = 'metering' AND books_closed_at IS NOT NULL), (SELECT min(schedule_due_at) FROM payout_account)"
)


@dataclass(frozen=True, slots=True)
class Due:
    """When each of the worker's rooms has something to look at, by the wall clock."""

    meter: datetime | None
    charges: datetime | None
    collection: datetime | None
    rescues: datetime | None
    payouts: datetime | None


@dataclass(frozen=True, slots=True, order=True)
class Job:
    """A row of the queue."""

    id: int
    name: str = field(compare=False)
    arguments: dict[str, Any] = field(compare=False)


class Workers:
    """One or two of them, whichever are up."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._jobs: list[Job] = []
        self._offset = world.clock.offset

    def due(self) -> Due:
        """What is next for any worker; a worker looks each quarter of a second, so a clock that was set is noticed."""
        due = Due(*self._world.database.execute(_DUE).fetchone())  # type: ignore[misc]
        return due if self._world.clock.offset == self._offset else replace(due, meter=self._world.clock.now())

    def next_look(self, due: Due) -> list[datetime | None]:
        """When a worker that is up has something to do, on the steady clock."""
        times = (due.meter, due.charges, due.collection, due.rescues, due.payouts)
        return [self._world.clock.steadily(wall) for wall in times] if self._world.up() else []

    def tick(self, due: Due) -> None:
        """Look (a tick at which nothing is due changes nothing, and is left out); with two, not always both."""
        world, now = self._world, self._world.clock.now()
        for house in world.up():
            if self._running(house, "tick") or (len(world.workers) > 1 and world.chance.random() < 0.6):
                continue
            looks: dict[str, tuple[datetime | None, Any]] = {
                "meter": (due.meter, house.meter),
                "charges": (due.charges, house.charges),
                "collection": (due.collection, house.collection),
                "rescues": (due.rescues, house.rescues),
                "payouts": (due.payouts, house.payouts),
            }
            for name, (wall, room) in looks.items():
                if wall is not None and wall <= now:
                    self._offset = world.clock.offset if name == "meter" else self._offset
                    world.stage.spawn(f"tick {name}", house.process, partial(room.run_due, house.db), world.check)

    def take_jobs(self) -> None:
        """Take every job that a committed transaction has left."""
        taken = self._world.database.execute(
            "DELETE FROM procrastinate_jobs WHERE status = 'todo' RETURNING id, task_name, args"
        )
        self._jobs += sorted(Job(*row) for row in taken)

    def start_jobs(self) -> bool:
        """Give jobs to whoever is free, in any order; whether there was one."""
        begun = False
        for house in self._world.up():
            running = self._running(house, "job")
            while self._jobs and running < _AT_ONCE:
                self._start(house, self._jobs.pop(self._world.chance.randrange(len(self._jobs))))
                running += 1
                begun = True
        return begun

    def _running(self, house: House, kind: str) -> int:
        actors = self._world.stage.actors
        return sum(actor.process is house.process and actor.name.startswith(kind) for actor in actors)

    def _start(self, house: House, job: Job) -> None:
        task = house.queue.tasks[job.name]
        again: Callable[[], None] = partial(self._jobs.append, job)

        def after(actor: Actor) -> None:
            if actor.crashed:
                self._world.at(_RESCUED, f"job {job.name} is rescued", again)
            elif actor.error is not None and task.again:
                self._world.at(RETRY, f"job {job.name} again", again)
            else:
                self._world.check(actor)

        name = f"job {job.name.removeprefix('billing.')} {max(job.arguments.values())[:8]}"
        self._world.stage.spawn(name, house.process, partial(task.run, **job.arguments), after)
