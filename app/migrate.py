"""The ``release`` process: bring the database to the newest schema, waiting until it answers."""

import os
import sys
import time
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config

ROOT = Path(__file__).parent.parent


def config(url: str) -> Config:
    """Alembic's configuration for one database address."""
    settings = Config(str(ROOT / "alembic.ini"))
    settings.set_main_option("script_location", str(ROOT / "migrations"))
    settings.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return settings


def upgrade(url: str, revision: str = "head") -> None:
    """Run every missing migration on ``url``."""
    command.upgrade(config(url), revision)


def behind(url: str) -> bool:
    """Whether a migration is missing on ``url``; cheap, so that a second start need not load the models."""
    newest = max(path.name.partition("_")[0] for path in (ROOT / "migrations" / "versions").glob("[0-9]*.py"))
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() == (None,):
            return True
        return connection.execute("SELECT version_num FROM alembic_version").fetchone() != (newest,)


def wait_for(url: str, seconds: float = 30) -> None:
    """Return when the database accepts connections; raise ``psycopg.OperationalError`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(url, connect_timeout=3).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def main() -> int:
    """Migrate DATABASE_URL; 0 when the schema is current."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        print("DATABASE_URL is not set; say where PostgreSQL is.", file=sys.stderr)  # noqa: T201 - terminal tool
        return 2
    try:
        wait_for(url)
    except psycopg.OperationalError as error:
        print(f"PostgreSQL does not answer at DATABASE_URL: {error}", file=sys.stderr)  # noqa: T201 - terminal tool
        return 1
    upgrade(url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
