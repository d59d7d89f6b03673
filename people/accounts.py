"""Accounts: register, log in, refresh, log out, change the password, hold roles.

Methods that take the ``Database`` instead of a transaction compute a password hash (a quarter of a second) between
two short transactions, or must commit what they found out before they refuse.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import audit
from core.db import Database, Tx
from core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from core.ids import UserId, new_id
from people import store
from people.consents import Agreement, ConsentService
from people.models import Account, Consent, Profile
from people.origin import Origin
from people.passwords import Passwords, check_length, check_strength
from people.principal import Principal
from people.profiles import ProfileService, check_display_name, check_time_zone
from people.roles import STAFF, Role
from people.tokens import Session, TokenService

# ASCII only: what two systems lower-case differently must not become two accounts.
# Not ``=?``: in a header that begins an encoded word (RFC 2047), which a mail program reads as something else.
_EMAIL = re.compile(r"(?!.*=\?)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z")
MAX_EMAIL = 254


class WrongCredentials(Unauthenticated):
    """This e-mail address and password do not belong together."""

    code = "wrong_credentials"


class WrongPassword(Forbidden):
    """This is not your current password."""

    code = "wrong_password"


@dataclass(frozen=True, slots=True)
class Registration:
    """What somebody sends to become a customer or a consultant."""

    email: str
    password: str
    role: Role
    display_name: str
    locale: str
    time_zone: str
    agreements: tuple[Agreement, ...]


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as its owner sees it."""

    user_id: UserId
    email: str
    display_name: str
    roles: tuple[str, ...]
    locale: str
    time_zone: str
    created_at: datetime
    consents: Sequence[Consent]


def normal_email(text: str) -> str:
    """The address in the one form it is stored in; Invalid when it is none."""
    email = text.strip().lower()
    if len(email) > MAX_EMAIL or not _EMAIL.match(email):
        raise Invalid("This is not an e-mail address.", field="email")
    return email


