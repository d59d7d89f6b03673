"""The recorder of a node: packets in from the forwarding path, files out of a thread of its own."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import av

from core import logs
from media.recording.clock import Report, SenderClock
from media.recording.frames import Frame, Pictures, Sound, parse, repeated
from media.recording.webm import WebmFile
from media.sdp import CLOCK_RATE, Source

log = logs.get(__name__)

PICTURE_WAIT_S = 3.0  # a file begins with its first key frame; without a camera, after this long with sound alone
SCREEN_LASTS_S = 1.0  # who shares a screen shows it: the camera is written again when nothing of it has come this long
MOST_QUEUED = 20_000  # packets, some ten seconds of twenty recorded calls: a disk that stalls longer loses packets
MOST_FILES = 40  # of a side in one stretch: a codec that changes with every picture is no codec
TICK_S = 0.2


@dataclass(frozen=True, slots=True)
class FileBegan:
    """A file is about to be opened. ``started_at`` is its time zero, the same for both sides."""

    id: UUID
    call_id: UUID
    side: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class FileDone:
    """A file was closed."""

    id: UUID
    duration_ms: int
    bytes: int


Told = Callable[[FileBegan | FileDone], None]


@dataclass(slots=True)
class _Heard:
    """One packet on its way into the thread, with its header as the sender wrote it.

    ``ssrc`` is that of the source, for a retransmission, too.
    """

    side: str
    source: Source
    ssrc: int
    is_rtx: bool
    packet: bytes
    at: float
    report: Report | None


@dataclass(slots=True)
class _Stream:
    """One source of one side, as it comes in now."""

    ssrc: int
    frames: Sound | Pictures


class Recording:
    """One stretch in which both consents stood: a file a side, of one time zero; more when a codec changes."""

    def __init__(self, recorder: "Recorder", call_id: UUID, zero: float, started_at: datetime) -> None:
        self.call_id = call_id
        self.zero, self.started_at = zero, started_at
        self.stopped = threading.Event()
        self._recorder = recorder
        self.sides: dict[str, _Side] = {}

    def hear(self, side: str, source: Source, ssrc: int, packet: bytes, at: float, *, is_rtx: bool,
             report: Report | None) -> None:  # fmt: skip
        """Take a packet from the forwarding path: never waits."""
        self._recorder.put(self, _Heard(side, source, ssrc, is_rtx, packet, at, report))

    @property
    def broken(self) -> bool:
        """Whether a side's pictures cannot be written before its next key frame."""
        return any(side.broken for side in list(self.sides.values()))

    def stop(self) -> None:
        """Take nothing more, and close the files."""
        self._recorder.put(self, None)


