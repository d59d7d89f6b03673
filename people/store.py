"""Every query of ``people``."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from core.db import Tx
from core.ids import UserId
from people.models import (
    Account,
    BillingDetailsRow,
    Block,
    Consent,
    Profile,
    Rating,
    RefreshToken,
    TokenFamily,
)
from people.principal import Principal


async def principal(tx: Tx, user: UserId, family: UUID) -> Principal | None:
    """The signed-in person, if the family lives and the account is not disabled."""
    row = (
        await tx.session.execute(
            select(Account.roles, Profile.display_name)
            .select_from(TokenFamily)
            .join(Account, Account.id == TokenFamily.user_id)
            .join(Profile, Profile.user_id == Account.id)
            .where(
                TokenFamily.id == family,
                TokenFamily.user_id == user,
                TokenFamily.revoked_at.is_(None),
                TokenFamily.expires_at > tx.now,
                Account.disabled_at.is_(None),
            )
        )
    ).one_or_none()
    return Principal(user, family, frozenset(row.roles), row.display_name) if row else None


async def add_account(tx: Tx, account: Account) -> bool:
    """Insert the account; False when the address is taken (without saying so by an error)."""
    added = await tx.session.scalar(
        insert(Account)
        .values(
            id=account.id,
            email=account.email,
            password_hash=account.password_hash,
            roles=account.roles,
            locale=account.locale,
            created_at=account.created_at,
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(Account.id)
    )
    return added is not None


async def account_by_email(tx: Tx, email: str) -> Account | None:
    """The account of an address (lower-cased by the caller)."""
    found: Account | None = await tx.session.scalar(select(Account).where(Account.email == email))
    return found


async def account(tx: Tx, user: UserId, *, lock: bool = False) -> Account | None:
    """The account of a person, locked when it is about to change."""
    return await tx.session.get(Account, user, with_for_update=lock or None)


async def is_disabled(tx: Tx, user: UserId) -> bool:
    """Whether the account may not be used."""
    return await tx.session.scalar(select(Account.disabled_at).where(Account.id == user)) is not None


async def lock_refresh_token(tx: Tx, hashed: bytes) -> RefreshToken | None:
    """The refresh token with this hash, locked: of two that bring it, one waits and then sees it used."""
    found: RefreshToken | None = await tx.session.scalar(
        select(RefreshToken).where(RefreshToken.hash == hashed).with_for_update()
    )
    return found


async def lock_family(tx: Tx, family: UUID) -> TokenFamily:
    """The family, locked."""
    return (
        await tx.session.execute(select(TokenFamily).where(TokenFamily.id == family).with_for_update())
    ).scalar_one()


async def lock_living_families(tx: Tx, user: UserId) -> Sequence[TokenFamily]:
    """Every family of the user that is not revoked, locked in a stable order."""
    return (
        await tx.session.scalars(
            select(TokenFamily)
            .where(TokenFamily.user_id == user, TokenFamily.revoked_at.is_(None))
            .order_by(TokenFamily.id)
            .with_for_update()
        )
    ).all()


async def profile(tx: Tx, user: UserId, *, lock: bool = False) -> Profile | None:
    """The profile of a person."""
    return await tx.session.get(Profile, user, with_for_update=lock or None)


async def billing_details(tx: Tx, user: UserId) -> BillingDetailsRow | None:
    """Where a person is taxed; None when they never said."""
    return await tx.session.get(BillingDetailsRow, user)


async def put_billing_details(tx: Tx, row: BillingDetailsRow) -> None:
    """Write the row of a person, whether or not there was one; of two at once the later one stays."""
    columns = ("country", "vat_id", "small_business", "name", "address", "updated_at")
    values = {name: getattr(row, name) for name in columns}
    await tx.session.execute(
        insert(BillingDetailsRow)
        .values(user_id=row.user_id, **values)
        .on_conflict_do_update(index_elements=["user_id"], set_=values)
    )


async def consultants_called(tx: Tx, name: str, *, limit: int) -> list[UserId]:
    """Consultants whose display name contains this, in any case, in alphabetical order."""
    query = select(Profile.user_id).join(Account, Account.id == Profile.user_id)
    query = query.where(Account.roles.contains(["consultant"]), Profile.display_name.icontains(name, autoescape=True))
    found = await tx.session.scalars(query.order_by(Profile.display_name, Profile.user_id).limit(limit))
    return [UserId(user) for user in found]


async def called(tx: Tx, name: str) -> list[UserId]:
    """Everybody whose display name contains this, in any case."""
    query = select(Profile.user_id).where(Profile.display_name.icontains(name, autoescape=True))
    return [UserId(user) for user in await tx.session.scalars(query)]


async def display_names(tx: Tx, users: Iterable[UserId]) -> dict[UserId, str]:
    """Display names; an unknown id is simply absent."""
    rows = await tx.session.execute(
        select(Profile.user_id, Profile.display_name).where(Profile.user_id.in_(set(users)))
    )
    return {UserId(row.user_id): row.display_name for row in rows}


async def consultant_ids(tx: Tx) -> list[UserId]:
    """Every living account with the role consultant."""
    rows = await tx.session.scalars(
        select(Account.id).where(Account.roles.contains(["consultant"]), Account.disabled_at.is_(None))
    )
    return [UserId(row) for row in rows]


async def consents(tx: Tx, user: UserId) -> Sequence[Consent]:
    """What the person agreed to, oldest first."""
    return (await tx.session.scalars(select(Consent).where(Consent.user_id == user).order_by(Consent.id))).all()


async def add_rating(tx: Tx, rating: Rating) -> bool:
    """Insert a rating; False when this rater already rated this call."""
    added = await tx.session.scalar(
        insert(Rating)
        .values(
            id=rating.id,
            call_id=rating.call_id,
            rater_id=rating.rater_id,
            ratee_id=rating.ratee_id,
            stars=rating.stars,
            comment=rating.comment,
            created_at=rating.created_at,
        )
        .on_conflict_do_nothing(index_elements=["call_id", "rater_id"])
        .returning(Rating.id)
    )
    return added is not None


async def rating_totals(tx: Tx, user: UserId) -> tuple[int, int]:
    """How many ratings a person received, and the sum of their stars."""
    row = (
        await tx.session.execute(
            select(func.count(), func.coalesce(func.sum(Rating.stars), 0)).where(Rating.ratee_id == user)
        )
    ).one()
    return int(row[0]), int(row[1])


async def add_block(tx: Tx, blocker: UserId, blocked: UserId, at: datetime) -> bool:
    """Insert a block; False when it stood already."""
    added = await tx.session.scalar(
        insert(Block)
        .values(blocker_id=blocker, blocked_id=blocked, created_at=at)
        .on_conflict_do_nothing()
        .returning(Block.blocked_id)
    )
    return added is not None


async def blocked_with(tx: Tx, user: UserId) -> set[UserId]:
    """Everyone whom this person blocked or who blocked this person."""
    rows = await tx.session.execute(
        select(Block.blocker_id, Block.blocked_id).where((Block.blocker_id == user) | (Block.blocked_id == user))
    )
    return {UserId(row.blocked_id if row.blocker_id == user else row.blocker_id) for row in rows}
