"""Embedded TURN: coturn, where this machine has it, relaying to our own media nodes and to nobody else."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

from aioice import stun

from app.embedded import child
from app.embedded.postgres import free_port, secret_in
from media.ice import Network
from media.turn import Coturn

START_S = 10.0


class EmbeddedTurn:
    """One server on every address of this machine that others can reach."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._addresses = [one for one in Network().bound() if not one.startswith("127.")]
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def possible(self) -> bool:
        """Whether coturn is installed, and this machine has an address other than its loopback."""
        return shutil.which("turnserver") is not None and bool(self._addresses)

    @property
    def secret(self) -> str:
        """What ``web`` makes credentials with."""
        return secret_in(self._folder / "secret", 48)

    @property
    def urls(self) -> str:
        """``TURN_URLS`` of this server: UDP first, TCP for networks that let nothing else pass."""
        hosts = [f"[{one}]" if ":" in one else one for one in self._addresses]
        return ",".join(f"turn:{host}:{self._port}?transport={how}" for how in ("udp", "tcp") for host in hosts)

    def start(self) -> None:
        """Start the server and return when it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        server = Coturn(
            secret=self.secret, realm="localhost", nodes=self._addresses, listen=self._addresses, port=self._port
        )
        # The secret goes through a file: a command line can be read by every user of the machine.
        settings = self._folder / "turnserver.conf"
        settings.touch(mode=0o600)
        settings.write_text(server.configuration())
        command = [str(shutil.which("turnserver")), "-c", str(settings), "--userdb", str(self._folder / "users")]
        command += ["--pidfile", str(self._folder / "pid")]
        with (self._folder / "turn.log").open("ab") as log:
            self._process = child.start(command, log=log, cwd=self._folder)
        self._wait()

    def stop(self) -> None:
        """Stop the server."""
        if self._process:
            child.stop(self._process)
            self._process = None

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_S
        asked = bytes(stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST))
        address = self._addresses[0]
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.1)
            probe.connect((address, self._port))
            while True:
                try:
                    probe.send(asked)
                    probe.recv(2048)
                except OSError as error:  # nobody listens yet, or no answer in time
                    if self._process.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError(f"coturn did not start; see {self._folder / 'turn.log'}") from error
                    if not isinstance(error, TimeoutError):
                        time.sleep(0.02)
                else:
                    return
