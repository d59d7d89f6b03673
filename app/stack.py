"""The stack: every process of an installation on one machine, started in order, watched, restarted, stopped."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psycopg

from app import migrate
from app.demo_people import CONSULTANTS
from app.embedded import child
from app.embedded.postgres import EmbeddedPostgres, free_port, secret_in
from app.embedded.redis import EmbeddedRedis
from app.embedded.turn import EmbeddedTurn
from app.provider_choice import Provider, choose
from matching.ranking.index import minilm

ROOT = Path(__file__).parent.parent
READY_S = 30.0
LONGEST_PAUSE_S = 10.0

Say = Callable[[str], None]


@dataclass(slots=True)
class Plan:
    """What to start. ``data`` holds everything that survives: databases, secrets, logs.

    Media processes are named ``media``, ``media-2`` and so on. With ``turn`` coturn is started if this machine has it.
    """

    data: Path
    port: int
    environment: Literal["demo", "test"] = "demo"
    host: str = "127.0.0.1"
    client_dir: Path = ROOT / "web" / "client" / "dist"
    database_url: str | None = None
    redis_url: str | None = None
    robot: bool = True
    media_nodes: int = 1
    turn: bool = False
    seed: bool = True
    throwaway: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Process:
    """One watched process: how to start it, and when it may be started again."""

    name: str
    command: list[str]
    running: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    started_at: float = 0.0
    start_after: float = 0.0


class Stack:
    """PostgreSQL, Redis and the Stripe sandbox where none are given, then ``web``, ``media``, ``worker``."""

    def __init__(self, plan: Plan, say: Say = print) -> None:
        self.plan = plan
        self._say = say
        self._postgres: EmbeddedPostgres | None = None
        self._redis: EmbeddedRedis | None = None
        self._turn: EmbeddedTurn | None = None
        self._sandbox_port = free_port()
        self._sandboxed = True
        self._processes: dict[str, Process] = {}
        self._env: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Where a browser reaches the product."""
        return f"http://localhost:{self.plan.port}"

    @property
    def sandbox_url(self) -> str:
        """Where the Stripe sandbox listens."""
        return f"http://localhost:{self._sandbox_port}"

    @property
    def mails(self) -> Path:
        """Where mails are laid, each a file, when no relay is given."""
        return self.plan.data.resolve() / "mails"

    @property
    def env(self) -> Mapping[str, str]:
        """The environment every process of the stack is given."""
        return self._env

    def start(self) -> None:
        """Start everything; return when the page answers. Whatever was started is stopped again on failure."""
        try:
            self._sandboxed = choose(os.environ) is Provider.SANDBOX
            if not self._sandboxed:
                self._say("Payments go to Stripe itself, in its test mode; no sandbox and no robot are started")
            (self.plan.data / "logs").mkdir(parents=True, exist_ok=True)
            self._start_servers()
            self._env = self._environment()
            migrate.wait_for(self._env["DATABASE_URL"])
            if migrate.behind(self._env["DATABASE_URL"]):
                self._say("Bringing the database to the newest schema")
                self._run("migrate", "app.migrate")
            encoder = self._env["ENCODER_DIR"]
            if encoder and not minilm.prepared(Path(encoder)):
                self._say("Preparing the sentence encoder")
                minilm.prepare(Path(encoder))
            self._say("Starting web, media and worker")
            # The page first: on two cores the other processes would only slow its start down.
            self._spawn("web", [sys.executable, "-m", "app.web"])
            self._await_answer("web", f"{self.url}/readyz")
            if self._sandboxed:
                self._spawn("sandbox", self._sandbox_command())
            for name in ("media", *(f"media-{n}" for n in range(2, self.plan.media_nodes + 1))):
                self._spawn(name, [sys.executable, "-m", "app.media"])
            self._spawn("worker", [sys.executable, "-m", "app.worker"])
            if self._sandboxed:
                self._await_answer("sandbox", f"{self.sandbox_url}/healthz")
            if self.plan.seed and not self._seeded():
                self._say("Making the demo data")
                self._run("seed", "app.seed")
            if self.plan.robot and self._sandboxed:  # nobody fills in Stripe's onboarding page for a robot
                self._spawn("robot", [sys.executable, "-m", "app.robot"])
        except BaseException:
            self.stop()
            raise

    def poll(self) -> list[str]:
        """Start again what has died (with growing pauses); return a readable line for each death."""
        lines = []
        for process in self._processes.values():
            running = process.running
            if running is not None and running.poll() is not None:
                process.running = None
                stable = time.monotonic() - process.started_at > LONGEST_PAUSE_S
                process.deaths = 1 if stable else process.deaths + 1
                pause = min(0.1 * 2**process.deaths, LONGEST_PAUSE_S)
                process.start_after = time.monotonic() + pause
                lines.append(f"{process.name} ended ({running.returncode}); starting it again in {pause:.1f} s")
            if process.running is None and time.monotonic() >= process.start_after:
                self._launch(process)
        return lines

    def pid(self, name: str) -> int:
        """The process id of ``web``, ``media``, ``worker``, ``sandbox``, ``robot``, ``postgres`` or ``redis``."""
        server = {"postgres": self._postgres, "redis": self._redis}.get(name)
        found = server.pid if server else None
        if found is None and name in self._processes:
            running = self._processes[name].running
            found = running.pid if running else None
        if found is None:
            raise LookupError(f"{name} is not running")
        return found

    def stop_server(self, name: Literal["postgres", "redis"]) -> None:
        """Stop an embedded server (a bad day, for tests)."""
        self._server(name).stop()

    def start_server(self, name: Literal["postgres", "redis"]) -> None:
        """Start it again, on its old port."""
        self._server(name).start()

    def _server(self, name: Literal["postgres", "redis"]) -> EmbeddedPostgres | EmbeddedRedis:
        server = self._postgres if name == "postgres" else self._redis
        if server is None:
            raise LookupError(f"{name} is not ours")
        return server

    def stop(self) -> None:
        """Stop everything, the newest first."""
        for process in reversed(self._processes.values()):
            if process.running:
                process.running.terminate()
        for process in reversed(self._processes.values()):
            if process.running:
                child.stop(process.running, seconds=8)
                process.running = None
        self._processes.clear()
        if self._turn:
            self._turn.stop()
        if self._redis:
            self._redis.stop()
        if self._postgres:
            self._postgres.stop()

    def _seeded(self) -> bool:
        """Whether the last of the demo's people is there: the seed makes them in order."""
        with psycopg.connect(self._env["DATABASE_URL"]) as connection:
            return (
                connection.execute(
                    "SELECT 1 FROM account JOIN profile ON profile.user_id = account.id "
                    "WHERE email = %s AND headline <> '' AND (can_receive OR NOT %s)",
                    (CONSULTANTS[-1].email, self._sandboxed),
                ).fetchone()
                is not None
            )

    def _start_servers(self) -> None:
        if self.plan.database_url is None:
            self._say("Starting PostgreSQL")
            self._postgres = EmbeddedPostgres(self.plan.data / "postgres", throwaway=self.plan.throwaway)
            self._postgres.start()
            self._postgres.ensure_database("consultant_connect")
        if self.plan.redis_url is None:
            self._redis = EmbeddedRedis(self.plan.data / "redis")
            self._redis.start()
        turn = EmbeddedTurn(self.plan.data / "turn")
        if self.plan.turn and turn.possible:
            self._say("Starting coturn")
            self._turn = turn
            turn.start()

    def _environment(self) -> dict[str, str]:
        data = self.plan.data
        database = self.plan.database_url or (self._postgres.url("consultant_connect") if self._postgres else "")
        env = {
            "DATABASE_URL": database,
            "REDIS_URL": self.plan.redis_url or (self._redis.url if self._redis else ""),
            "SECRET_KEY": secret_in(data / "secret-key", 48),
            "RECEIPT_KEY": secret_in(data / "receipt-key", 32),
            "MEDIA_CONTROL_TOKEN": secret_in(data / "media-control-token", 48),
            "PUBLIC_URL": self.url,
            "HOST": self.plan.host,
            "PORT": str(self.plan.port),
            "ENVIRONMENT": self.plan.environment,
            "CLIENT_DIR": str(self.plan.client_dir),
            "RECORDINGS_DIR": str(data / "recordings"),
            "ATTACHMENTS_DIR": str(data / "attachments"),
            "ENCODER_DIR": str(data / "encoder"),
            "MAIL_URL": os.environ.get("MAIL_URL") or self.mails.as_uri(),
        }
        if self._sandboxed:
            env |= {
                "STRIPE_API_BASE": self.sandbox_url,
                "STRIPE_PUBLIC_BASE": self.sandbox_url,
                "STRIPE_SECRET_KEY": "sk_test_sandbox",
                "STRIPE_WEBHOOK_SECRET": "whsec_" + secret_in(data / "webhook-secret"),
            }
        if self._turn:
            env |= {"TURN_URLS": self._turn.urls, "TURN_SECRET": self._turn.secret}
        return {**os.environ, **env, **self.plan.settings, "PYTHONPATH": str(ROOT)}

    def _sandbox_command(self) -> list[str]:
        return [
            sys.executable,
            "-m",
            "sandbox",
            f"--port={self._sandbox_port}",
            f"--webhook-url={self.url}/webhooks/stripe",
            f"--webhook-secret={self._env['STRIPE_WEBHOOK_SECRET']}",
            f"--parent-origin={self.url}",
            f"--state={self.plan.data / 'sandbox.state'}",
        ]

    def _run(self, name: str, module: str) -> None:
        log_file = self.plan.data / "logs" / f"{name}.log"
        with log_file.open("ab") as log:
            process = child.start([sys.executable, "-m", module], log=log, env=self._env, cwd=ROOT)
        if process.wait() != 0:
            last = log_file.read_text(errors="replace").strip().splitlines()[-1:]
            raise RuntimeError(f"{name} failed: {' '.join(last)} (all of it: {log_file})")

    def _spawn(self, name: str, command: list[str]) -> None:
        process = Process(name, command)
        self._processes[name] = process
        self._launch(process)

    def _launch(self, process: Process) -> None:
        with (self.plan.data / "logs" / f"{process.name}.log").open("ab") as log:
            process.running = child.start(process.command, log=log, env=self._env, cwd=ROOT)
        process.started_at = time.monotonic()
        pids = {name: one.running.pid for name, one in self._processes.items() if one.running}
        (self.plan.data / "pids.json").write_text(json.dumps(pids))

    def _await_answer(self, name: str, url: str) -> None:
        deadline = time.monotonic() + READY_S
        while True:
            try:
                with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                    return
            except (urllib.error.URLError, OSError) as error:
                running = self._processes[name].running
                if time.monotonic() > deadline or running is None or running.poll() is not None:
                    log = self.plan.data / "logs" / f"{name}.log"
                    last = log.read_text(errors="replace").strip().splitlines()[-1:]
                    raise RuntimeError(
                        f"{name} does not answer: {' '.join(last) or error} (all of it: {log})"
                    ) from error
                time.sleep(0.05)
