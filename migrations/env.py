"""Alembic's entry: runs the migrations on DATABASE_URL (or the URL set by ``app.migrate``)."""

import os

from alembic import context
from sqlalchemy import create_engine, pool, text

from core.db import Base, sqlalchemy_url
from core.jobs import SEARCH_PATH

for room in (
    "core.audit",
    "core.feed",
    "people.models",
    "matching.models",
    "signaling.models",
    "media.models",
    "billing.models",
    "billing.refunds.models",
    "billing.disputes.models",
    "billing.payouts.models",
    "billing.collection.models",
    "billing.mails.models",
    "billing.reconciliation.models",
    "billing.finance.models",
):
    __import__(room)

url = context.config.get_main_option("sqlalchemy.url") or os.environ["DATABASE_URL"]
engine = create_engine(
    sqlalchemy_url(url), poolclass=pool.NullPool, connect_args={"options": f"-csearch_path={SEARCH_PATH}"}
)
with engine.connect() as connection:
    # One migrator at a time: two releases started together must not race.
    connection.execute(text("SELECT pg_advisory_lock(4711)"))
    connection.commit()
    context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
