"""Each currency with its own decimals: in the books' text, in the checker's rules, in the sandbox; yen have none."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import spending
from billing.bills import Bill
from billing.finance import paper as charges_paper
from billing.finance.paper import PrintedCharge, printed_charges
from billing.finance.sheet import header, sheet
from billing.finance.store import Total
from billing.models import ChargeRow
from billing.payouts.statement import AccountStatement, Movement
from billing.payouts.statement import table as account_table
from billing.payouts.statement_paper import About, printed_statement
from billing.proof.pdf.layout import printed
from billing.proof.recompute import DECIMALS
from core.ids import UserId, new_id
from core.money import MINIMUM_CHARGE_MINOR, Currency, amount_text
from sandbox import money as sandbox_money
from tests.fakes.pdf_text import texts
from tests.fakes.receipts import SCRIPTS, signed

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
YEN = {"gross_minor": 1_234, "commission_minor": 185, "net_minor": 1_049, "refunded_minor": 0, "currency": "jpy"}


@given(st.sampled_from(Currency), st.integers(-(10**9), 10**9))
def test_an_amount_as_text_is_the_exact_number_of_its_currency(currency: Currency, minor: int) -> None:
    said = amount_text(minor, currency)
    assert Decimal(said).scaleb(currency.decimals) == minor
    assert len(said.partition(".")[2]) == currency.decimals


def test_who_writes_who_checks_and_who_plays_stripe_know_the_same_currencies() -> None:
    assert {currency: currency.decimals for currency in Currency} == DECIMALS
    assert {currency for currency in Currency if not currency.decimals} == sandbox_money.ZERO_DECIMAL
    assert {currency: sandbox_money.MINIMUM[currency] for currency in Currency} == MINIMUM_CHARGE_MINOR


def test_the_sandbox_writes_an_amount_with_its_currencys_decimals() -> None:
    assert (sandbox_money.written(4_505, "eur", ","), sandbox_money.written(4_505, "jpy", ",")) == (
        "45,05 EUR",
        "4505 JPY",
    )


def test_no_csv_gives_yen_decimals() -> None:
    figures = {**YEN, "reference": "CC-20260105-7KQ2", "connected_ms": 660_001, "state": "captured"}
    charge = ChargeRow(**figures, created_at=NOW, customer_id=new_id(), consultant_id=new_id(), billed_ms=660_001)
    [of_finance] = csv.DictReader(io.StringIO(header() + sheet([charge], {})))
    assert [of_finance[name] for name in ("gross", "commission", "net", "refunded")] == ["1234", "185", "1049", "0"]
    bill = Bill(
        **figures,
        call_id=new_id(),
        billed_at=NOW,
        ended_at=NOW,
        other_id=UserId(new_id()),
        paid_minor=1_234,
        credited_minor=0,
    )
    [of_customer] = csv.DictReader(io.StringIO(spending.header("customer") + spending.table("customer", [bill], {})))
    assert [of_customer[name] for name in ("connected_seconds", "price", "paid")] == ["660.001", "1234", "1234"]
    rows = list(csv.DictReader(io.StringIO(account_table([statement()], "UTC"))))
    assert [row["balance"] for row in rows] == ["-200", "849", "849"]
    assert [rows[1][name] for name in ("gross", "commission", "net", "paid_out")] == ["1234", "185", "1049", "0"]


def statement() -> AccountStatement:
    return AccountStatement("jpy", -200, [Movement(NOW, "capture", "CC-20260105-7KQ2", 1_234, 185, 1_049, 0)])


@pytest.mark.parametrize(("locale", "gross", "balance"), [("en", "1,234", "?200"), ("de", "1.234", "?200")])
def test_a_printed_statement_gives_yen_no_decimals(locale: str, gross: str, balance: str) -> None:
    said = texts(printed_statement([statement()], About("House", "Ben", "2026-01", locale, "UTC", NOW)))
    assert {"JPY", gross, balance, "185", "849"} <= set(said)


@pytest.mark.parametrize(("locale", "amount"), [("en", "?2,298"), ("de", "2.298 ?")])
def test_a_printed_receipt_gives_yen_no_decimals(locale: str, amount: str) -> None:
    assert amount in texts(printed(signed(SCRIPTS["yen"]), locale=locale, zone="Asia/Tokyo"))


def test_the_printed_list_of_charges_gives_yen_no_decimals() -> None:
    line = PrintedCharge("CC-20260105-7KQ2", NOW, "Anna", "Ben", 660_001, 660_001, **YEN, state="captured")
    about = charges_paper.About("House", "en", "Asia/Tokyo", NOW)
    said = texts(printed_charges([line], [Total("jpy", 1_234, 185, 1_049, 1)], about))
    assert {"1,234 JPY", "185", "1,049"} <= set(said)
    assert not any("." in text for text in said if "1,234" in text)
