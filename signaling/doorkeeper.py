"""The doorkeeper: proves an access token at the socket's door, with the same eyes as HTTP does."""

from datetime import UTC, datetime

from core.db import Database
from people.tokens import TokenService
from signaling.ports import Authenticate, Session


def doorkeeper(db: Database, tokens: TokenService) -> Authenticate:
    """The gateway's ``authenticate``: signature and time first, then whether family and account still live."""

    async def authenticate(token: str) -> Session:
        claims = tokens.read(token)
        async with db.begin() as tx:
            who = await tokens.principal(tx, claims)
        return Session(
            user_id=who.user_id,
            roles=who.roles,
            family_id=str(who.family_id),
            expires_at=datetime.fromtimestamp(claims.expires_at_s, UTC),
        )

    return authenticate
