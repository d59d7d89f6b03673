"""The principal: a signed-in person as the edges know them, with the roles they have right now."""

from dataclasses import dataclass
from uuid import UUID

from core.ids import UserId


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: proven by an access token whose family is not revoked and whose account is not disabled."""

    user_id: UserId
    family_id: UUID
    roles: frozenset[str]
    display_name: str
