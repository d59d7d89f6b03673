"""Example receipts, made by the product's own code from rows that a test makes up; the same at every run.

``python -m tests.fakes.receipts`` writes them to ``tests/fixtures/receipts``, where the browser's tests read them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from billing.charges.taxing import columns
from billing.metering.bill import bill
from billing.metering.intervals import Interval, closed_ms
from billing.metering.store import price_of
from billing.models import ChargeEventRow, ChargeRow, HoldRow, InvoiceRow
from billing.proof import chain
from billing.proof.document import Evidence, Story, document
from billing.proof.signing import ReceiptSigner
from billing.proof.verifier import verify
from billing.receipts import shown_to
from billing.tax import Party, Tax, Treatment, decide, inclusive

FOLDER = Path(__file__).parent.parent / "fixtures" / "receipts"
SIGNER = ReceiptSigner("dGVzdC1yZWNlaXB0LWtleS1vZi0zMi1ieXRlcy0uLi4")
START = datetime(2026, 11, 20, 9, 30, 4, 512_345, tzinfo=UTC)
CHARGE, CALL = UUID("11111111-2222-4333-8444-555555555555"), UUID("66666666-7777-4888-9999-000000000000")
STORY = Story("Consultant Connect", "https://example.com", "Anna Müller", "Žofia Łukasik", "Why is “x” < €5?", START)

SUPPLIER = Party("DE", "DE136695976", name="Łukasik Beratung", address="Hauptstraße 1\n10115 Berlin")


@dataclass(frozen=True)
class Script:
    """What happened: connected stretches and the pauses between them, in ms; holds; the rules."""

    talks: tuple[int, ...] = (660_000,)
    pauses: tuple[int, ...] = ()
    role: str = "customer"
    policy: str = "whole_call"
    currency: str = "eur"
    rate: int = 9_000
    cap: int = 4_500
    extension: int = 0
    raised: bool = False  # the extension is more on the hold that stood
    covered: int | None = None
    supplier: Party | None = SUPPLIER
    customer: Party | None = None
    refund: int = 0
    credit: int = 0
    pause_cause: str = "customer_unseen"
    late: str = ""  # what became of a trusted customer's hold: stood | missed


SCRIPTS = {
    "paid-customer": Script((372_114, 298_003), (20_250,)),
    "paid-consultant": Script((372_114, 298_003), (20_250,), role="consultant"),
    "free": Script((492_000,)),
    "after-threshold": Script((900_001,), policy="after_threshold", currency="gbp", rate=12_345),
    "capped-and-extended": Script((2_000_000, 1_000_500), (61_000,), extension=1_500, currency="chf"),
    "raised": Script((2_000_000, 1_000_500), (61_000,), extension=1_500, raised=True),
    "not-covered": Script((1_500_000,), covered=2_000, role="consultant"),
    "refunded-exempt": Script((720_000,), supplier=Party("DE", small_business=True), refund=500, currency="usd"),
    "yen": Script(
        (372_114, 298_003), (20_250,), currency="jpy", rate=12_345, cap=6_173, refund=1_234, role="consultant"
    ),
    "credited": Script((720_000,), refund=500, credit=600),
    "credited-consultant": Script((720_000,), credit=600, role="consultant"),
    "no-show": Script(()),
    "late-hold": Script((700_000,), late="stood"),
    "hold-missed": Script((600_412,), late="missed"),
    "reverse-charge": Script(
        (720_000,),
        customer=Party("FR", "FR40303265045", name="Société Exemple", address="1 rue du Bac\n75007 Paris"),
        refund=500,
        role="consultant",
    ),
    "eu-consumer": Script((720_000,), supplier=Party("LU"), customer=Party("DE")),
    "outside-eu": Script((720_000,), customer=Party("US")),
    "unstated": Script((720_000,), supplier=None, customer=Party("DE")),
}


class Scene:
    """The rows of one charge, in the order in which life writes them."""

    def __init__(self, script: Script) -> None:
        self.script, self.now = script, START - timedelta(seconds=9)
        self.events: list[ChargeEventRow] = []
        self.intervals: list[Interval] = []
        self.holds: list[HoldRow] = []
        self.invoices: list[InvoiceRow] = []
        self.tax = decide(script.supplier, script.customer, START.date(), unstated=Tax(Treatment.STANDARD, 1_900))
        self.charge = ChargeRow(
            id=CHARGE,
            call_id=CALL,
            reference="CC-20261120-7KQ2",
            currency=script.currency,
            rate_minor_per_hour=script.rate,
            policy=script.policy,
            policy_version="2026-1",
            threshold_ms=600_000,
            commission_bps=1_500,
            **columns(self.tax),
            snapshot_cap_minor=script.cap,
            cap_minor=script.cap,
            terms_version="2026-01",
            consented_at=START - timedelta(minutes=2),
            captured_minor=0,
            close_reason="customer_left",
        )

    def note(self, kind: str, **details: Any) -> None:
        previous = self.events[-1].hash if self.events else chain.genesis(CHARGE)
        body = chain.body_of(self.now, kind, details)
        self.events.append(
            ChargeEventRow(
                charge_id=CHARGE,
                n=len(self.events) + 1,
                at=self.now,
                kind=kind,
                details=details,
                body=body,
                previous_hash=previous,
                hash=chain.link(previous, body),
            )
        )

    def hold(self, amount: int) -> None:
        n = len(self.holds) + 1
        self.note("hold_requested", n=n, amount_minor=amount)
        self.note("hold_placed", n=n, amount_minor=amount)
        hold = HoldRow(n=n, state="held", amount_minor=amount, captured_minor=0, held_at=self.now, finished_at=None)
        self.holds.append(hold)

    def raise_hold(self, by: int) -> None:
        hold = self.holds[0]
        self.note("raise_requested", n=1, amount_minor=hold.amount_minor + by)
        hold.amount_minor += by
        self.note("hold_raised", n=1, amount_minor=hold.amount_minor)

    def play(self) -> Evidence:
        script = self.script
        agreed = {"tax_mode": self.charge.tax_mode, "tax_rate_bps": self.charge.tax_rate_bps}
        self.note("price_agreed", rate_minor_per_hour=script.rate, cap_minor=script.cap, **agreed)
        if script.late:
            self.charge.late_hold_ms = 480_000
            self.note("hold_deferred", at_ms=480_000)
        else:
            self.hold(script.cap)
        self.now = START
        for n, ms in enumerate(script.talks):
            last = n == len(script.talks) - 1
            self._talk(n, ms, "ended" if last else script.pause_cause)
            if not last:
                self.now += timedelta(milliseconds=script.pauses[n])
        self.charge.call_ended_at = self.now
        self.note("call_ended", reason=self.charge.close_reason)
        self._settle()
        return Evidence(self.charge, self.intervals, self.holds, self.events, self.invoices)

    def _talk(self, n: int, ms: int, cause: str) -> None:
        self.note("side_seen", side="customer", at=chain.stamp(self.now))
        self.note("interval_opened", n=n, started_at=chain.stamp(self.now))
        if n == 1 and self.script.extension:
            (self.raise_hold if self.script.raised else self.hold)(self.script.extension)
            self.charge.cap_minor += self.script.extension
            self.note("extended", cap_minor=self.charge.cap_minor)
        if self.script.late:
            self._ask_late(self.now + timedelta(milliseconds=480_000))
        self.intervals.append(Interval(n, self.now, ms, open=False, cause=cause))
        self.now += timedelta(milliseconds=ms)
        self.note("interval_closed", n=n, duration_ms=ms, cause=cause)

    def _ask_late(self, at: datetime) -> None:
        """At eight minutes; what follows is noted from then on."""
        began, self.now = self.now, at
        self.note("hold_due", connected_ms=480_000)
        if self.script.late == "stood":
            self.hold(self.script.cap)
            self.charge.secured_at = at
            self.note("threshold_passed", connected_ms=600_000)
        else:
            self.note("hold_requested", n=1, amount_minor=self.script.cap)
            self.note("hold_declined", n=1, message="Your card was declined.")
            self.note("hold_missed", connected_ms=600_000)
            self.charge.close_reason = "hold_missed"
        self.now = began

    def _settle(self) -> None:
        charge, script = self.charge, self.script
        due = bill(price_of(charge), closed_ms(self.intervals))
        gross = due.gross_minor if script.covered is None else min(due.gross_minor, script.covered)
        if script.covered is not None:
            self.note("case_opened", case="holds_do_not_cover", due_minor=due.gross_minor, held_minor=script.covered)
        charge.gross_minor, charge.captured_minor = gross, gross
        charge.commission_minor = (gross * 1_500 + 5_000) // 10_000
        charge.net_minor = gross - charge.commission_minor
        self.note("settled", connected_ms=due.connected_ms, gross_minor=gross)
        self.now += timedelta(seconds=3)
        rest = gross
        for hold in self.holds:
            hold.captured_minor = min(rest, hold.amount_minor)
            rest -= hold.captured_minor
            hold.state, hold.finished_at = ("captured" if hold.captured_minor else "released"), self.now
            if hold.captured_minor:
                self.note("hold_captured", n=hold.n, amount_minor=hold.captured_minor)
            else:
                self.note("hold_released", n=hold.n, reason=None)
        charge.state = "captured" if gross else "released"
        self.note(charge.state, captured_minor=gross)
        if gross:
            self._invoice("invoice", gross, 17)
        if script.credit:
            self.note("credit_set", amount_minor=script.credit)
            self.now += timedelta(seconds=2)
            self._invoice("credit", script.credit, 18)
        if script.refund:
            self.now += timedelta(days=1)
            self._invoice("credit_note", script.refund, 19 if script.credit else 18)

    def _invoice(self, kind: str, gross: int, number: int) -> None:
        tax = self.tax.tax if kind != "credit" else Tax(Treatment.OUTSIDE_SCOPE, 0)
        amounts = inclusive(gross, tax.rate_bps)
        self.invoices.append(
            InvoiceRow(
                series="2026",
                number=number,
                kind=kind,
                issued_at=self.now,
                gross_minor=gross,
                net_minor=amounts.net_minor,
                vat_minor=amounts.vat_minor,
                vat_rate_bps=tax.rate_bps,
                vat_treatment=tax.treatment,
            )
        )
        self.note(f"{kind}_issued", number=f"2026-{number:06d}", gross_minor=gross)


def unsigned(script: Script) -> dict[str, Any]:
    """The document of a script."""
    evidence = Scene(script).play()
    at = START + timedelta(days=2)
    return document(evidence, STORY, role=script.role, shown=shown_to(script.role), issued_at=at)


def signed(script: Script) -> dict[str, Any]:
    """The same with the test key's signature."""
    return SIGNER.sign(unsigned(script))


