"""The processes of ``./bench claims``: forked, killed, frozen and replaced, and told of on standard error meanwhile."""

import argparse
import os
import random
import signal
import sys
import time
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.bench import claims_worker

FROZEN_S = 2.5  # longer than a lease: whoever wakes up holds tokens that are old
BEAT_S, TOLD_EVERY_S = 0.2, 10.0
RING = b'"claim_ms"'  # what a line has that tells of a ring


class Fight:
    """The processes, and what befalls them.

    They are forked from one that has imported everything and opened nothing: starting Python anew takes half a second
    of a processor, which on two cores would be in the times of all the others.
    """

    def __init__(self, url: str, folder: Path, wishes: argparse.Namespace) -> None:
        self._url, self._folder, self._wishes = url, folder, wishes
        self._chance = random.Random(wishes.seed)  # noqa: S311 - no secret
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload([claims_worker.__name__])
        self._running: list[BaseProcess] = []
        self._started = 0
        self._read: dict[Path, int] = {}
        self._rings = 0
        self.killed = self.frozen = self.crashed = 0

    def run(self) -> float:
        """Until everybody is done or the time is over; returns the seconds it took."""
        began = told = time.monotonic()
        fates = self._fates()
        for _ in range(self._wishes.processes):
            self._start()
        try:
            while self._running and time.monotonic() - began < self._wishes.limit_s:
                time.sleep(BEAT_S)  # the bench's own beat
                self._count()
                while fates and self._rings >= fates[0]:
                    fates.pop(0)
                    self._befall()
                self._look_after()
                if time.monotonic() - told >= TOLD_EVERY_S:
                    told = time.monotonic()
                    self._tell(told - began)
        finally:
            for one in self._running:
                one.kill()
                one.join()
        return time.monotonic() - began

    def _fates(self) -> list[int]:
        """After how many rings the next process is killed; spread over the run."""
        kills, claims = self._wishes.kill, self._wishes.claims
        return [round(claims * (n + 0.5) / (kills + 0.5)) for n in range(kills)]

    def _count(self) -> None:
        """How many rings were told of by now; what was counted once is not read again."""
        for path in self._folder.glob("*.jsonl"):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._rings += whole.count(RING)
            self._read[path] = self._read.get(path, 0) + len(whole)

    def _tell(self, took_s: float) -> None:
        sys.stderr.write(
            f"{self._rings:,} of about {self._wishes.claims:,} rings after {took_s:.0f} s, "
            f"{self.killed} killed, {self.frozen} frozen\n"
        )
        sys.stderr.flush()

    def _start(self) -> None:
        self._started += 1
        told = self._folder / f"{self._started}.jsonl"
        one = self._context.Process(target=claims_worker.work, args=(self._url, self._started, told), daemon=True)
        one.start()
        self._running.append(one)

    def _look_after(self) -> None:
        """Let those go who are done; who ended by an error is counted, and nobody takes their place."""
        self.crashed += sum(one.exitcode not in (None, 0) for one in self._running)
        self._running = [one for one in self._running if one.exitcode is None]

    def _befall(self) -> None:
        """Kill one at once and start another; every third time another one is frozen beyond its leases."""
        self._look_after()
        if not self._running:
            return
        one = self._chance.choice(self._running)
        one.kill()
        one.join()
        self._running.remove(one)
        self.killed += 1
        if self.killed % 3 == 0 and self._running:
            self._freeze(self._chance.choice(self._running))
        self._start()

    def _freeze(self, one: BaseProcess) -> None:
        assert one.pid is not None
        os.kill(one.pid, signal.SIGSTOP)
        time.sleep(FROZEN_S)  # that is what being frozen means
        os.kill(one.pid, signal.SIGCONT)
        self.frozen += 1
