"""What people do about a lost call: they come back to it, say that they are done, or do nothing."""

from datetime import timedelta
from functools import partial

from core.errors import AppError
from core.ids import CallId, RequestId, new_id
from signaling.events import CallContinued
from tests.simulation.world import Scene, World

WINDOW = timedelta(minutes=10)
_AGAIN = timedelta(seconds=3)  # who is told to try again in a moment does so
_LOCK = "SELECT pg_advisory_xact_lock(17)"  # as signaling locks the lost call's row
_GONE_ON = "SELECT 1 FROM heard WHERE call_id = %s AND kind = 'continued'"


class Rescues:
    """Signaling's part of a rescue, as little as billing must see of it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def lost(self, scene: Scene) -> None:
        """The end of a lost call is written down."""
        world, lost = self._world, scene.script.lost
        if lost is None or scene.awaits or scene.because not in {"connection_lost", "no_show"}:
            return
        scene.awaits = True
        world.at(WINDOW + timedelta(seconds=20), "the time to come back is over", partial(_forget, scene))
        if lost.after_s is None:
            return
        after = timedelta(seconds=lost.after_s)
        if lost.on is None:
            world.at(after, "a side is done", partial(self._give_up, scene))
            return
        scene.following = Scene(lost.on, CallId(new_id()))
        for _ in range(lost.clicks):
            world.at(after, "somebody comes back", partial(self._come_back, scene))

    def _come_back(self, scene: Scene) -> None:
        world, on = self._world, scene.following
        assert on is not None
        event = CallContinued(
            call_id=on.call_id,
            continues_call_id=scene.call_id,
            request_id=RequestId(scene.call_id),
            customer_id=world.customer,
            consultant_id=world.consultant,
        )

        async def come_back() -> None:
            async with world.web.db.begin() as tx:
                await world.execute(tx, _LOCK)
                if (await world.execute(tx, _GONE_ON, on.call_id)).first() is not None:
                    return
                now = tx.now
                try:
                    await world.web.rescues.on_call_continued(tx, event)
                except AppError as error:
                    scene.refusals.append((now, error.code))
                    raise
                await world.note(tx, on.call_id, "continued")

        def refused() -> None:
            if scene.refusals[-1][1] == "closing":
                world.at(_AGAIN, "somebody tries again to come back", partial(self._come_back, scene))

        world.ask("return", come_back, no=refused)

    def _give_up(self, scene: Scene) -> None:
        world = self._world

        async def give_up() -> None:
            user = world.chance.choice((world.customer, world.consultant))
            async with world.web.db.begin() as tx:
                await world.web.rescues.give_up(tx, user, scene.call_id)
                await world.note(tx, scene.call_id, "given_up")

        world.ask("give up", give_up)


def _forget(scene: Scene) -> None:
    scene.awaits = False
