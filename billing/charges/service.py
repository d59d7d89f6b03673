"""ChargeService: what the rest of the house asks of charges, and what the worker runs for them."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from billing import house_terms, inbox, timeline
from billing.cases import open_once
from billing.charges import calls, holds, late_hold, raises, rescue, review, settlement, store, taxing, waiting
from billing.charges import charge as charges
from billing.charges import hold as hold_machine
from billing.charges.announcements import CAP_REACHED, Announcer, Overtaken, capped
from billing.charges.command import Kind
from billing.charges.errand import Errand
from billing.charges.hold_errand import KINDS as HOLD_KINDS
from billing.charges.hold_errand import HoldErrand
from billing.charges.reconcile import reconcile
from billing.charges.sender import CommandSender
from billing.charges.taxing import PartyOf, nobody_stated
from billing.collection import steps as collecting
from billing.facts import AboutCall, Ended, Observed, Opened
from billing.metering.bill import extension_minor
from billing.metering.store import price_of
from billing.metering.terms import DEFAULT_TERMS, LATE_HOLD_MS, PriceTerms
from billing.models import ChargeRow, HoldRow
from billing.provider.gateway import StripeGateway
from billing.tax import Decision
from billing.trust import record
from billing.trust.rule import doubts
from core.db import Database, Tx
from core.errors import Conflict, NotFound, Refused
from core.ids import CallId, UserId, new_id
from core.jobs import Jobs
from core.money import MINIMUM_CHARGE_MINOR, Currency
from core.settings import Settings

CLOCK_SKEW = timedelta(minutes=1)  # two processes may disagree a little about the time


class ChargeService:
    """Opens, extends and settles charges. Every figure is decided here, in the transaction of the fact behind it."""

    def __init__(
        self,
        *,
        db: Database,
        gateway: StripeGateway,
        settings: Settings,
        observed: Observed,
        terms: PriceTerms = DEFAULT_TERMS,
        party: PartyOf = nobody_stated,
    ) -> None:
        self._db = db
        self._gateway = gateway
        self._observed = observed
        self._terms = terms
        self._party = party
        self._window = timedelta(seconds=settings.authenticate_s)
        self._rescue = timedelta(seconds=settings.rescue_s)
        self._return_base = settings.public_url
        holds_errand = HoldErrand(gateway=gateway, settings=settings, observed=observed)
        self._errands: dict[Kind, Errand] = dict.fromkeys(HOLD_KINDS, holds_errand)
        self._sender = CommandSender(db=db, errands=self._errands)
        self._announcer = Announcer(db=db)

    def register(self, jobs: Jobs) -> None:
        """Name the jobs of charges."""
        self._sender.register(jobs)
        self._announcer.register(jobs)

    def employ(self, kinds: Iterable[Kind], errand: Errand) -> None:
        """Have commands of these kinds carried out by another room's errand (refunds, disputes)."""
        self._errands.update(dict.fromkeys(kinds, errand))

    # ── events ───────────────────────────────────────────────────────────────────────────────────────────────

    async def on_call_opened(self, tx: Tx, event: Opened) -> None:
        """Freeze the price and ask for the hold; told twice, there is one charge."""
        if await store.charge_of_call(tx, event.call_id) is not None:
            return
        terms = await house_terms.in_force(tx, self._terms)
        charge = self._snapshot(tx, event, terms, await self._tax(tx, event, terms))
        tx.session.add(charge)
        await tx.session.flush()
        timeline.record(
            tx,
            charge.id,
            "price_agreed",
            rate_minor_per_hour=charge.rate_minor_per_hour,
            cap_minor=charge.cap_minor,
            tax_mode=charge.tax_mode,
            tax_rate_bps=charge.tax_rate_bps,
        )
        if await collecting.limits(tx, event.customer_id):
            # A payment failed while it rang. The consultant reads this reason, in the receipt too: it must not tell of
            # the customer's debts to others. The customer is told of theirs wherever they owe.
            await settlement.abandon(tx, charge, "payment_unavailable")
            return
        if terms.late_hold and await holds.means_of(tx, charge) and await self._trusts(tx, charge):
            await late_hold.begin(tx, charge)
            return
        if await holds.place(tx, charge, amount_minor=charge.cap_minor, within=self._window) is None:
            await settlement.abandon(tx, charge, "payment_unavailable")
            return
        charge.state = charges.advance(charges.State.OPEN, charges.Move.PLACE)

    async def on_call_ended(self, tx: Tx, event: Ended) -> None:
        """Stop waiting for holds that have not come to stand; the bill waits until every interval is final.

        That of a lost call waits longer: both may come back to it. Raises Overtaken when it would end at a cap that
        was raised in this very moment.
        """
        charge = await store.lock_of_call(tx, event.call_id)
        if charge is None or charge.call_ended_at is not None or event.call_id != calls.newest(charge):
            return
        if event.reason == CAP_REACHED and not capped(charge):
            raise Overtaken
        charge.call_ended_at, charge.close_reason, charge.next_deadline_at = tx.now, event.reason, None
        timeline.record(tx, charge.id, "call_ended", reason=event.reason)
        if charge.state in charges.PREPARING:
            await settlement.abandon(tx, charge, "")
            return
        await raises.give_up_all(tx, charge)
        await rescue.wait(tx, charge, self._rescue)
        if late_hold.awaited(charge) and waiting.is_open(charge, tx.now):
            return  # it may come to stand while they find back to each other, and is looked at anew at each end
        for hold in await store.holds(tx, charge.id):
            if hold.state in hold_machine.UNDECIDED:
                await holds.let_go(tx, hold)

    async def on_session_closed(self, tx: Tx, event: AboutCall) -> None:
        """Every interval is final: settle, or open the review window, once; of a lost call, when nobody came back."""
        charge = await store.lock_of_call(tx, event.call_id)
        if charge is None or charge.state != charges.State.METERING or calls.books_are_closed(charge, event.call_id):
            return
        if not await rescue.waits(tx, charge):
            await review.settle_or_wait(tx, charge)
            return
        charge.books_closed_at = tx.now
        tx.touch([charge.customer_id, charge.consultant_id])

    # ── use cases ────────────────────────────────────────────────────────────────────────────────────────────

    async def extend(self, tx: Tx, user: UserId, call_id: CallId, client_key: UUID) -> None:
        """Ask for the reserve that raises the cap once it stands: more on the hold that is there, or a further one.

        The same key asks once. Raises NotFound for anybody but the customer, Conflict when the call is over or an
        extension is under way.
        """
        charge = await store.lock_of_call(tx, call_id)
        if charge is None or charge.customer_id != user:
            raise NotFound
        standing = await store.holds(tx, charge.id)
        key, raised = str(client_key), await raises.of_charge(tx, charge.id)
        if key in {*(hold.client_key for hold in standing), *(row.client_key for row in raised)}:
            return
        if charge.state != charges.State.METERING or charge.call_ended_at is not None:
            raise Conflict("This call can no longer be extended.", code="ended")
        if late_hold.awaited(charge):
            raise Conflict("The reserve of this call must stand before it is extended.", code="hold_awaited")
        if raises.pending(standing, raised):
            raise Conflict("An extension is already under way.", code="extension_pending")
        amount = extension_minor(price_of(charge))
        hold = await raises.raisable(tx, charge)
        if hold is not None:
            await raises.ask(tx, hold, by_minor=amount, within=self._window, client_key=key)
        elif await holds.place(tx, charge, amount_minor=amount, within=self._window, client_key=key) is None:
            raise Refused("There is no card to extend with; save one first.", code="no_card")
        tx.touch([charge.customer_id, charge.consultant_id])

    async def late_hold_ms(self, tx: Tx, customer: UserId) -> int | None:
        """The connected time at which this customer's hold would be placed; None where that is at accept.

        What is said here is looked at anew at the accept: trust may be lost between the two.
        """
        terms = await house_terms.in_force(tx, self._terms)
        trusted = terms.late_hold and not doubts(await record.of_customer(tx, customer))
        return LATE_HOLD_MS if trusted else None

    async def authenticated(self, db: Database, user: UserId, call_id: CallId) -> None:
        """Ask Stripe how 3-D Secure went, rather than believing the browser. Opens its own transactions."""
        async with db.begin() as tx:
            charge = await store.charge_of_call(tx, call_id)
            if charge is None or charge.customer_id != user:
                raise NotFound
            waiting = [
                hold.provider_id
                for hold in await store.holds(tx, charge.id)
                if hold.state in hold_machine.UNDECIDED and hold.provider_id is not None
            ]
        for provider_id in waiting:
            await self.take_in(provider_id)

    async def take_in(self, intent_id: str) -> bool:
        """Fetch a PaymentIntent and reconcile it; False when it is not ours."""
        seen = await self._gateway.retrieve_hold(intent_id)
        async with self._db.begin() as tx:
            return await reconcile(tx, seen, return_base=self._return_base, observed=self._observed)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def run_due(self, db: Database) -> int:
        """End holds and review windows whose time is over; hand commands and webhooks to jobs again."""
        found = await review.run_due(db) + await self._expire(db) + await raises.expire(db)
        return found + await self._sender.sweep() + await inbox.sweep(db) + await self._warn_of_lapse(db)

    async def _warn_of_lapse(self, db: Database) -> int:
        """Open a case for each hold the bank will soon let go: no call lasts that long, so something is stuck."""
        done = 0
        while True:
            async with db.begin() as tx:
                found = await store.lapsing_hold(tx, tx.now + holds.LAPSE_ALARM)
                if found is None:
                    return done
                await store.lock(tx, found.charge_id)
                lapses_at = found.capture_before
                assert lapses_at is not None
                key = f"capture_before:{found.id}"
                await open_once(tx, found.charge_id, "hold_lapses_soon", key=key, lapses_at=lapses_at.isoformat())
            done += 1

    async def _expire(self, db: Database) -> int:
        done = 0
        while True:
            async with db.begin() as tx:
                found = await store.expired_hold(tx)
                if found is None:
                    return done
                charge = await store.lock(tx, found.charge_id)
                hold = await store.hold(tx, found.id)
                if hold is not None and hold.expires_at is not None and hold.expires_at <= tx.now:
                    await self._give_up(tx, charge, hold)
            done += 1

    async def _give_up(self, tx: Tx, charge: ChargeRow, hold: HoldRow) -> None:
        asked = hold.state == hold_machine.State.NEEDS_ACTION
        reason = "authentication_abandoned" if asked else "payment_unavailable"
        timeline.record(tx, charge.id, "hold_given_up", n=hold.n, reason=reason)
        hold.expires_at = None
        await holds.let_go(tx, hold)
        if charge.state in charges.PREPARING:
            await settlement.abandon(tx, charge, reason)
        tx.touch([charge.customer_id, charge.consultant_id])

    async def _trusts(self, tx: Tx, charge: ChargeRow) -> bool:
        """Whether the customer may begin without a hold; what was looked at is written down either way."""
        known = await record.of_customer(tx, UserId(charge.customer_id))
        against = doubts(known)
        timeline.record(tx, charge.id, "trust_checked", doubts=[*against], **asdict(known))
        return not against

    async def _tax(self, tx: Tx, event: Opened, terms: PriceTerms) -> Decision:
        return await taxing.decided(
            tx, self._party, terms, consultant=UserId(event.consultant_id), customer=UserId(event.customer_id)
        )

    @staticmethod
    def _snapshot(tx: Tx, event: Opened, terms: PriceTerms, tax: Decision) -> ChargeRow:
        """The price as consented: a price the customer cannot have agreed to stops the accept itself."""
        if event.currency not in set(Currency):
            raise Refused(f"Nothing can be charged in {event.currency}.", code="price_invalid")
        currency = Currency(event.currency)
        consented_at = datetime.fromisoformat(event.consented_at_iso)
        if event.rate_minor_per_hour <= 0 or event.cap_minor < MINIMUM_CHARGE_MINOR[currency]:
            raise Refused("This price cannot be charged: rate or cap is too small.", code="price_invalid")
        if consented_at > tx.now + CLOCK_SKEW:
            raise Refused("The consent lies in the future; nothing may be held on it.", code="consent_invalid")
        # The accept checks this too; money never relies on somebody else's check.
        if event.rate_minor_per_hour > event.max_rate_minor_per_hour:
            raise Refused("This consultant is dearer than the customer agreed to.", code="rate_above_consent")
        return ChargeRow(
            id=new_id(),
            call_id=event.call_id,
            reference=event.reference,
            customer_id=event.customer_id,
            consultant_id=event.consultant_id,
            created_at=tx.now,
            currency=currency,
            rate_minor_per_hour=event.rate_minor_per_hour,
            policy=terms.policy,
            policy_version=terms.version,
            threshold_ms=terms.threshold_ms,
            commission_bps=terms.commission_bps,
            review_window_s=terms.review_window_s,
            **taxing.columns(tax),
            snapshot_cap_minor=event.cap_minor,
            terms_version=event.terms_version,
            consented_at=consented_at,
            state=charges.State.OPEN,
            cap_minor=event.cap_minor,
            marked_ms=0,
            captured_minor=0,
        )
