"""VAT numbers: form and check digits (python-stdnum), in the one way they are written.

Whether a number is in use is a question to VIES, which is not asked.
"""

from stdnum.ch import vat as swiss
from stdnum.eu import vat as european
from stdnum.exceptions import ValidationError
from stdnum.gb import vat as british

from core.errors import Invalid

# Greece writes EL, Switzerland CHE.
_PREFIXES = {"GR": "EL"}


class NotAVatId(Invalid):
    """This is not a VAT number of this country; it begins with the letters of the country."""

    code = "vat_id_invalid"


class UnreadableVatId(Invalid):
    """We can read VAT numbers of the EU, Switzerland and the United Kingdom only."""

    code = "vat_id_unreadable"


def normal_vat_id(text: str, country: str) -> str:
    """A number of ``country`` without blanks, with its prefix; Invalid when it is none, or another country's."""
    try:
        return _checked("".join(text.split()).upper(), country)
    except ValidationError as error:
        raise NotAVatId(field="vat_id") from error


def _checked(given: str, country: str) -> str:
    prefix = _PREFIXES.get(country, country)
    if not given.startswith(prefix):
        raise NotAVatId(field="vat_id")
    if country == "CH":
        return str(swiss.validate(given))
    if country == "GB":
        return prefix + str(british.validate(given))
    if country.lower() not in european.MEMBER_STATES:
        raise UnreadableVatId(field="vat_id")
    return str(european.validate(given))
