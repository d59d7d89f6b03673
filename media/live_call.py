"""One call as this node carries it: its relay, its observer, and what still has to reach the database."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from aiortc import RTCCertificate

from core.events import Event
from core.ids import CallId
from media.events import IntervalClosed, IntervalOpened, ParticipantSeen, ParticipantUnseen
from media.ice import Network
from media.intervals import Cause, Change, Closed, Interval, Observer, Opened, Seen, Side, Unseen
from media.peer import Track
from media.recording.recorder import Recorder, Recording
from media.relay import ROLES, CallRelay
from media.samples import EVERY_S, Sampler, Told
from media.store import IntervalRow

UNSURE_S = 2.5  # without word from the database for this long nothing is recorded


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pair of readings of both clocks: turns monotonic seconds into labels that never run backwards."""

    monotonic: float
    wall: datetime

    def at(self, monotonic: float) -> datetime:
        """The wall-clock label of a monotonic time."""
        return self.wall + timedelta(seconds=monotonic - self.monotonic)


class LiveCall:
    """Joins packets (relay) and conclusions (observer). ``wake`` is called when the database should soon be told."""

    def __init__(
        self,
        call_id: CallId,
        *,
        certificate: RTCCertificate,
        network: Network,
        numbers: dict[Side, int],
        paused: bool,
        epoch: int,
        now: datetime,
        wake: Callable[[], None],
        recorder: Recorder | None = None,
    ) -> None:
        self.call_id = call_id
        self._recorder = recorder
        self._recording: Recording | None = None
        self._consents_at = 0.0
        self._samplers = {role: Sampler() for role in ROLES}
        self._sampled_at = 0.0
        self.epoch = epoch
        self.closing = False
        self.pending: list[Event] = []  # in order; published together with the intervals they speak of
        self._wake = wake
        self._epoch = Epoch(time.monotonic(), now)
        self._observer = Observer(numbers)
        self._observer.pause(paused, self._epoch.monotonic)
        self.relay = CallRelay(certificate=certificate, network=network, on_media=self._on_media)

    def watch(self) -> None:
        """Draw conclusions from the packets seen so far, and let only those receive who are seen.

        In an agreed pause nobody receives: time that is not billed is not for talking either.
        """
        now = time.monotonic()
        self._take(self._observer.step(now))
        self._forward()
        self.relay.watch(now)
        if self._recording is not None and self._recording.broken:
            self.relay.refresh()

    def pause(self, *, paused: bool) -> None:
        """Begin or end an agreed pause."""
        self._take(self._observer.pause(paused, time.monotonic()))
        self._forward()

    def record(self, *, allowed: bool) -> None:
        """Begin or stop recording, as both consents just read from the database say."""
        self._consents_at = time.monotonic()
        if allowed and self._recording is None and self._recorder is not None:
            zero = time.monotonic()
            self._recording = self._recorder.begin(UUID(str(self.call_id)), zero, self._epoch.at(zero))
            self.relay.tap = self._tap
            self.relay.refresh()
        elif not allowed and self._recording is not None:
            self.relay.tap = None
            self._recording.stop()
            self._recording = None

    def samples(self) -> list[Told]:
        """Every two seconds what both sides' connections were like; nothing in between."""
        now = time.monotonic()
        if now - self._sampled_at < EVERY_S:
            return []
        self._sampled_at = now
        told = []
        for role, sampler in self._samplers.items():
            sample = sampler.sample(self.relay.directions[role], self.relay.rtt_s.get(role), now)
            if sample is not None:
                told.append(Told(UUID(str(self.call_id)), role, "server", self._epoch.at(now), sample))
        return told

    def skip(self, ms: int) -> None:
        """The demo clock: add ``ms`` to the running interval."""
        self._take(self._observer.skip(ms, time.monotonic()))

    async def give_up(self) -> None:
        """This node stops; the call goes on elsewhere. What was seen here counts."""
        self._take(self._observer.end(time.monotonic(), Cause.NODE_LOST))
        self.record(allowed=False)
        await self.relay.close()

    async def end(self) -> None:
        """Stop media at once; every interval ends at its last packet."""
        self.closing = True
        self._take(self._observer.end(time.monotonic()))
        self.record(allowed=False)
        await self.relay.close()

    def dirty(self) -> list[IntervalRow]:
        """What is not stored yet, as it stands now."""
        return [self._row(interval) for interval in self._observer.dirty()]

    def saved(self, rows: Iterable[IntervalRow]) -> None:
        """What is stored now, as it was written."""
        self._observer.saved((Side(row.side), row.n) for row in rows if not row.open)

    def _row(self, interval: Interval) -> IntervalRow:
        """An interval as it is written."""
        return IntervalRow(
            call_id=UUID(str(self.call_id)),
            side=interval.side,
            n=interval.n,
            started_at=self._epoch.at(interval.start),
            duration_ms=interval.duration_ms,
            open=interval.open,
            cause=interval.cause,
        )

    def _on_media(self, role: str, at: float) -> None:
        if self._observer.packet(role, at):
            self.watch()

    def _tap(self, side: str, track: Track, ssrc: int, packet: bytes, at: float) -> None:
        recording = self._recording
        if recording is None or at - self._consents_at > UNSURE_S:
            return  # the database cannot be asked: perhaps a consent was withdrawn meanwhile
        main = track.pair.main.source_ssrc if track.is_rtx else ssrc
        if main is not None:
            recording.hear(side, track.source, main, packet, at, is_rtx=track.is_rtx, report=track.report)

    def _forward(self) -> None:
        seen, flowing = self._observer.seen, not self._observer.paused
        self.relay.set_forwarding(
            to_customer=flowing and seen("customer"), to_consultant=flowing and seen("consultant")
        )

    def _take(self, changes: list[Change]) -> None:
        if changes:
            self.pending += [self._event(change) for change in changes]
            self._wake()

    def _event(self, change: Change) -> Event:
        match change:
            case Seen(role, at):
                return ParticipantSeen(self.call_id, role, self._epoch.at(at))
            case Unseen(role, at):
                return ParticipantUnseen(self.call_id, role, self._epoch.at(at))
            case Opened(interval):
                return IntervalOpened(self.call_id, interval.n, self._epoch.at(interval.start))
            case Closed(interval):
                started = self._epoch.at(interval.start)
                return IntervalClosed(self.call_id, interval.n, started, interval.duration_ms, str(interval.cause))
