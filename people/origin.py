"""The origin of a security-relevant action: from where, under which request, as the audit log keeps it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """``ip_hash`` is a keyed hash: equal addresses are recognisable, the address itself is not stored.

    ``operator`` is set when somebody acted on an account from the command line instead of its owner.
    """

    ip_hash: str | None = None
    request_id: str | None = None
    operator: str | None = None
