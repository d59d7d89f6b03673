"""VAT numbers: written in one way, refused where a digit is wrong or the country another."""

import pytest

from core.errors import Invalid
from people.countries import COUNTRIES
from people.vat_ids import normal_vat_id


@pytest.mark.parametrize(
    ("given", "country", "stored"),
    [
        ("de 136 695 976", "DE", "DE136695976"),
        ("ATU13585627", "AT", "ATU13585627"),
        ("FR 40 303 265 045", "FR", "FR40303265045"),
        ("EL 094259216", "GR", "EL094259216"),
        ("NL004495445B01", "NL", "NL004495445B01"),
        ("GB 980 7806 84", "GB", "GB980780684"),
        ("CHE-107.787.577 IVA", "CH", "CHE107787577IVA"),
    ],
)
def test_a_number_is_written_in_one_way(given: str, country: str, stored: str) -> None:
    assert normal_vat_id(given, country) == stored


@pytest.mark.parametrize(
    ("given", "country"),
    [
        ("DE136695977", "DE"),  # the check digit
        ("DE13669597", "DE"),
        ("136695976", "DE"),
        ("ATU13585627", "DE"),
        ("GR094259216", "GR"),  # Greece writes EL
        ("", "DE"),
        ("US123456789", "US"),
        ("XI123456789", "XI"),
        ("NO995525828MVA", "NO"),
        ("DE<script>", "DE"),
    ],
)
def test_what_is_no_number_of_the_country_is_refused_by_its_field(given: str, country: str) -> None:
    with pytest.raises(Invalid) as refused:
        normal_vat_id(given, country)
    assert refused.value.details == {"field": "vat_id"}


def test_the_countries_are_those_of_iso_3166() -> None:
    assert len(COUNTRIES) == 249
    assert {len(code) for code in COUNTRIES} == {2}
