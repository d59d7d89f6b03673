"""A film-maker's clapper: white and loud for a tenth of each second of the machine's clock, dark and silent between."""

import asyncio
import fractions
import time
from pathlib import Path

import av
import numpy as np
from aiortc import AudioStreamTrack, VideoStreamTrack

RATE, SAMPLES = 48_000, 960
CLAP_S = 0.1


def _clap(at: float) -> bool:
    return at % 1 < CLAP_S


class ClapPicture(VideoStreamTrack):
    """White while it claps."""

    async def recv(self) -> av.VideoFrame:
        """The next frame, showing the moment it is handed out in."""
        pts, time_base = await self.next_timestamp()
        shade = 235 if _clap(time.monotonic()) else 16
        picture = np.full((180, 320, 3), shade, dtype=np.uint8)
        picture[:, pts // 3000 % 320] = 128  # something moves, so that no frame is skipped
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = pts, time_base
        return frame


class ClapSound(AudioStreamTrack):
    """A tone while it claps; each 20 ms frame is handed out when its first sample is due."""

    def __init__(self) -> None:
        super().__init__()
        self._sent, self._began = 0, 0.0
        self._tone = (9000 * np.sin(2 * np.pi * 800 * np.arange(SAMPLES) / RATE)).astype(np.int16)

    async def recv(self) -> av.AudioFrame:
        """The next frame."""
        self._began = self._began or time.monotonic()
        due = self._began + self._sent / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        samples = self._tone if _clap(due) else np.zeros(SAMPLES, dtype=np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.pts, frame.sample_rate, frame.time_base = self._sent, RATE, fractions.Fraction(1, RATE)
        self._sent += SAMPLES
        return frame


def claps(path: Path) -> tuple[list[float], list[float]]:
    """When a file's pictures turn white, and when its sound begins, in seconds from its time zero."""
    seen, heard = [], []
    light = loud = True  # what is on at the beginning did not begin there
    with av.open(str(path)) as file:
        for frame in file.decode():
            at = float(frame.pts * frame.time_base)
            if isinstance(frame, av.VideoFrame):
                now = bool(frame.to_ndarray(format="gray").mean() > 120)
                if now and not light:
                    seen.append(at)
                light = now
            else:
                samples = np.abs(frame.to_ndarray().astype(np.float32))
                if frame.format.name.startswith("s16"):
                    samples /= 32768
                level = samples.reshape(-1) if not frame.format.is_planar else samples[0]
                for n, part in enumerate(np.array_split(level, max(1, len(level) // 240))):  # 5 ms or so
                    now = bool(part.max(initial=0) > 0.05)
                    if now and not loud:
                        heard.append(at + n * 0.005)
                    loud = now or (loud and part.max(initial=0) > 0.01)
    return seen, heard
