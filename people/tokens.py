"""Tokens: short access tokens that name a family, and single-use refresh tokens that keep the family alive.

A browser with several tabs must refresh in one of them at a time (``navigator.locks``): there is no grace for a
refresh token that comes twice, because to the server a second tab and a thief look the same.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from core import audit
from core.clock import Clock
from core.db import Tx
from core.errors import Unauthenticated
from core.ids import UserId, new_id
from people import store
from people.events import AccessRevoked
from people.models import RefreshToken, TokenFamily
from people.origin import Origin
from people.principal import Principal

ALGORITHM = "HS256"
AUDIENCE = "consultant-connect"
TYPE = "access"
ACCESS_LIFE = timedelta(minutes=10)
REFRESH_LIFE = timedelta(days=30)
FAMILY_LIFE = timedelta(days=90)
LEEWAY = timedelta(seconds=5)  # clocks of two machines of ours
REQUIRED = ["sub", "fam", "typ", "aud", "exp", "iat", "jti"]


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a valid access token says. Only the database knows whether its family still lives."""

    user_id: UserId
    family_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """What a log-in or a refresh hands out."""

    user_id: UserId
    family_id: UUID
    access_token: str
    expires_in_s: int
    refresh_token: str
    csrf_token: str
    refresh_expires_at: datetime


class TokenService:
    """Issues, reads, rotates and revokes."""

    def __init__(self, secret_key: str, clock: Clock) -> None:
        self._clock = clock
        self._access_key = _derive(secret_key, "access token")
        self._csrf_key = _derive(secret_key, "csrf token")

    async def authenticate(self, tx: Tx, token: str) -> Principal:
        """Who holds this access token; Unauthenticated when forged, expired, revoked or disabled."""
        return await self.principal(tx, self.read(token))

    def read(self, token: str) -> AccessClaims:
        """Check signature, type, audience and time, without the database."""
        try:
            claims = jwt.decode(
                token,
                self._access_key,
                algorithms=[ALGORITHM],  # never the token's own choice; jku, jwk and x5u are not looked at
                audience=AUDIENCE,
                # Time is checked below against our clock, not the machine's.
                options={"require": REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
            return self._checked(claims)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            raise Unauthenticated("Your session is not valid any more. Sign in again.") from None

    def _checked(self, claims: dict[str, Any]) -> AccessClaims:
        now_s = self._clock.now().timestamp()
        issued, expires = claims["iat"], claims["exp"]
        if claims["typ"] != TYPE or type(issued) is not int or type(expires) is not int:
            raise ValueError("not an access token of ours")
        if not issued - LEEWAY.total_seconds() <= now_s < expires:
            raise ValueError("outside its time")
        return AccessClaims(UserId(UUID(claims["sub"])), UUID(claims["fam"]), datetime.fromtimestamp(expires, UTC))

    async def principal(self, tx: Tx, claims: AccessClaims) -> Principal:
        """The person behind checked claims, with the roles of this moment; one query."""
        found = await store.principal(tx, claims.user_id, claims.family_id)
        if found is None:
            raise Unauthenticated("You have been signed out. Sign in again.")
        return found

    async def open(self, tx: Tx, user: UserId) -> Session:
        """Start a family: one log-in on one device."""
        family = TokenFamily(id=new_id(), user_id=user, created_at=tx.now, expires_at=tx.now + FAMILY_LIFE)
        tx.session.add(family)
        await tx.session.flush()
        return self._issue(tx, family)

    async def rotate(self, tx: Tx, refresh_token: str, origin: Origin) -> Session | None:
        """Exchange a refresh token for a new session; None when it is not worth one.

        A token that was used before revokes its whole family. The caller must commit in either case, and only
        then refuse: an exception here would roll the revocation back.
        """
        token = await store.lock_refresh_token(tx, hash_of(refresh_token))
        if token is None:
            return None
        family = await store.lock_family(tx, token.family_id)
        if family.revoked_at is not None or await store.is_disabled(tx, UserId(family.user_id)):
            return None
        if token.used_at is not None:
            await self._revoke(tx, family, "refresh_token_reused")
            audit.record(
                tx,
                "token.reused",
                subject=f"account:{family.user_id}",
                actor=None,
                ip_hash=origin.ip_hash,
                request_id=origin.request_id,
                family=str(family.id),
            )
            return None
        if token.expires_at <= tx.now:
            return None
        token.used_at = tx.now
        return self._issue(tx, family)

    async def revoke_by_refresh_token(self, tx: Tx, refresh_token: str, reason: str) -> UserId | None:
        """End the family of this refresh token, used or not; None when there was nothing to end."""
        token = await store.lock_refresh_token(tx, hash_of(refresh_token))
        if token is None:
            return None
        family = await store.lock_family(tx, token.family_id)
        if family.revoked_at is not None:
            return None
        await self._revoke(tx, family, reason)
        return UserId(family.user_id)

    async def revoke_all(self, tx: Tx, user: UserId, reason: str, *, keep: UUID | None = None) -> int:
        """End every family of ``user`` except ``keep``; how many ended."""
        families = await store.lock_living_families(tx, user)
        ended = [family for family in families if family.id != keep]
        for family in ended:
            await self._revoke(tx, family, reason)
        return len(ended)

    def csrf_token(self, refresh_token: str) -> str:
        """The token a page must repeat in a header: bound to the cookie, so that neither can be planted alone."""
        return hmac.new(self._csrf_key, refresh_token.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()

    async def _revoke(self, tx: Tx, family: TokenFamily, reason: str) -> None:
        family.revoked_at = tx.now
        family.revoked_reason = reason
        await tx.publish(AccessRevoked(user_id=UserId(family.user_id), family_id=str(family.id), reason=reason))

    def _issue(self, tx: Tx, family: TokenFamily) -> Session:
        raw = secrets.token_urlsafe(32)
        expires_at = min(tx.now + REFRESH_LIFE, family.expires_at)
        tx.session.add(RefreshToken(hash=hash_of(raw), family_id=family.id, issued_at=tx.now, expires_at=expires_at))
        issued_s = int(tx.now.timestamp())
        life_s = int(ACCESS_LIFE.total_seconds())
        claims = {
            "sub": str(family.user_id),
            "fam": str(family.id),
            "typ": TYPE,
            "aud": AUDIENCE,
            "iat": issued_s,
            "exp": issued_s + life_s,
            "jti": secrets.token_urlsafe(12),
        }
        access = jwt.encode(claims, self._access_key, algorithm=ALGORITHM)
        return Session(UserId(family.user_id), family.id, access, life_s, raw, self.csrf_token(raw), expires_at)


def hash_of(refresh_token: str) -> bytes:
    """How a refresh token is stored; 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(refresh_token.encode(errors="surrogateescape")).digest()


def _derive(secret_key: str, purpose: str) -> bytes:
    """A key per purpose, so that what one of them signs means nothing to the other."""
    return hmac.new(secret_key.encode(), purpose.encode(), hashlib.sha256).digest()
