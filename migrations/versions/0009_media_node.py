"""Media nodes: their capacity and load; calls: how often their media moved to another node."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("media_node", sa.Column("capacity", sa.Integer, nullable=False, server_default="1"))
    op.add_column("media_node", sa.Column("load_permille", sa.Integer, nullable=False, server_default="0"))
    op.add_column("media_session", sa.Column("epoch", sa.Integer, nullable=False, server_default="0"))
    op.add_column("call", sa.Column("media_epoch", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("call", "media_epoch")
    op.drop_column("media_session", "epoch")
    op.drop_column("media_node", "load_permille")
    op.drop_column("media_node", "capacity")
