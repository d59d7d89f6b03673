"""The statement of a month: it sums to the books, to Stripe's balance, and to what the earnings say."""

import csv
import io
from datetime import timedelta

import pytest

from billing import bills
from billing.ledger import entries
from billing.payouts import statement
from billing.payouts.statement import AccountStatement
from billing.payouts.statement_paper import WORDS, About, printed_statement
from billing.periods import of_month
from core.ids import UserId, new_id
from tests.fakes.pdf_text import texts
from tests.integration.billing.room import Room
from tests.integration.billing.test_after_capture import account_of, hear_everything, paid_call, refund

ZONE = "Europe/Berlin"


async def of(room: Room, month: str) -> list[AccountStatement]:
    async with room.db.begin() as tx:
        return await statement.of_period(tx, room.consultant, of_month(month, ZONE))


async def test_a_month_sums_to_the_earnings_the_books_and_stripe(room: Room) -> None:
    month = f"{room.clock.now():%Y-%m}"
    await paid_call(room)
    call = await paid_call(room, 720_000)
    await refund(room, call, 500)
    [payout] = await room.sandbox.pay_out(await account_of(room))
    await hear_everything(room)
    await paid_call(room, 660_000)
    [found] = await of(room, month)
    async with room.db.begin() as tx:
        [earned] = await bills.totals(tx, "consultant", room.consultant, of_month(month, ZONE))
    calls = [one for one in found.movements if one.kind == "capture"]
    assert sum(one.gross_minor for one in calls) == earned.gross_minor == 1_650 + 1_800 + 1_650
    assert sum(one.commission_minor for one in calls) == earned.commission_minor
    assert sum(one.net_minor for one in calls) == earned.net_minor
    [back] = [one for one in found.movements if one.kind == "refund"]
    assert (back.gross_minor, back.reference) == (-earned.refunded_minor, (await room.charge(call)).reference)
    [paid] = [one for one in found.movements if one.kind == "payout"]
    assert (paid.reference, paid.net_minor) == (payout, 0)
    theirs = await room.gateway.balance(account_id=await account_of(room))
    assert found.before_minor == 0
    assert found.after_minor == (await room.balances())[entries.connected_balance(room.consultant)] == theirs["eur"]


async def test_what_one_month_leaves_the_next_begins_with_even_below_zero(room: Room) -> None:
    call = await paid_call(room)
    first = f"{room.clock.now():%Y-%m}"
    await room.sandbox.pay_out(await account_of(room))
    await hear_everything(room)
    room.clock.advance(timedelta(days=31))
    await refund(room, call, 660)
    second = f"{room.clock.now():%Y-%m}"
    [before], [after] = await of(room, first), await of(room, second)
    assert (before.after_minor, after.before_minor, after.after_minor) == (0, 0, -561)
    room.clock.advance(timedelta(days=31))
    [quiet] = await of(room, f"{room.clock.now():%Y-%m}")
    assert (quiet.before_minor, quiet.movements, quiet.after_minor) == (-561, [], -561)


async def test_the_file_adds_up_line_by_line_and_belongs_to_one_consultant(room: Room) -> None:
    await refund(room, await paid_call(room), 660)
    month = f"{room.clock.now():%Y-%m}"
    rows = list(csv.DictReader(io.StringIO(statement.table(await of(room, month), ZONE))))
    assert [row["what"] for row in rows] == [statement.BEFORE, "capture", "refund", statement.AFTER]
    assert [row["balance"] for row in rows] == ["0.00", "14.02", "8.41", "8.41"]
    assert [rows[2][name] for name in ("gross", "commission", "net")] == ["-6.60", "-0.99", "-5.61"]
    assert [rows[3][name] for name in ("gross", "commission", "net", "paid_out")] == ["9.90", "1.49", "8.41", "0.00"]
    async with room.db.begin() as tx:
        assert await statement.of_period(tx, UserId(new_id()), of_month(month, ZONE)) == []


@pytest.mark.parametrize("locale", ["en", "de"])
async def test_the_paper_says_what_the_file_says_to_the_cent(room: Room, locale: str) -> None:
    await refund(room, await paid_call(room), 660)
    await paid_call(room, 3_600_000)
    await room.sandbox.pay_out(await account_of(room))
    await hear_everything(room)
    month = f"{room.clock.now():%Y-%m}"
    accounts = await of(room, month)
    about = About("House", "Ben", month, locale, ZONE, room.clock.now())
    words, said = WORDS[locale], texts(printed_statement(accounts, about))
    lines = said[said.index(shown(words["before"])) :]
    for row in csv.DictReader(io.StringIO(statement.table(accounts, ZONE))):
        name = {statement.BEFORE: "before", statement.AFTER: "after"}.get(row["what"], row["what"])
        lines = lines[lines.index(shown(words[name])) + 1 :]
        amounts = [row[column] for column in ("gross", "commission", "net", "paid_out")]
        if name != "after":
            amounts = [amount for amount in amounts if amount not in {"", "0.00"}]
        expected = [*filter(None, [row["reference"]]), *amounts, row["balance"]]
        assert [one if one == row["reference"] else plain(one, locale) for one in lines[: len(expected)]] == expected


def shown(text: str) -> str:
    """A word as it is read from the paper."""
    return text.encode("ascii", "replace").decode()


def plain(text: str, locale: str) -> str:
    """An amount of the paper as the file writes it; a minus is no ASCII letter."""
    bare = text.replace(".", "").replace(",", ".") if locale == "de" else text.replace(",", "")
    return bare.replace("?", "-", 1) if bare.startswith("?") else bare


async def test_a_consultant_without_any_movement_gets_a_paper_that_says_so(room: Room) -> None:
    about = About("House", "Ben", "2026-01", "en", ZONE, room.clock.now())
    assert "Nothing has ever moved on this account." in texts(printed_statement([], about))


def test_both_languages_of_the_paper_say_everything() -> None:
    assert set(WORDS["en"]) == set(WORDS["de"])