class Recorder:
    """The thread that writes. ``told`` is called in it when a file begins or ends."""

    def __init__(self, folder: Path, told: Told) -> None:
        self.folder = folder
        self.told = told
        self.dropped = 0
        self._queue: queue.Queue[tuple[Recording, _Heard | None] | None] = queue.Queue()
        self._recordings: set[Recording] = set()
        self._thread: threading.Thread | None = None

    def begin(self, call_id: UUID, zero: float, started_at: datetime) -> Recording:
        """Record this call from now on: ``zero`` (monotonic) is the files' time zero, ``started_at`` its label."""
        if self._thread is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
            self._thread.start()
        return Recording(self, call_id, zero, started_at)

    def put(self, recording: Recording, heard: _Heard | None) -> None:
        """Hand a packet, or the end, to the thread."""
        if heard is not None and self._queue.qsize() >= MOST_QUEUED:
            self.dropped += 1
            return
        self._queue.put((recording, heard))

    def close(self) -> None:
        """Close every file and end the thread; returns when that is done."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        ticked = 0.0
        while True:
            try:
                item = self._queue.get(timeout=TICK_S)
            except queue.Empty:
                pass
            else:
                if item is None:
                    break
                self._take(*item)
            if (now := time.monotonic()) - ticked >= TICK_S:
                ticked = now
                for recording in self._recordings:
                    for side in recording.sides.values():
                        self._guard(recording, side, None)
        for recording in list(self._recordings):
            self._take(recording, None)

    def _take(self, recording: Recording, heard: _Heard | None) -> None:
        if heard is None:
            for side in recording.sides.values():
                side.close()
            self._recordings.discard(recording)
            recording.stopped.set()
            return
        if recording.stopped.is_set():
            return
        self._recordings.add(recording)
        if heard.side not in recording.sides:
            recording.sides[heard.side] = _Side(self, recording, heard.side)
        self._guard(recording, recording.sides[heard.side], heard)

    def _guard(self, recording: Recording, side: "_Side", heard: _Heard | None) -> None:
        """One side that cannot be written (a full disk, nonsense in a stream) must not stop the others."""
        if side.failed:
            return
        try:
            if heard is None:
                side.tick(time.monotonic())
            else:
                side.take(heard)
        except (av.FFmpegError, OSError, ValueError):
            side.failed = True
            log.exception("recording.failed", call_id=str(recording.call_id), side=side.name)


@dataclass(slots=True)
class _Side:
    """What one side is heard and seen with, and the file it goes to."""

    recorder: Recorder
    recording: Recording
    name: str
    streams: dict[Source, _Stream] = field(default_factory=dict)
    clock: SenderClock = field(default_factory=SenderClock)
    file: WebmFile | None = None
    id: UUID | None = None
    early: list[tuple[Frame, int]] = field(default_factory=list)  # sound from before the first picture
    screen_at: float = 0.0
    first_at: float = 0.0
    files: int = 0
    failed: bool = False

    @property
    def broken(self) -> bool:
        """Whether pictures come that cannot be shown."""
        return any(isinstance(one.frames, Pictures) and one.frames.broken for one in list(self.streams.values()))

    def take(self, heard: _Heard) -> None:
        """A packet: what it completes is written."""
        if heard.report is not None:
            self.clock.report(heard.ssrc, heard.report)
        packet = parse(heard.packet, heard.at)
        if packet is not None and heard.is_rtx:
            packet = repeated(packet)
        if packet is None:
            return
        stream = self.streams.get(heard.source)
        if stream is None or stream.ssrc != heard.ssrc:
            if heard.is_rtx:
                return  # it repeats what we never had
            if stream is not None:
                self.clock = SenderClock()  # another connection, perhaps another machine
            frames = Sound() if heard.source is Source.AUDIO else Pictures()
            stream = self.streams[heard.source] = _Stream(heard.ssrc, frames)
        for frame in stream.frames.put(packet):
            self._write(heard.source, stream.ssrc, frame)

    def tick(self, now: float) -> None:
        """What need not be waited for any longer."""
        for source, stream in self.streams.items():
            for frame in stream.frames.due(now):
                self._write(source, stream.ssrc, frame)
        if self.file is None and self.early and now - self.first_at > PICTURE_WAIT_S:
            self._open(None)

    def close(self) -> None:
        """Write what still waits, and end the file."""
        if self.file is None and self.early and not self.failed:
            self._open(None)
        self._finish()

    def _finish(self) -> None:
        if self.file is None or self.id is None:
            return
        file, self.file = self.file, None
        try:
            file.close()
        except (av.FFmpegError, OSError):
            # It is played as far as it goes.
            log.exception("recording.not_closed", call_id=str(self.recording.call_id), side=self.name)
        self.recorder.told(FileDone(self.id, file.duration_ms, file.path.stat().st_size))

    def _write(self, source: Source, ssrc: int, frame: Frame) -> None:
        if source is Source.SCREEN:
            self.screen_at = frame.at
        elif source is Source.CAMERA and frame.at - self.screen_at < SCREEN_LASTS_S:
            return  # one picture at a time: the screen
        at = self.clock.time(ssrc, frame.timestamp, CLOCK_RATE[source], frame.at)
        ms = round(1000 * (at - self.recording.zero))
        if source is Source.AUDIO:
            if self.file is None:
                self.first_at = self.first_at or frame.at
                self.early.append((frame, ms))
                return
        elif self.file is None or self.file.codec != frame.codec:
            if not frame.key:
                return
            self._finish()
            self._open(frame)
        assert self.file is not None
        self.file.write(frame, ms)

    def _open(self, first_picture: Frame | None) -> None:
        self.files += 1
        if self.files > MOST_FILES:
            raise ValueError("too many files of one side")
        self.id = uuid4()
        path = self.recorder.folder / f"{self.id}.webm"
        self.recorder.told(FileBegan(self.id, self.recording.call_id, self.name, self.recording.started_at))
        self.file = WebmFile(path, first_picture)
        early, self.early, self.first_at = self.early, [], 0.0
        for frame, ms in early:
            self.file.write(frame, ms)
