"""The tables of ``people``: everything personal, so that export and erasure have one place to look."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Account(Base):
    """A log-in: address, password hash, roles. The address is stored lower-cased."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("password_hash LIKE '$2b$%'", name="password_bcrypt"),
        CheckConstraint("roles <@ ARRAY['customer','consultant','finance','admin']", name="roles_known"),
        CheckConstraint("locale IN ('en','de')", name="locale_known"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    locale: Mapped[str]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class TokenFamily(Base):
    """One log-in on one device. Access tokens name their family and die with it."""

    __tablename__ = "token_family"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None]


class RefreshToken(Base):
    """One refresh token, known by its hash only. Used once; seen twice, it betrays its family."""

    __tablename__ = "refresh_token"

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    family_id: Mapped[UUID] = mapped_column(ForeignKey("token_family.id"), index=True)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Consent(Base):
    """Who agreed to which version of which document, when. The database refuses UPDATE and DELETE."""

    __tablename__ = "consent"
    __table_args__ = (CheckConstraint("document IN ('terms','privacy','consultant_agreement')", name="document_known"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    document: Mapped[str]
    version: Mapped[str]
    at: Mapped[datetime]
    ip_hash: Mapped[str | None]


class Profile(Base):
    """How a person appears to others. The consultant's fields stay empty for everyone else."""

    __tablename__ = "profile"
    __table_args__ = (
        CheckConstraint("rate_minor_per_hour > 0", name="rate_positive"),
        CheckConstraint("currency IN ('eur','usd','gbp','chf','jpy')", name="currency_known"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    display_name: Mapped[str]
    headline: Mapped[str]
    biography: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    rate_minor_per_hour: Mapped[int | None]
    currency: Mapped[str | None]
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text))
    time_zone: Mapped[str]
    can_receive: Mapped[bool]
    updated_at: Mapped[datetime]


class BillingDetailsRow(Base):
    """Where a person is taxed, as they stated it themselves; a person who never did has no row."""

    __tablename__ = "billing_details"
    __table_args__ = (CheckConstraint("country ~ '^[A-Z]{2}$'", name="country_code"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    country: Mapped[str]
    vat_id: Mapped[str | None]
    small_business: Mapped[bool]
    name: Mapped[str | None]
    address: Mapped[str | None]
    updated_at: Mapped[datetime]


class Rating(Base):
    """One side's stars for the other side of one call."""

    __tablename__ = "rating"
    __table_args__ = (
        UniqueConstraint("call_id", "rater_id"),
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars_range"),
        CheckConstraint("rater_id <> ratee_id", name="not_oneself"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_id: Mapped[UUID]
    rater_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    ratee_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    stars: Mapped[int]
    comment: Mapped[str]
    created_at: Mapped[datetime]


class Block(Base):
    """These two are never matched again."""

    __tablename__ = "block"
    __table_args__ = (CheckConstraint("blocker_id <> blocked_id", name="not_oneself"),)

    blocker_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    blocked_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)
    created_at: Mapped[datetime]
