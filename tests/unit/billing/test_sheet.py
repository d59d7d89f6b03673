"""The CSV never runs in a spreadsheet, and its figures are exact."""

import csv
import io
from datetime import UTC, datetime

import pytest

from billing.finance.sheet import header, safe, sheet
from billing.models import ChargeRow
from core.ids import UserId, new_id


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =cmd|' /C calc'!A0", "＝1"])  # noqa: RUF001
def test_what_looks_like_a_formula_is_disarmed(text: str) -> None:
    assert safe(text) == f"'{text}"


def test_names_and_figures_survive_the_round_trip() -> None:
    customer, consultant = UserId(new_id()), UserId(new_id())
    row = ChargeRow(
        reference="CC-20260105-7KQ2",
        created_at=datetime(2026, 1, 5, 9, 0, tzinfo=UTC),
        customer_id=customer,
        consultant_id=consultant,
        connected_ms=660_001,
        billed_ms=660_001,
        gross_minor=1_650,
        commission_minor=248,
        net_minor=1_402,
        currency="eur",
        state="captured",
    )
    written = header() + sheet([row], {customer: '=HYPERLINK("x")', consultant: 'Ben, "the" Builder'})
    [_, cells] = list(csv.reader(io.StringIO(written)))
    assert cells[2:] == [
        '\'=HYPERLINK("x")',
        'Ben, "the" Builder',
        "660.001",
        "660.001",
        "16.50",
        "2.48",
        "14.02",
        "0.00",
        "EUR",
        "captured",
    ]
