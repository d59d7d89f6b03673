"""The tables of ``people``."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

TEXTS = postgresql.ARRAY(sa.Text)
TIME = sa.DateTime(timezone=True)


def _account(name: str = "user_id", **options: bool) -> sa.Column[sa.Uuid]:
    return sa.Column(name, sa.Uuid, sa.ForeignKey("account.id"), nullable=False, **options)


def upgrade() -> None:
    _accounts()
    _persons()
    _between_persons()


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("email", sa.Text, nullable=False, unique=True),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("roles", TEXTS, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("disabled_at", TIME),
        sa.CheckConstraint("email = lower(email)", name="email_lower"),
        sa.CheckConstraint("password_hash LIKE '$2b$%'", name="password_bcrypt"),
        sa.CheckConstraint("roles <@ ARRAY['customer','consultant','finance','admin']", name="roles_known"),
        sa.CheckConstraint("locale IN ('en','de')", name="locale_known"),
    )
    op.create_table(
        "token_family",
        sa.Column("id", sa.Uuid, primary_key=True),
        _account(index=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
        sa.Column("revoked_reason", sa.Text),
    )
    op.create_table(
        "refresh_token",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("family_id", sa.Uuid, sa.ForeignKey("token_family.id"), nullable=False, index=True),
        sa.Column("issued_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
    )


def _persons() -> None:
    op.create_table(
        "consent",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        _account(index=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("ip_hash", sa.Text),
        sa.CheckConstraint("document IN ('terms','privacy','consultant_agreement')", name="document_known"),
    )
    op.execute(
        "CREATE TRIGGER consent_append_only BEFORE UPDATE OR DELETE ON consent "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.create_table(
        "profile",
        _account(primary_key=True),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("biography", sa.Text, nullable=False),
        sa.Column("tags", TEXTS, nullable=False),
        sa.Column("rate_minor_per_hour", sa.Integer),
        sa.Column("currency", sa.Text),
        sa.Column("languages", TEXTS, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("can_receive", sa.Boolean, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("rate_minor_per_hour > 0", name="rate_positive"),
        sa.CheckConstraint("currency IN ('eur','usd','gbp','chf')", name="currency_known"),
    )


def _between_persons() -> None:
    op.create_table(
        "rating",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("call_id", sa.Uuid, nullable=False),
        _account("rater_id"),
        _account("ratee_id", index=True),
        sa.Column("stars", sa.Integer, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("call_id", "rater_id"),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name="stars_range"),
        sa.CheckConstraint("rater_id <> ratee_id", name="not_oneself"),
    )
    op.create_table(
        "block",
        _account("blocker_id", primary_key=True),
        _account("blocked_id", primary_key=True, index=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("blocker_id <> blocked_id", name="not_oneself"),
    )


def downgrade() -> None:
    for table in ("block", "rating", "profile", "consent", "refresh_token", "token_family", "account"):
        op.drop_table(table)
