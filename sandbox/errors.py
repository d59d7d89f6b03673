"""Stripe's error bodies (docs.stripe.com/api/errors)."""

from typing import Any


class ApiError(Exception):
    """An answer that is not a success: HTTP status and the body's ``error`` object."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        decline_code: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        named = {"code": code, "decline_code": decline_code, "param": param}
        self.body: dict[str, Any] = {"type": kind, "message": message, **more}
        self.body.update({name: value for name, value in named.items() if value is not None})
        if code is not None:
            self.body["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"


def missing(noun: str, object_id: str, param: str = "id", *, status: int = 404) -> ApiError:
    """Stripe's sentence for an id it does not know (404 in the path, 400 in a parameter)."""
    return ApiError(status, f"No such {noun}: '{object_id}'", code="resource_missing", param=param)


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """A parameter's value is wrong."""
    return ApiError(400, message, code=code, param=param)
