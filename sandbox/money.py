"""Amounts: currencies, minimum charges and the processing fee the sandbox takes."""

from sandbox.errors import invalid

# docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
MINIMUM = {"eur": 50, "usd": 50, "gbp": 30, "chf": 50, "jpy": 50, "sek": 300, "dkk": 250, "pln": 200}
MAXIMUM = 99_999_999
ZERO_DECIMAL = {"jpy"}  # docs.stripe.com/currencies#zero-decimal: an amount is the currency's own unit, not a hundredth
_FEE_BPS, _FEE_FIXED = 150, 25  # 1.5 % + 0.25, the price list's European cards


def currency(given: object) -> str:
    """A supported currency, in lower case."""
    code = str(given).lower()
    if code not in MINIMUM:
        raise invalid(f"Invalid currency: {code}.", "currency")
    return code


def chargeable(amount: int | None, code: str, param: str) -> int:
    """An amount that may be charged: a positive integer between the currency's minimum and Stripe's maximum."""
    if amount is None or amount < 1:
        raise invalid("This value must be greater than or equal to 1.", param, "parameter_invalid_integer")
    if amount < MINIMUM[code]:
        raise invalid(f"Amount must be at least {MINIMUM[code]} {code}", param, "amount_too_small")
    if amount > MAXIMUM:
        raise invalid(f"Amount must be no more than {MAXIMUM} {code}", param, "amount_too_large")
    return amount


def written(amount: int, code: str, mark: str) -> str:
    """An amount as people read it, with its decimal ``mark``: 1650 → ``16.50 EUR``, ``1650 JPY``."""
    whole, cents = divmod(amount, 100)
    return f"{amount} {code.upper()}" if code in ZERO_DECIMAL else f"{whole}{mark}{cents:02d} {code.upper()}"


def processing_fee(amount: int) -> int:
    """Stripe's fee on a captured charge, rounded half up."""
    return (amount * _FEE_BPS + 5_000) // 10_000 + _FEE_FIXED


def part(whole: int, numerator: int, denominator: int) -> int:
    """``whole * numerator / denominator``, rounded half up."""
    return (whole * numerator * 2 + denominator) // (denominator * 2)