def written(script: Script) -> str:
    """The text of the file."""
    return json.dumps(signed(script), ensure_ascii=False, indent=1) + "\n"


def other(script: Script, **changes: Any) -> Script:
    """A script with something else in it."""
    return replace(script, **changes)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every single value of a document."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in items:
            yield from places(inner, (*path, name))
    else:
        yield path


def changed(document: dict[str, Any], path: tuple[str | int, ...]) -> tuple[dict[str, Any], Any]:
    """A copy in which the value at ``path`` is another of its kind, and that value."""
    copy = json.loads(json.dumps(document))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = _another(inner[path[-1]])
    return copy, inner[path[-1]]


def _another(value: Any) -> Any:
    if isinstance(value, int):
        return value + 1
    if value is None:
        return "x"
    digit = next((n for n in reversed(range(len(value))) if value[n].isdigit()), None)
    if digit is None:
        return value + "x"
    return value[:digit] + str((int(value[digit]) + 1) % 10) + value[digit + 1 :]


def findings(document: dict[str, Any]) -> list[str]:
    """What a verification finds, as ``check/code/place``."""
    _, checks = verify(json.dumps(document))
    return [f"{check.name}/{finding.code}/{finding.place}" for check in checks for finding in check.findings]


def changes() -> list[dict[str, Any]]:
    """Receipts in which one value was changed, and what is found: the browser must find the same."""
    cases = []
    for name in (
        "paid-customer",
        "capped-and-extended",
        "raised",
        "refunded-exempt",
        "reverse-charge",
        "yen",
        "credited",
    ):
        original = signed(SCRIPTS[name])
        for path in places(original):
            document, value = changed(original, path)
            cases.append({"receipt": name, "path": list(path), "value": value, "findings": findings(document)})
    return cases


def files() -> dict[str, str]:
    """Every example file by its name."""
    texts = {f"{name}.json": written(script) for name, script in SCRIPTS.items()}
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in changes())
    return {**texts, "changes.json": f"[\n{lines}\n]\n"}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
