"""What comes after a capture: finance, the customer's bank and the consultant's payouts do what the script says.

A new kind of deed is a class in ``later_script``, a function in ``DEEDS`` below, and a rule in ``later_oracle``.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from aiohttp import web

from billing.finance import approvals
from core.errors import AppError, Forbidden
from core.ids import CallId, UserId, new_id
from tests.simulation.evidence import Played
from tests.simulation.later_script import AGREES, NEVER, Again, Claim, GiveBack, Keep, PayOut
from tests.simulation.script import once_more
from tests.simulation.stage import Process
from tests.simulation.world import Scene, World

_BEHAVES_AFTER = timedelta(seconds=300)
_FILLED_MINOR = 10_000_000  # what the house sends to its balance in the end, so that it can pay what it owes
_CHARGE = "SELECT id, captured_minor, currency FROM charge WHERE call_id = %s"
_PARTS = "SELECT refund_part.id::text FROM refund_part JOIN refund ON refund.id = refund_id WHERE refund.key = %s"
_OF_KEY = "SELECT id FROM refund WHERE key = %s"
_DISPUTE = "SELECT id FROM dispute WHERE provider_id = %s"
_TOLD = ("charge.dispute.", "charge.refund", "refund.", "payout.", "account.", "transfer.", "application_fee.")

Done = Callable[[], None]


class Office:
    """Finance, the customer's bank, and the payout run."""

    def __init__(self, world: World, accept: Callable[[Scene], None]) -> None:
        self._world = world
        self._accept = accept
        self._script = world.script.later
        self._post = random.Random(f"post {world.script.seed}")  # noqa: S311 - must replay, no secret
        self._bank = Process("bank", ours=False)
        # Not out of the common well of ids: what else a seed does stays as it was.
        self.clerk, self.colleague = (UserId(UUID(int=self._post.getrandbits(128))) for _ in range(2))
        self.played: list[Played] = []
        self.begun = False

    @property
    def at_once(self) -> bool:
        """Whether it begins while other things go on."""
        return self._script is not None and self._script.at_once and not self.begun

    @property
    def waits(self) -> bool:
        """Whether there is something to come."""
        return self._script is not None and not self.begun

    def begin(self) -> None:
        """Put everything on the agenda."""
        world, later = self._world, self._script
        assert later is not None
        self.begun = True
        world.stage.note("what comes after begins")
        trouble, perils = later.trouble, world.perils
        perils.crash, perils.crashes = max(perils.crash, trouble.crash), perils.crashes + trouble.crashes
        perils.stall = max(perils.stall, trouble.stall)
        for rule in trouble.rules:
            world.stage.spawn("misbehaviour", self._bank, partial(world.bank.misbehave, *_told(rule)), world.check)
        now = world.clock.steady()
        for outage in trouble.outages:
            begin = now + timedelta(seconds=outage.at_s)
            world.bank.outages.append((begin, begin + timedelta(seconds=outage.span_s)))
        for absence in trouble.absences:
            self._at(absence.at_s, "no worker is left", partial(world.leave_alone, absence.span_s))
        for deed in later.deeds:
            played = Played(deed)
            self.played.append(played)
            self._at(deed.at_s, type(deed).__name__, partial(DEEDS[type(deed)], self, deed, played))
        self._at(later.ends_s + _BEHAVES_AFTER.total_seconds(), "everything behaves again", self._heal)

    def takes(self, event: dict[str, Any]) -> bool:
        """Whether this event of Stripe's is about what comes after."""
        return str(event["type"]).startswith(_TOLD)

    def deliveries_s(self) -> list[float]:
        """After how many seconds each copy of an event arrives; at least one does, as Stripe tries for days."""
        assert self._script is not None
        trouble = self._script.trouble
        return [self._post.uniform(0, trouble.late_s) for _ in range(self._post.randint(1, trouble.copies))]

    def _heal(self) -> None:
        world = self._world

        async def behave() -> None:
            await world.bank.behave()
            for code in sorted({scene.script.currency for scene in world.scenes}):
                await world.bank.call("POST", "/_sandbox/topup", {"amount": _FILLED_MINOR, "currency": code})

        world.perils.crashes, world.perils.stall = 0, 0.0
        world.stage.spawn("everything behaves", self._bank, behave, world.check)

    # ── refunds ──────────────────────────────────────────────────────────────────────────────────────────────

    def give_back(self, deed: GiveBack, played: Played) -> None:
        """Finance clicks."""
        world, scene = self._world, self._world.scenes[deed.call]
        charge_id, captured, _ = self._charge(scene)
        if charge_id is None or not captured:
            return
        played.key, played.call_id = str(new_id()), scene.call_id
        amount = played.amount_minor = max(1, captured * deed.percent // 100)

        async def click() -> None:
            async with world.web.db.begin() as tx:
                now = tx.now
                try:
                    await world.web.refunds.request(
                        tx,
                        charge_id,
                        amount_minor=amount,
                        reason="quality",
                        note="simulated",
                        key=played.key,
                        by=self.clerk,
                    )
                except AppError as error:
                    played.refusals.append((now, error.code))
                    raise

        def accepted() -> None:
            if played.accepted_at is None:
                played.accepted_at = world.clock.now()
                self._second(deed.second, deed.second_s, approvals.REFUND, played, partial(self._refund, played))

        for _ in range(deed.clicks):
            world.ask("refund", click, then=accepted, no=_shrug)
        if deed.returned_s is not None:
            self._at(deed.returned_s, "the bank sends it back", partial(self._come, self._send_back, played))

    async def _send_back(self, played: Played) -> None:
        parts = {row[0] for row in self._world.database.execute(_PARTS, (played.key,)).fetchall()}
        for refund in (await self._state()).get("refund", []):
            if refund["status"] == "succeeded" and refund["metadata"].get("part_id") in parts:
                await self._world.bank.call("POST", f"/_sandbox/refund/{refund['id']}/fail")
                played.returned.append(refund["id"])

    def _refund(self, played: Played) -> UUID | None:
        row = self._world.database.execute(_OF_KEY, (played.key,)).fetchone()
        return None if row is None else row[0]

    # ── four eyes ────────────────────────────────────────────────────────────────────────────────────────────

    def _second(self, word: str, after_s: float, kind: str, played: Played, subject: Callable[[], UUID | None]) -> None:
        """Whoever asked tries to agree, which must not be possible; later the second person says their word."""
        world = self._world

        async def own() -> None:
            try:
                if await self._decide(kind, subject(), self.clerk, approved=True):
                    world.violations.append(f"whoever asked for a {kind} agreed to it themselves")
            except Forbidden:
                return

        async def decide() -> None:
            now = world.clock.now()
            try:
                await self._decide(kind, subject(), self.colleague, approved=word == AGREES)
            except AppError as error:
                played.unheard.append((now, error.code))
                raise

        def taken() -> None:
            played.words.append((world.clock.now(), word))

        world.ask("own approval", own, no=_shrug)
        if word != NEVER:
            self._at(
                after_s, f"the second person {word}", partial(world.ask, "approval", decide, then=taken, no=_shrug)
            )

    async def _decide(self, kind: str, subject: UUID | None, by: UserId, *, approved: bool) -> bool:
        """As the route does; False where nobody is asked (any more)."""
        house = self._world.web
        async with house.db.begin() as tx:
            waiting = None if subject is None else await approvals.waiting_for(tx, kind, subject)
            if waiting is None:
                return False
            row = await approvals.decide(tx, waiting.id, by, approved=approved)
            if kind == approvals.REFUND:
                await house.refunds.decided(tx, row.subject_id, by, approved=approved)
            else:
                await house.payouts.decided(tx, row, by)
        return True

    # ── disputes ─────────────────────────────────────────────────────────────────────────────────────────────

    def claim(self, deed: Claim, played: Played) -> None:
        """The customer goes to their bank."""
        self._come(self._dispute, played)
        if deed.answered_s is not None:
            self._at(deed.answered_s, "evidence", partial(self._answer, played))
        for word, when in deed.outcomes:
            self._at(when, f"the bank says {word}", partial(self._come, partial(self._say, word), played))

    async def _dispute(self, played: Played) -> None:
        deed, world = played.deed, self._world
        assert isinstance(deed, Claim)
        scene = world.scenes[deed.call]
        charge_id, _, _ = self._charge(scene)
        state = await self._state()
        ours = [
            one["id"] for one in state.get("payment_intent", []) if one["metadata"].get("charge_id") == str(charge_id)
        ]
        captured = [one for one in state.get("charge", []) if one["payment_intent"] in ours and one["captured"]]
        if not captured:
            return
        charge = captured[deed.hold % len(captured)]
        left = charge["amount_captured"] - charge["amount_refunded"]
        if left <= 0:
            return
        wanted = {"amount": max(1, left * deed.percent // 100), "inquiry": deed.inquiry}
        try:
            made = await world.bank.call("POST", f"/_sandbox/dispute/{charge['payment_intent']}", wanted)
        except web.HTTPConflict:  # it is disputed already
            return
        played.call_id, played.provider_id, played.intent_id = scene.call_id, made["id"], charge["payment_intent"]
        played.amount_minor, played.opened_at = wanted["amount"], world.clock.now()

    async def _say(self, word: str, played: Played) -> None:
        if not played.provider_id:
            return
        try:
            await self._world.bank.call("POST", f"/_sandbox/dispute/{played.provider_id}/decide", {"outcome": word})
        except web.HTTPConflict:  # a refund has ended it, or it was decided
            return
        played.said.append((self._world.clock.now(), word))

    def _answer(self, played: Played) -> None:
        world = self._world
        row = world.database.execute(_DISPUTE, (played.provider_id,)).fetchone()
        if row is None:  # nobody has heard of it yet
            return

        async def submit() -> None:
            async with world.web.db.begin() as tx:
                await world.web.disputes.submit(tx, row[0], {"uncategorized_text": "They talked."}, self.clerk)

        world.ask("evidence", submit, then=partial(setattr, played, "answered", True), no=_shrug)

    # ── payouts ──────────────────────────────────────────────────────────────────────────────────────────────

    def pay_out(self, _deed: PayOut, played: Played) -> None:
        """Stripe's schedule pays out."""
        self._come(self._run, played)

    async def _run(self, played: Played) -> None:
        world, deed = self._world, played.deed
        assert isinstance(deed, PayOut)
        played.at = world.clock.now()
        try:
            made = await world.bank.call("POST", f"/_sandbox/payout/{world.account}")
        except web.HTTPConflict as error:  # held, or its bank sent the last one back
            played.refusals.append((played.at, error.text or ""))
            return
        played.payouts += made["payouts"]
        fates = {"paid": ("settle",), "failed": ("fail",), "canceled": ("cancel",), "returned": ("settle", "fail")}
        for payout in made["payouts"]:
            for n, fate in enumerate(fates[deed.fate], start=1):
                act = partial(self._come, partial(self._fate, payout, fate), played)
                self._at(n * deed.fate_s, f"payout {fate}", act)

    async def _fate(self, payout: str, fate: str, played: Played) -> None:
        deed = played.deed
        assert isinstance(deed, PayOut)
        await self._world.bank.call("POST", f"/_sandbox/payout/{payout}/{fate}")
        if fate == "fail" and deed.mended_s is not None:
            self._at(deed.mended_s, "another bank account", partial(self._come, self._mend, played))

    async def _mend(self, _played: Played) -> None:
        await self._world.bank.onboard(self._world.account)

    def keep(self, deed: Keep, played: Played) -> None:
        """Finance holds the account."""
        world = self._world

        async def hold() -> None:
            async with world.web.db.begin() as tx:
                await world.web.payouts.hold(tx, world.consultant, "simulated", self.clerk)

        def held() -> None:
            played.at = world.clock.now()
            if deed.release_s is not None:
                self._at(deed.release_s, "release", partial(self._release, deed, played))

        world.ask("hold payouts", hold, then=held, no=held)  # asked again after a kill it is held already

    def _release(self, deed: Keep, played: Played) -> None:
        world = self._world

        async def release() -> None:
            async with world.web.db.begin() as tx:
                played.answered = await world.web.payouts.release(tx, world.consultant, self.clerk, "simulated")

        def asked() -> None:
            played.accepted_at = world.clock.now()
            self._second(deed.second, deed.second_s, approvals.RELEASE, played, lambda: world.consultant)

        world.ask("release", release, then=asked, no=asked)

    # ── another call ─────────────────────────────────────────────────────────────────────────────────────────

    def again(self, _deed: Again, played: Played) -> None:
        """They talk once more, where nothing is owed."""
        world = self._world
        if any(scene.lapsed for first in world.scenes for scene in first.chain()):
            return
        scene = Scene(once_more(world.script.calls[0]), CallId(new_id()), further=True)
        played.call_id = scene.call_id
        world.scenes.append(scene)
        self._accept(scene)

    # ── the world ────────────────────────────────────────────────────────────────────────────────────────────

    def _at(self, after_s: float, label: str, begin: Done) -> None:
        self._world.at(timedelta(seconds=after_s), label, begin)

    def _come(self, work: Callable[[Played], Any], played: Played) -> None:
        """Something that happens outside of our house, and cannot be killed."""
        self._world.stage.spawn("outside", self._bank, partial(work, played), self._world.check)

    def _charge(self, scene: Scene) -> tuple[UUID | None, int, str]:
        row = self._world.database.execute(_CHARGE, (scene.call_id,)).fetchone()
        return (None, 0, "") if row is None else row

    async def _state(self) -> dict[str, Any]:
        found: dict[str, Any] = await self._world.bank.call("GET", "/_sandbox/state")
        return found


def _told(rule: Any) -> tuple[str, str, int]:
    return rule.kind, rule.operation, rule.times


def _shrug() -> None:
    """They are told no, and leave it at that."""


DEEDS: dict[type, Callable[..., None]] = {
    GiveBack: Office.give_back,
    Claim: Office.claim,
    PayOut: Office.pay_out,
    Keep: Office.keep,
    Again: Office.again,
}
