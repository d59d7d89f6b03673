"""The event bus: a room publishes what happened, ``app/flow.py`` says who acts on it, in the same transaction."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.db import Tx


@dataclass(frozen=True, slots=True)
class Event:
    """Base of every event: a past-tense fact made of plain values, never of another room's objects."""


Handler = Callable[["Tx", Any], Awaitable[None]]
Flow = Mapping[type[Event], Sequence[Handler]]


class Bus:
    """Calls the handlers of an event, in table order, inside the publisher's transaction."""

    def __init__(self, flow: Flow | None = None) -> None:
        self._flow: Flow = flow or {}

    def connect(self, flow: Flow) -> None:
        """Set the table once everything it names exists (wiring builds the rooms first, then the table)."""
        self._flow = flow

    async def publish(self, tx: "Tx", event: Event) -> None:
        """Run every handler of ``event``; an error in one of them rolls the whole transaction back."""
        for handler in self._flow.get(type(event), ()):
            await handler(tx, event)
