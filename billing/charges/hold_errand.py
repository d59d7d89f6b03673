"""The errand of holds: create, confirm, raise, capture and cancel a PaymentIntent."""

from datetime import timedelta

from billing.charges import charge as charges
from billing.charges import commands, holds, raises, settlement
from billing.charges import hold as hold_machine
from billing.charges.command import Kind, Move
from billing.charges.errand import Order, Scene
from billing.charges.reconcile import declined, reconcile
from billing.facts import Observed
from billing.provider.errors import ProviderDeclined
from billing.provider.gateway import StripeGateway
from billing.provider.objects import Hold
from core.db import Tx
from core.settings import Settings

KINDS = (Kind.CREATE, Kind.CONFIRM, Kind.INCREMENT, Kind.CAPTURE, Kind.CANCEL)


class HoldErrand:
    """What the writes on a hold mean; every answer ends in ``reconcile``."""

    def __init__(self, *, gateway: StripeGateway, settings: Settings, observed: Observed) -> None:
        self._gateway = gateway
        self._observed = observed
        self._return_base = settings.public_url
        self._window = timedelta(seconds=settings.authenticate_s)

    async def write(self, order: Order) -> Hold:
        """Make the call."""
        if order.kind is Kind.CREATE:
            return await self._gateway.create_hold(**order.params, idempotency_key=order.key)
        assert order.provider_id is not None
        if order.kind is Kind.CONFIRM:
            return await self._gateway.confirm_hold(order.provider_id, **order.params, idempotency_key=order.key)
        if order.kind is Kind.INCREMENT:
            return await self._gateway.increment_hold(order.provider_id, **order.params, idempotency_key=order.key)
        if order.kind is Kind.CAPTURE:
            return await self._gateway.capture(order.provider_id, **order.params, idempotency_key=order.key)
        return await self._gateway.cancel(order.provider_id, idempotency_key=order.key)

    async def look(self, order: Order) -> Hold | None:
        """The hold by its id, or by our own id in its metadata."""
        if order.provider_id is not None:
            return await self._gateway.retrieve_hold(order.provider_id)
        listed = await self._gateway.list_holds(order.customer_id)
        return next((hold for hold in listed if hold.metadata.get("hold_id") == str(order.hold_id)), None)

    async def take_in(self, tx: Tx, _scene: Scene, seen: Hold) -> bool:
        """Reconcile, which closes every command whose effect the status shows; this one may be among them."""
        await reconcile(tx, seen, return_base=self._return_base, observed=self._observed)
        return False

    async def wanted(self, tx: Tx, scene: Scene) -> bool:
        """Whether the hold still waits for this move."""
        hold = scene.hold
        if scene.row.kind == Kind.INCREMENT:
            return await raises.wanted(tx, scene.row.subject_id)
        waiting = {
            Kind.CONFIRM: hold.state == hold_machine.State.PLACING and not hold.unwanted,
            Kind.CAPTURE: hold.state == hold_machine.State.CAPTURING,
            Kind.CANCEL: hold.state == hold_machine.State.RELEASING,
        }
        return waiting.get(Kind(scene.row.kind), False)

    async def declined(self, tx: Tx, scene: Scene, error: ProviderDeclined) -> bool:
        """A definite no to the hold. A no to a capture is looked at first: the hold may have lapsed."""
        charge, hold, row = scene.charge, scene.hold, scene.row
        if row.kind in {Kind.CAPTURE, Kind.CANCEL}:
            return False
        commands.close(tx, row, Move.REFUSE, code=error.code, decline_code=error.decline_code)
        if row.kind == Kind.INCREMENT:
            await raises.refused(tx, charge, hold, row.subject_id, within=self._window)
            return True
        if hold.state in hold_machine.UNDECIDED:
            hold.state = hold_machine.advance(hold_machine.State(hold.state), hold_machine.Move.DECLINE)
            hold.expires_at, hold.authenticate_url = None, None
            await declined(tx, charge, hold, error.message)
            await settlement.conclude(tx, charge)
            tx.touch([charge.customer_id, charge.consultant_id])
        return True

    async def absent(self, tx: Tx, scene: Scene) -> bool:
        """There is no such intent: this hold never came to stand."""
        await self.refused(tx, scene)
        return False

    async def persists(self, _tx: Tx, _scene: Scene) -> bool:
        """A hold that is refused stays refused."""
        return False

    async def refused(self, tx: Tx, scene: Scene) -> None:
        """A hold that cannot come to stand: the first one ends the charge, an extension only itself.

        One that cannot be captured is let go now rather than left to lapse: once it is, what is due is collected.
        """
        charge, hold = scene.charge, scene.hold
        if scene.row.kind == Kind.INCREMENT:
            await raises.refused(tx, charge, hold, scene.row.subject_id, within=self._window)
            return
        if scene.row.kind == Kind.CAPTURE and hold.state == hold_machine.State.CAPTURING:
            hold.state = hold_machine.advance(hold_machine.State.CAPTURING, hold_machine.Move.RELEASE)
            await commands.intend(tx, hold, Kind.CANCEL, key=f"cancel:{hold.id}", params={})
        if hold.state in hold_machine.UNDECIDED:
            if hold.provider_id is None:
                holds.drop(tx, hold)
            else:
                await holds.let_go(tx, hold)
        if charge.state in charges.PREPARING:
            await settlement.abandon(tx, charge, "payment_unavailable")
        await settlement.conclude(tx, charge)
