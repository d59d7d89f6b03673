"""Mails about money over a real SMTP server: one for each fact, from what was booked, in the reader's language."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import EmailMessage
from uuid import UUID

import pytest
from sqlalchemy import select

from billing.mails import outbox
from billing.mails.letters import Reader
from billing.mails.models import MailRow
from billing.mails.service import LATE, MailService
from billing.tax import Party
from core.db import Tx
from core.ids import CallId, QuestionId, RequestId, UserId, new_id
from core.mail import SmtpMailer
from matching.events import PromiseMissed
from tests.fakes.relay import Relay, in_process
from tests.integration.billing.room import Room
from tests.integration.billing.test_after_capture import account_of, hear_everything, paid_call, refund

ANNA = Reader("anna@example.com", "Anna Müller", "en", "Europe/London")
BEN = Reader("ben@example.com", "Ben", "de", "Europe/Berlin")


@dataclass
class Post:
    """The room, its mail service and the relay behind it."""

    room: Room
    relay: Relay
    mails: MailService
    readers: dict[UserId, Reader]

    async def sent(self) -> list[EmailMessage]:
        """Send what is due; every letter so far."""
        await self.mails.run_due(self.room.db)
        return self.relay.letters

    async def rows(self) -> list[MailRow]:
        """The outbox, oldest first."""
        async with self.room.db.begin() as tx:
            return list(await tx.session.scalars(select(MailRow).order_by(MailRow.noted_at, MailRow.key)))


@pytest.fixture
async def post(room: Room) -> AsyncIterator[Post]:
    readers = {room.customer: ANNA, room.consultant: BEN}

    async def reader(_tx: Tx, user: UserId, /) -> Reader | None:
        return readers.get(user)

    async with in_process() as relay:
        mailer = SmtpMailer(relay.url, "House <no-reply@example.com>", "https://example.com")
        mails = MailService(mailer=mailer, reader=reader, public_url="https://example.com")
        yield Post(room, relay, mails, readers)


def text_of(letter: EmailMessage) -> str:
    return letter.get_content().replace("\r\n", "\n")


async def test_a_receipt_says_what_was_booked_and_where_to_find_it(post: Post) -> None:
    call = await paid_call(post.room)
    charge = await post.room.charge(call)
    [letter] = await post.sent()
    assert (letter["To"], letter["Content-Language"]) == ("anna@example.com", "en")
    assert letter["Subject"] == f"Your receipt {charge.reference}: €16.50"
    said = text_of(letter)
    assert "Hello Anna Müller,\n\nyou paid €16.50 for 11:00 of connected time." in said
    assert f"Invoice {post.room.clock.now():%Y}-000001" in said
    assert "Net €13.87, VAT 19% €2.63\n" in said
    assert f"https://example.com/call/{call}/done" in said


async def test_a_receipt_without_tax_says_why_in_the_readers_language(post: Post) -> None:
    post.readers[post.room.customer] = BEN
    post.room.parties = {
        post.room.consultant: Party("DE", "DE136695976"),
        post.room.customer: Party("FR", "FR40303265045"),
    }
    await paid_call(post.room)
    [letter] = await post.sent()
    assert "Netto 16,50\u00a0€, USt (Reverse Charge) 0,00\u00a0€\nSteuerschuldnerschaft des" in text_of(letter)


async def test_a_call_that_cost_nothing_is_no_news(post: Post) -> None:
    await paid_call(post.room, 599_999)
    assert await post.sent() == []
    assert await post.rows() == []


async def test_a_refund_names_its_amount_and_its_credit_note(post: Post) -> None:
    await refund(post.room, await paid_call(post.room), 660)
    _, letter = await post.sent()
    assert letter["Subject"].endswith(": €6.60")
    assert f"Credit note {post.room.clock.now():%Y}-000002\n" in text_of(letter)


@pytest.mark.parametrize(
    ("locale", "paper"), [("en", "Note {}, without VAT\n"), ("de", "Beleg {}, ohne Umsatzsteuer\n")]
)
async def test_a_credit_names_its_amount_its_call_and_its_paper(post: Post, locale: str, paper: str) -> None:
    post.readers[post.room.customer] = replace(ANNA, locale=locale)
    async with post.room.db.begin() as tx:
        event = PromiseMissed(RequestId(new_id()), QuestionId(new_id()), post.room.customer, 200, "eur")
        await post.room.credits.on_promise_missed(tx, event)
    call = await paid_call(post.room)
    [letter] = [one for one in await post.sent() if "2.00" in one["Subject"].replace(",", ".")]
    assert (await post.room.charge(call)).reference in letter["Subject"]
    assert paper.format(f"{post.room.clock.now():%Y}-000002") in text_of(letter)


async def unpaid(room: Room, declines: int) -> CallId:
    await room.sandbox.misbehave("capture_expires", "payment_intents.capture")
    call = await room.open()
    await room.talk(call, 660_000)
    await room.sandbox.misbehave(
        "decline", "payment_intents.confirm", times=declines, decline_code="insufficient_funds"
    )
    await room.end(call)
    return call


async def test_a_failed_payment_says_what_to_do_and_in_the_end_that_it_was_given_up(post: Post) -> None:
    call = await unpaid(post.room, 5)
    assert await post.sent() == [], "it is tried once more at once; nobody is bothered before"
    for hours in (1, 23, 48, 96):
        post.room.clock.advance(timedelta(hours=hours, minutes=1))
        await post.room.work()
        await post.sent()
    first, last = post.relay.letters
    reference = (await post.room.charge(call)).reference
    assert first["Subject"] == f"A payment did not go through: {reference}, €16.50"
    assert "https://example.com/settings#payment" in text_of(first)
    assert "We also try again by ourselves, next on" in text_of(first)
    assert "we have tried since" in text_of(last)
    assert last["Subject"] == f"Still unpaid: {reference}, €16.50"
    assert [row.outcome for row in await post.rows()] == ["sent", "sent"]


async def test_who_paid_at_the_second_attempt_is_sent_the_receipt_alone(post: Post) -> None:
    await post.room.sandbox.misbehave("capture_expires", "payment_intents.capture")
    await paid_call(post.room)
    post.room.clock.advance(timedelta(minutes=5))
    [letter] = await post.sent()
    assert "Your receipt" in letter["Subject"]
    assert sorted(str(row.outcome) for row in await post.rows()) == ["moot", "sent"]


async def test_a_payout_that_came_back_tells_the_consultant_what_to_fix(post: Post) -> None:
    await paid_call(post.room)
    [payout] = await post.room.sandbox.pay_out(await account_of(post.room))
    await hear_everything(post.room)
    await post.room.sandbox.settle_payout(payout)
    await post.room.sandbox.fail_payout(payout)
    for _ in range(2):  # Stripe tells it more than once
        await hear_everything(post.room)
        await post.sent()
    _, letter = post.relay.letters
    assert (letter["To"], letter["Subject"]) == ("ben@example.com", "Eine Auszahlung kam zurück: 14,02\u00a0€")
    assert "das Konto sei geschlossen" in text_of(letter)


async def note_receipt(room: Room, charge_id: UUID) -> None:
    async with room.db.begin() as tx:
        await outbox.note(tx, outbox.Kind.RECEIPT, charge_id, room.customer)


async def test_a_fact_told_again_and_two_workers_make_one_letter(post: Post) -> None:
    charge = await post.room.charge(await paid_call(post.room))
    await note_receipt(post.room, charge.id)
    await asyncio.gather(*(post.mails.run_due(post.room.db) for _ in range(3)))
    await note_receipt(post.room, charge.id)
    assert len(await post.sent()) == 1


async def test_a_relay_that_is_away_is_asked_later_and_gets_the_same_letter(post: Post) -> None:
    await paid_call(post.room)
    await post.relay.close()
    assert await post.sent() == []
    [row] = await post.rows()
    assert (row.outcome, row.attempts) == (None, 1)
    await post.relay.open()
    assert await post.sent() == [], "not before its time"
    post.room.clock.advance(timedelta(seconds=31))
    [letter] = await post.sent()
    assert letter["Message-ID"].endswith("@example.com>")
    assert [(one.outcome, one.due_at) for one in await post.rows()] == [("sent", None)]


@pytest.mark.parametrize(("answer", "outcome"), [("550 nobody here", "refused"), ("451 later", None)])
async def test_what_the_relay_says_decides_whether_it_is_asked_again(
    post: Post, answer: str, outcome: str | None
) -> None:
    await paid_call(post.room)
    post.relay.answer = answer
    await post.sent()
    assert [row.outcome for row in await post.rows()] == [outcome]


async def test_old_news_and_letters_to_nobody_are_not_sent(post: Post) -> None:
    await paid_call(post.room)
    del post.readers[post.room.customer]
    await post.sent()
    post.readers[post.room.customer] = ANNA
    await paid_call(post.room)
    post.room.clock.advance(LATE + timedelta(seconds=1))
    assert await post.sent() == []
    assert [row.outcome for row in await post.rows()] == ["nobody", "late"]


async def test_a_letter_that_cannot_be_written_does_not_keep_the_others(post: Post) -> None:
    async with post.room.db.begin() as tx:
        await outbox.note(tx, outbox.Kind.REFUND, new_id(), post.room.customer)  # there is no such refund
    post.room.clock.advance(timedelta(seconds=1))
    await paid_call(post.room)
    with pytest.raises(AssertionError):
        await post.mails.run_due(post.room.db)
    [letter] = await post.sent()
    assert "Your receipt" in letter["Subject"]


async def test_neither_rows_nor_logs_know_a_name_or_an_address(post: Post, capsys: pytest.CaptureFixture[str]) -> None:
    await paid_call(post.room)
    post.relay.answer = "451 anna@example.com later"
    await post.sent()
    post.relay.answer = None
    post.room.clock.advance(timedelta(minutes=1))
    await post.sent()
    out, err = capsys.readouterr()
    columns = [column.name for column in MailRow.__table__.columns]
    rows = str([[getattr(row, name) for name in columns] for row in await post.rows()])
    assert "mail.closed" in out + err
    assert "mail.postponed" in out + err
    for word in ("anna@", "Müller", "Anna"):
        assert word not in out + err + rows


@pytest.mark.parametrize(
    "address",
    [
        "=?utf-8?q?victim?=@example.org",
        "=?utf-8?q?a=40example.org=2c_b?=@example.com",
        "=?utf-8?q?a=0abcc=3aa=40example.org?=@example.com",
    ],
)
async def test_an_address_that_decodes_to_others_is_never_written_to(post: Post, address: str) -> None:
    post.readers[post.room.customer] = replace(ANNA, email=address)
    await paid_call(post.room)
    assert await post.sent() == []
    assert [row.outcome for row in await post.rows()] == ["refused"]


async def test_letters_that_always_fail_leave_most_ticks_to_the_others(post: Post) -> None:
    async with post.room.db.begin() as tx:
        await outbox.note(tx, outbox.Kind.REFUND, new_id(), post.room.customer)  # there is no such refund
    tried = 0
    for _ in range(60):
        post.room.clock.advance(timedelta(minutes=1))
        try:
            await post.mails.run_due(post.room.db)
        except AssertionError:
            tried += 1
    [row] = await post.rows()
    assert tried == row.attempts
    assert 5 < tried < 15
