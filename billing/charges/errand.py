"""An errand: what a kind of command writes to Stripe, how its effect is looked up, and what an answer means.

The sender (``sender.py``) knows when to send, to ask and to wait; errands know what about. None of them writes to
Stripe with a transaction open.
"""

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from billing.charges.command import Kind
from billing.models import ChargeRow, CommandRow, HoldRow
from billing.provider.errors import ProviderDeclined
from core.db import Tx


@dataclass(frozen=True, slots=True)
class Order:
    """A claimed command, out of the database; ``ask`` says to look before anything is written again.

    ``provider_id`` is the hold's PaymentIntent, None while Stripe has not told it.
    """

    command_id: UUID
    charge_id: UUID
    hold_id: UUID
    subject_id: UUID | None
    kind: Kind
    key: str
    params: dict[str, Any]
    provider_id: str | None
    customer_id: str
    ask: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """The rows an answer acts on; the charge is locked."""

    charge: ChargeRow
    hold: HoldRow
    row: CommandRow


class Errand(Protocol):
    """One subject: holds, refunds, disputes."""

    async def write(self, order: Order) -> Any:
        """Make the call, under the order's key. Raises what the gateway raises."""
        ...

    async def look(self, order: Order) -> Any:
        """What Stripe has of it; None when it has never heard of it."""
        ...

    async def take_in(self, tx: Tx, scene: Scene, seen: Any) -> bool:
        """Book what Stripe says; whether the command's effect is seen in it."""
        ...

    async def wanted(self, tx: Tx, scene: Scene) -> bool:
        """Whether the effect is still wanted, so that it is worth another key."""
        ...

    async def declined(self, tx: Tx, scene: Scene, error: ProviderDeclined) -> bool:
        """Take in a bank's no. False when it is to be treated as Stripe's refusal of the request."""
        ...

    async def absent(self, tx: Tx, scene: Scene) -> bool:
        """Stripe never heard of it, twice. True when it shall be written again, under the next key."""
        ...

    async def persists(self, tx: Tx, scene: Scene) -> bool:
        """Whether what was refused is to be asked for again later, until it is done (our balance may be empty)."""
        ...

    async def refused(self, tx: Tx, scene: Scene) -> None:
        """It will not happen: Stripe refused it for good. A case is open already."""
        ...
