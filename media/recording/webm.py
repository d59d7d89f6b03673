"""One WebM file: encoded frames in, no decoder and no encoder anywhere near (libavformat through PyAV)."""

import io
import struct
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av

from media.recording.frames import Frame

MS = Fraction(1, 1000)
_FOURCC = {"vp8": b"VP80", "vp9": b"VP90", "av1": b"AV01"}
# Small clusters, written at once: of a killed node's file everything up to the last second can be played.
_OPTIONS = {"cluster_time_limit": "1000", "flush_packets": "1", "max_interleave_delta": "1000000"}


class WebmFile:
    """Sound, and a picture when ``first_picture`` (a key frame) is given. Times are milliseconds from its beginning.

    H.264 is not part of WebM: with it the same file is Matroska, which browsers of that codec play as well.
    """

    def __init__(self, path: Path, first_picture: Frame | None) -> None:
        self.path = path
        self.codec = first_picture.codec if first_picture else None
        self.duration_ms = 0
        kind = "matroska" if self.codec == "h264" else "webm"
        self._out: Any = av.open(str(path), "w", format=kind, options=_OPTIONS)
        self._sound = self._out.add_stream_from_template(_sound_template())
        self._picture: Any = None
        if first_picture is not None:
            with _sample(first_picture) as sample:
                self._picture = self._out.add_stream_from_template(sample.streams.video[0])
        self._last = {"sound": -1, "picture": -1}

    def write(self, frame: Frame, ms: int) -> None:
        """Append a frame; one that would lie before the last is moved behind it."""
        stream, name = (self._sound, "sound") if frame.codec == "opus" else (self._picture, "picture")
        at = max(ms, self._last[name] + 1, 0)
        self._last[name] = at
        packet = av.Packet(frame.data)
        packet.stream, packet.time_base = stream, MS
        packet.pts = packet.dts = at
        packet.is_keyframe = frame.key
        self._out.mux(packet)
        self.duration_ms = max(self.duration_ms, at)

    def close(self) -> None:
        """Write the index, so that players can seek."""
        self._out.close()


@cache
def _sound_container() -> Any:
    """A silent Opus file: what a muxer must know about the codec, taken from the codec's own library."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="ogg") as out:
        stream = out.add_stream("libopus", rate=48_000, layout="stereo")
        silence = av.AudioFrame(format="s16", layout="stereo", samples=960)
        for plane in silence.planes:
            plane.update(bytes(plane.buffer_size))
        silence.sample_rate, silence.pts = 48_000, 0
        out.mux(stream.encode(silence))
        out.mux(stream.encode(None))
    memory.seek(0)
    return av.open(memory)


def _sound_template() -> Any:
    return _sound_container().streams.audio[0]


def _sample(frame: Frame) -> Any:
    """A file of one key frame, so that libavformat finds size and parameters by itself."""
    if frame.codec == "h264":
        return av.open(io.BytesIO(frame.data), format="h264")
    data = frame.data
    if frame.codec == "av1":
        data = b"\x12\x00" + data  # IVF wants the temporal delimiter that RTP leaves out
    header = struct.pack("<4sHH4sHHIIII", b"DKIF", 0, 32, _FOURCC[frame.codec], 0, 0, 1000, 1, 1, 0)
    return av.open(io.BytesIO(header + struct.pack("<IQ", len(data), 0) + data), format="ivf")


def mend(path: Path) -> int:
    """Give a file whose writer was killed an end and an index; its duration in milliseconds.

    Raises ``av.FFmpegError`` when nothing of it can be read.
    """
    mended = path.with_suffix(".mended")
    duration_ms = 0
    with av.open(str(path)) as source, av.open(str(mended), "w", format=source.format.name.split(",")[0]) as out:
        streams = {stream.index: out.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is None:
                continue
            if packet.pts is not None and packet.time_base is not None:
                duration_ms = max(duration_ms, int(packet.pts * packet.time_base * 1000))
            packet.stream = streams[packet.stream.index]
            out.mux(packet)
    mended.replace(path)
    return duration_ms
