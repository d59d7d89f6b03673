"""The media plane of a play: what the node observed is written in order, perhaps late, perhaps told twice."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from core.db import Tx
from core.events import Event
from media.events import SessionClosed
from tests.simulation.node import Node
from tests.simulation.world import Scene, Work, World


class Media:
    """Carries the calls of a play."""

    def __init__(self, world: World) -> None:
        self._world = world

    def begin(self, scene: Scene) -> None:
        """Both sides may join."""
        world = self._world
        node = scene.node = Node(scene.call_id, scene.script, world.clock.steady(), world.clock.now())
        for tick in node.moments():
            world.at(node.moment(tick) - world.clock.steady(), "media", partial(self._observe, scene, tick))

    def finish(self, scene: Scene, *, first: Work | None = None) -> None:
        """The call is over: the node closes its books once its end is written down (``first`` does that)."""
        scene.over = True
        events: list[Event] = []
        if scene.node is not None:
            events = scene.node.end(min(scene.node.tick(self._world.clock.steady()), scene.script.ends))
        close = partial(self._publish, scene, [*events, SessionClosed(scene.call_id)])
        if first is None:
            close()
        else:
            self._world.ask("end", first, then=close)

    async def observed_ms(self, _tx: Tx, call_ids: Sequence[UUID]) -> dict[UUID, int]:
        """What the nodes have written of these calls: each second, whatever the wall clock says."""
        nodes = {one: self._world.scene(one).node for one in call_ids}
        now = self._world.clock.steady()
        return {one: node.written_ms(node.tick(now)) for one, node in nodes.items() if node is not None}

    def _observe(self, scene: Scene, tick: int) -> None:
        if scene.node is not None:
            self._publish(scene, scene.node.advance(tick))

    def _publish(self, scene: Scene, events: list[Event]) -> None:
        scene.outbox += events
        if scene.outbox and not scene.publishing:
            scene.publishing = True
            late = self._world.chance.uniform(0, self._world.trouble.media_late_s)
            self._world.at(timedelta(seconds=late), "the node writes", partial(self._write, scene))

    def _write(self, scene: Scene) -> None:
        events, world = [*scene.outbox], self._world

        async def write() -> None:
            async with world.web.db.begin() as tx:
                for event in events:
                    await tx.publish(event)

        def written() -> None:
            scene.publishing = False
            del scene.outbox[: len(events)]
            if any(isinstance(event, SessionClosed) for event in events):
                scene.closed_at = world.clock.now()
            if world.chance.random() < world.trouble.media_twice:
                twice = timedelta(seconds=world.chance.choice((0, 1, 30, 4_000)))
                world.at(twice, "media told again", partial(world.ask, "media again", write))
            self._publish(scene, [])

        world.ask("media", write, then=written)