class AccountService:
    """The use cases around a log-in. Every one of them leaves an audit row."""

    def __init__(
        self, tokens: TokenService, profiles: ProfileService, consents: ConsentService, passwords: Passwords
    ) -> None:
        self._tokens = tokens
        self._profiles = profiles
        self._consents = consents
        self._passwords = passwords

    async def register(self, db: Database, wish: Registration, origin: Origin) -> None:
        """Open an account; when the address is taken nothing changes and nobody is told (a mail will come later)."""
        email = normal_email(wish.email)
        if wish.role in STAFF:
            raise Invalid("This role cannot be chosen.", field="role")
        check_strength(wish.password, email)
        check_display_name(wish.display_name)
        check_time_zone(wish.time_zone)
        self._consents.check(wish.agreements, wish.role)
        hashed = await self._passwords.hash(wish.password)  # before the look-up: both answers take as long
        async with db.begin() as tx:
            user = await self._enter(tx, email, hashed, wish, origin)
            if user is None:
                await self._pretend(tx, hashed, wish, origin)
                _note(tx, "account.register_taken", None, origin)
            elif wish.role is Role.CONSULTANT:
                await self._profiles.rename(tx, user)  # tells the others that a consultant exists

    async def _enter(self, tx: Tx, email: str, hashed: str, wish: Registration, origin: Origin) -> UserId | None:
        """Write everything a registration consists of; None when the address is taken."""
        user = await self._open(tx, email, hashed, [wish.role], wish.locale)
        if user is not None:
            await self._profiles.create(tx, user, display_name=wish.display_name, time_zone=wish.time_zone)
            for agreement in wish.agreements:
                await self._consents.give(tx, user, agreement, origin)
            _note(tx, "account.registered", user, origin, role=wish.role.value)
            await tx.session.flush()
        return user

    async def _pretend(self, tx: Tx, hashed: str, wish: Registration, origin: Origin) -> None:
        """Do the writing of a registration and take it back: a clock must not tell a taken address from a free one."""
        async with tx.session.begin_nested() as decoy:
            await self._enter(tx, f"{new_id().hex}@taken.invalid", hashed, wish, origin)
            await decoy.rollback()

    async def create_staff(
        self, db: Database, *, email: str, password: str, display_name: str, roles: Sequence[Role], origin: Origin
    ) -> UserId:
        """Open an account with any roles; for the command line tool and demo data."""
        email = normal_email(email)
        check_strength(password, email)
        hashed = await self._passwords.hash(password)
        async with db.begin() as tx:
            user = await self._open(tx, email, hashed, roles, "en")
            if user is None:
                raise Conflict("An account with this e-mail address exists already.")
            await self._profiles.create(tx, user, display_name=display_name, time_zone="UTC")
            _note(tx, "account.created", user, origin, roles=sorted(roles))
        return user

    async def login(self, db: Database, email: str, password: str, origin: Origin) -> Session:
        """Start a session. Unknown address, wrong password and disabled account look and last the same."""
        check_length(password)
        async with db.begin() as tx:
            found = await store.account_by_email(tx, email.strip().lower())
            usable = found is not None and found.disabled_at is None
            user = UserId(found.id) if found else None
            hashed = found.password_hash if found else None
        matches = await self._passwords.matches(password, hashed)
        async with db.begin() as tx:
            if matches and usable and user is not None:
                session = await self._tokens.open(tx, user)
                _note(tx, "account.login", user, origin, family=str(session.family_id))
                return session
            _note(tx, "account.login_failed", user, origin)
        raise WrongCredentials

    async def enter_demo(self, tx: Tx, email: str, origin: Origin) -> Session:
        """Start a session of a demo person without a password; the caller makes sure that this is the demo."""
        account = await store.account_by_email(tx, normal_email(email))
        if account is None or account.disabled_at is not None:
            raise NotFound("The demo data are not there. Start with ./run, which creates them.")
        session = await self._tokens.open(tx, UserId(account.id))
        _note(tx, "account.login", UserId(account.id), origin, family=str(session.family_id), demo=True)
        return session

    async def refresh(self, db: Database, refresh_token: str, origin: Origin) -> Session:
        """Exchange a refresh token; the revocation after a reuse is committed before the refusal."""
        async with db.begin() as tx:
            session = await self._tokens.rotate(tx, refresh_token, origin)
        if session is None:
            raise Unauthenticated("Your session is over. Sign in again.")
        return session

    async def logout(self, tx: Tx, refresh_token: str, origin: Origin) -> None:
        """End this session: both tokens and its sockets; unknown tokens are nothing to end."""
        user = await self._tokens.revoke_by_refresh_token(tx, refresh_token, "logout")
        if user is not None:
            _note(tx, "account.logout", user, origin)

    async def change_password(self, db: Database, who: Principal, current: str, new: str, origin: Origin) -> None:
        """Set another password; every other session of this person ends."""
        async with db.begin() as tx:
            account = await self._account(tx, who.user_id)
            email, hashed = account.email, account.password_hash
        if not await self._passwords.matches(current, hashed):
            async with db.begin() as tx:
                _note(tx, "account.password_refused", who.user_id, origin)
            raise WrongPassword
        check_strength(new, email)
        made = await self._passwords.hash(new)
        async with db.begin() as tx:
            account = await self._account(tx, who.user_id, lock=True)
            if account.password_hash != hashed:
                raise Conflict("The password was changed meanwhile. Try again.")
            account.password_hash = made
            ended = await self._tokens.revoke_all(tx, who.user_id, "password_changed", keep=who.family_id)
            _note(tx, "account.password_changed", who.user_id, origin, sessions_ended=ended)

    async def view(self, tx: Tx, user: UserId) -> AccountView:
        """The account as its owner sees it."""
        account = await self._account(tx, user)
        profile = await self._profile(tx, user)
        return AccountView(
            user_id=user,
            email=account.email,
            display_name=profile.display_name,
            roles=tuple(sorted(account.roles)),
            locale=account.locale,
            time_zone=profile.time_zone,
            created_at=account.created_at,
            consents=await self._consents.of(tx, user),
        )

    async def mailbox(self, tx: Tx, user: UserId) -> AccountView | None:
        """Where a person is written to; None when there is none, or the account may not be used any more."""
        account = await store.account(tx, user)
        return None if account is None or account.disabled_at is not None else await self.view(tx, user)

    async def update(
        self,
        tx: Tx,
        user: UserId,
        *,
        display_name: str | None = None,
        locale: str | None = None,
        time_zone: str | None = None,
    ) -> AccountView:
        """Change name, interface language or time zone; None leaves a value as it is."""
        if locale is not None:
            (await self._account(tx, user, lock=True)).locale = locale
        if display_name is not None or time_zone is not None:
            await self._profiles.rename(tx, user, display_name=display_name, time_zone=time_zone)
        await tx.session.flush()
        return await self.view(tx, user)

    async def set_role(self, tx: Tx, email: str, role: Role, *, granted: bool, origin: Origin) -> bool:
        """Grant or revoke a role; whether anything changed. It counts from the person's next request on."""
        found = await store.account_by_email(tx, normal_email(email))
        if found is None:
            raise NotFound("There is no account with this e-mail address.")
        account = await self._account(tx, UserId(found.id), lock=True)
        if (role in account.roles) == granted:
            return False
        account.roles = sorted({*account.roles, role.value} if granted else set(account.roles) - {role.value})
        action = "account.role_granted" if granted else "account.role_revoked"
        _note(tx, action, UserId(account.id), origin, role=role.value)
        await self._profiles.rename(tx, UserId(account.id))
        return True

    async def disable(self, tx: Tx, email: str, origin: Origin) -> None:
        """Close an account to its owner: no log-in, and every session ends now."""
        found = await store.account_by_email(tx, normal_email(email))
        if found is None:
            raise NotFound("There is no account with this e-mail address.")
        user = UserId(found.id)
        account = await self._account(tx, user, lock=True)
        account.disabled_at = tx.now
        await self._tokens.revoke_all(tx, user, "disabled")
        _note(tx, "account.disabled", user, origin)
        await self._profiles.rename(tx, user)

    async def _open(self, tx: Tx, email: str, hashed: str, roles: Sequence[Role], locale: str) -> UserId | None:
        account = Account(
            id=new_id(),
            email=email,
            password_hash=hashed,
            roles=sorted(role.value for role in roles),
            locale=locale,
            created_at=tx.now,
        )
        return UserId(account.id) if await store.add_account(tx, account) else None

    async def _account(self, tx: Tx, user: UserId, *, lock: bool = False) -> Account:
        account = await store.account(tx, user, lock=lock)
        if account is None:
            raise NotFound
        return account

    async def _profile(self, tx: Tx, user: UserId) -> Profile:
        profile = await store.profile(tx, user)
        if profile is None:
            raise NotFound
        return profile


def _note(tx: Tx, action: str, user: UUID | None, origin: Origin, **details: object) -> None:
    """An audit row about an account; an unknown one has no name here."""
    by = {} if origin.operator is None else {"operator": origin.operator}
    audit.record(
        tx,
        action,
        subject=f"account:{user or 'unknown'}",
        actor=None if origin.operator else user,
        ip_hash=origin.ip_hash,
        request_id=origin.request_id,
        **details,
        **by,
    )
