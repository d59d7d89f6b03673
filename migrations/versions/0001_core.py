"""The floor: feed versions, the append-only audit log, and the job queue in a schema of its own."""

import procrastinate.schema
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "feed",
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("ip_hash", sa.Text),
        sa.Column("request_id", sa.Text),
        sa.Column("details", postgresql.JSONB, nullable=False),
    )
    op.create_index("ix_audit_subject", "audit", ["subject", "at"])
    op.execute(APPEND_ONLY)
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute("CREATE SCHEMA procrastinate")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO procrastinate")
        cursor.execute(procrastinate.schema.SchemaManager.get_schema())
        cursor.execute("SET LOCAL search_path TO public,procrastinate")


def downgrade() -> None:
    op.execute("DROP SCHEMA procrastinate CASCADE")
    op.drop_table("audit")
    op.execute("DROP FUNCTION refuse_change()")
    op.drop_table("feed")
