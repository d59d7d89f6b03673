"""From Stripe's HTTP answers to our errors (billing.md, 'what an error means'); knows no SDK."""

from collections.abc import Mapping
from typing import Any

from billing.provider.errors import (
    ProviderBusy,
    ProviderDeclined,
    ProviderDisconnected,
    ProviderMissing,
    ProviderRejected,
    ProviderUnknown,
)
from core.errors import AppError

_BUSY = {409, 429}
_UNAUTHORIZED = 401
_MISSING = 404
_FORBIDDEN = 403
_DISCONNECTED = "account_invalid"  # docs.stripe.com/error-codes#account-invalid
_PAYMENT_REQUIRED = 402
_CLIENT_ERRORS = range(400, 500)


def meaning_of(status: int | None, body: object, headers: Mapping[str, str]) -> AppError:
    """What an answer that is not a success means; ``status`` is None when no answer came at all."""
    if status is None or status not in _CLIENT_ERRORS:  # 5xx, and a 2xx that could not be read
        replayed = any(name.lower() == "idempotent-replayed" and value == "true" for name, value in headers.items())
        return ProviderUnknown(replayed=replayed)
    error = _error_of(body)
    message = error.get("message")
    if status in _BUSY or _refuses_the_key(status, error.get("code")):
        return ProviderBusy(provider_code=error.get("code") or str(status))
    if status == _PAYMENT_REQUIRED or error.get("type") == "card_error":
        return ProviderDeclined(message, code=error.get("code"), decline_code=error.get("decline_code"))
    return _rejected(status)(
        message,
        provider_code=error.get("code") or error.get("type"),
        param=error.get("param"),
        request_id=next((value for name, value in headers.items() if name.lower() == "request-id"), None),
    )


def _refuses_the_key(status: int, code: object) -> bool:
    """Whether Stripe looked at our key only: it says nothing about what was asked, and a new key ends it."""
    return status == _UNAUTHORIZED or (status == _FORBIDDEN and code != _DISCONNECTED)


def _rejected(status: int) -> type[ProviderRejected]:
    if status == _FORBIDDEN:  # any other refuses the key
        return ProviderDisconnected
    return ProviderMissing if status == _MISSING else ProviderRejected


def _error_of(body: object) -> Mapping[str, Any]:
    if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping):
        return dict(body["error"])
    return {}
