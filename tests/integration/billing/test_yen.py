"""A call in yen, which have no decimals, from the hold to the bank: in the books, at Stripe, sealed, and in mails."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from billing.mails.letters import Reader, write
from billing.mails.outbox import Kind
from billing.payouts import statement
from billing.periods import of_month
from billing.proof.document import Story
from billing.proof.service import ProofService
from billing.proof.verifier import verify
from billing.proof.words import report
from core.ids import CallId
from tests.fakes.receipts import SIGNER
from tests.integration.billing.room import Room
from tests.integration.billing.test_after_capture import account_of, equal_to_stripe, hear_everything, refund
from tests.integration.billing.test_reconciliation import cases, run

ZONE = "Asia/Tokyo"


@pytest.fixture(autouse=True)
def today(room: Room) -> None:
    """Stripe's lines carry the time of this machine: so do ours here."""
    room.clock.advance(datetime.now(UTC) - room.clock.now())


async def paid_call(room: Room, *, rate: int = 12_345) -> CallId:
    """Eleven minutes in yen."""
    call = await room.open(rate=rate, cap=6_173, currency="jpy")
    await room.talk(call, 660_000)
    await room.end(call)
    return call


async def test_a_call_in_yen_from_the_hold_to_the_bank(room: Room) -> None:
    call = await paid_call(room)
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor, charge.commission_minor, charge.net_minor) == (
        "captured",
        2_263,  # 11 of 60 minutes at 12,345 are 2,263.25
        339,
        1_924,
    )
    [intent] = await room.intents()
    assert (intent["currency"], intent["amount"], intent["amount_received"]) == ("jpy", 6_173, 2_263)
    assert intent["application_fee_amount"] == 339
    await refund(room, call, 1_234)
    await hear_everything(room)
    assert (await room.charge(call)).refunded_minor == 1_234
    await equal_to_stripe(room, "jpy")
    month = f"{room.clock.now():%Y-%m}"
    assert len(await room.sandbox.pay_out(await account_of(room))) == 1
    await hear_everything(room)
    async with room.db.begin() as tx:
        [account] = await statement.of_period(tx, room.consultant, of_month(month, "UTC"))
    assert (account.currency, account.sums[0], account.after_minor) == ("jpy", 2_263 - 1_234, 0)
    assert account.sums[2] == account.sums[3], "all that is theirs went to the bank"
    seen = await run(room)
    assert (seen.differences, await cases(room)) == (0, [])
    assert seen.totals["jpy"]["difference_minor"] == 0
    assert (await run(room, "bills")).differences == 0


async def test_less_than_fifty_yen_is_not_charged_and_the_recomputation_says_so_too(room: Room) -> None:
    below, least = await paid_call(room, rate=269), await paid_call(room, rate=270)  # 49.3 and 49.5 for eleven minutes
    assert [(await room.charge(call)).captured_minor for call in (below, least)] == [0, 50]
    assert (await run(room, "bills")).differences == 0
    async with room.db.begin() as tx:
        await tx.session.execute(text("UPDATE charge SET gross_minor = 49, net_minor = 41 WHERE gross_minor = 50"))
    assert (await run(room, "bills")).differences > 0


async def test_a_sealed_receipt_in_yen_verifies_by_itself_and_a_changed_yen_is_named(room: Room) -> None:
    call = await paid_call(room)
    story = Story("House", "https://example.com", "Anna", "Ben", "Why?", room.clock.now())
    for user in (room.customer, room.consultant):
        async with room.db.begin() as tx:
            sealed = await ProofService(SIGNER).sealed(tx, user, call, story)
        document, checks = verify(json.dumps(sealed), SIGNER.public_key)
        assert all(check.holds for check in checks), report(document, checks)
        assert document["price"]["currency"] == "jpy"
        document["totals"]["gross_minor"] += 1
        assert "WRONG gross: the receipt says 2264, recomputed 2263" in report(*verify(json.dumps(document)))


@pytest.mark.parametrize(
    ("locale", "subject", "tax"),
    [
        ("en", "Your receipt {}: ¥2,263", "Net ¥1,902, VAT 19% ¥361\n"),
        ("de", "Ihr Beleg {}: 2.263\u00a0¥", "Netto 1.902\u00a0¥, USt 19\u00a0% 361\u00a0¥\n"),
    ],
)
async def test_a_mail_says_yen_without_decimals(room: Room, locale: str, subject: str, tax: str) -> None:
    charge = await room.charge(await paid_call(room))
    async with room.db.begin() as tx:
        reader = Reader("a@example.com", "Anna", locale, ZONE)
        letter = await write(tx, Kind.RECEIPT, str(charge.id), reader, "https://example.com")
    assert letter is not None
    assert letter.subject == subject.format(charge.reference)
    assert tax in letter.text
