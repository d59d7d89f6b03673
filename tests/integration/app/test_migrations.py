"""The schema: up, down and up again, and exactly what the models say."""

import re

import psycopg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg import sql
from sqlalchemy import create_engine

from app.embedded.postgres import EmbeddedPostgres
from app.migrate import config, upgrade
from core.db import Base, sqlalchemy_url
from core.jobs import SEARCH_PATH
from core.money import Currency


def test_every_migration_goes_up_down_and_up(postgres: EmbeddedPostgres) -> None:
    name = "migrated_up_and_down"
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = postgres.url(name)
    upgrade(url)
    command.downgrade(config(url), "base")
    with psycopg.connect(url) as connection:
        left = connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema IN ('public', 'procrastinate') "
            "AND table_name <> 'alembic_version'"
        ).fetchone()
    assert left == (0,)
    upgrade(url)


def test_the_models_and_the_migrations_say_the_same(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url), connect_args={"options": f"-csearch_path={SEARCH_PATH}"})
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        changes = compare_metadata(context, Base.metadata)
    engine.dispose()
    structural = [
        change
        for change in changes
        if isinstance(change, list) or change[0] in ("add_table", "add_column", "remove_column")
    ]
    assert structural == []


def test_wherever_the_database_checks_a_currency_it_knows_them_all(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        checks = connection.execute(
            "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE contype = 'c' AND conname ~ '_currency(_known)?$'"
        ).fetchall()
    known = {table: set(re.findall(r"'(\w+)'::text", check)) for table, check in checks}
    assert {"charge", "hold", "posting", "profile"} <= set(known)
    assert {table for table, currencies in known.items() if currencies != set(Currency)} == set()
