"""The errors a room may raise. Only ``web`` and the socket gateway turn them into wire answers."""

from typing import Any


class AppError(Exception):
    """Something we understand went wrong. The docstring of the subclass is the default message."""

    code = "error"

    def __init__(self, message: str | None = None, *, code: str | None = None, **details: Any) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.code = code or type(self).code
        self.details = details
        super().__init__(self.message)


class NotFound(AppError):
    """There is nothing here, or it is not yours to see."""

    code = "not_found"


class Conflict(AppError):
    """Somebody or something was faster; look again and decide anew."""

    code = "conflict"


class Refused(AppError):
    """This cannot be done as asked."""

    code = "refused"


class Invalid(AppError):
    """The input does not have the form this needs."""

    code = "invalid"


class Unauthenticated(AppError):
    """Please sign in."""

    code = "unauthenticated"


class Forbidden(AppError):
    """Your account may not do this."""

    code = "forbidden"


class TooMany(AppError):
    """Too many attempts; wait a little."""

    code = "too_many_requests"

    def __init__(self, retry_after_s: int, message: str | None = None) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class IllegalMove(Conflict):
    """This move is not possible in the present state."""

    code = "illegal_move"


class Upstream(AppError):
    """A service we depend on did not answer."""

    code = "upstream"

    def __init__(self, message: str | None = None, *, retryable: bool = True, **details: Any) -> None:
        super().__init__(message, **details)
        self.retryable = retryable
