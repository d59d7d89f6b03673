"""VAT numbers, PURE: form and check digits (python-stdnum), in the one way they are written.

Whether a number is in use is a question to VIES, which is not asked.
"""

from stdnum.ch import vat as swiss
from stdnum.eu import vat as european
from stdnum.exceptions import ValidationError
from stdnum.gb import vat as british

from core.errors import Invalid

# Greece writes EL, Switzerland CHE.
_PREFIXES = {"GR": "EL"}


def normal_vat_id(text: str, country: str) -> str:
    """A number of ``country`` without blanks, with its prefix; Invalid when it is none, or another country's."""
    try:
        return _checked("".join(text.split()).upper(), country)
    except ValidationError as error:
        raise Invalid("This is not a VAT number of this country.", field="vat_id") from error


def _checked(given: str, country: str) -> str:
    prefix = _PREFIXES.get(country, country)
    if not given.startswith(prefix) or country == "XI":
        raise Invalid("A VAT number begins with the letters of its country.", field="vat_id")
    if country == "CH":
        return str(swiss.validate(given))
    if country == "GB":
        return prefix + str(british.validate(given))
    if country.lower() in european.MEMBER_STATES:
        return str(european.validate(given))
    raise Invalid("We can read VAT numbers of the EU, Switzerland and the United Kingdom only.", field="vat_id")
