"""A real WebRTC participant without a browser: moving picture and tone out, decoded frames counted in."""

import asyncio
import fractions
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from aiortc import (
    AudioStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, VideoFrame

WIDTH, HEIGHT = 320, 240
RATE, TONE_HZ, SAMPLES = 48_000, 440, 960


class MovingPicture(VideoStreamTrack):
    """A bright bar that wanders over a dark ground, 30 frames a second."""

    async def recv(self) -> VideoFrame:
        """The next frame, at its time."""
        pts, time_base = await self.next_timestamp()
        picture = np.full((HEIGHT, WIDTH, 3), (40, 30, 20), dtype=np.uint8)
        left = (pts // 1500) * 2 % (WIDTH - 24)
        picture[:, left : left + 24] = (210, 190, 80)
        frame = VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts, frame.time_base = pts, time_base
        return frame


class Tone(AudioStreamTrack):
    """A quiet 440 Hz tone in 20 ms frames."""

    def __init__(self) -> None:
        super().__init__()
        self._sent = 0
        self._began = 0.0
        wave = [int(1200 * math.sin(2 * math.pi * TONE_HZ * n / RATE)) for n in range(RATE)]
        self._wave = np.array(wave, dtype=np.int16)

    async def recv(self) -> AudioFrame:
        """The next frame, at its time."""
        if not self._sent:
            self._began = time.monotonic()
        await asyncio.sleep(max(0.0, self._began + self._sent / RATE - time.monotonic()))
        at = self._sent % RATE
        frame = AudioFrame.from_ndarray(self._wave[at : at + SAMPLES].reshape(1, -1), format="s16", layout="mono")
        frame.pts, frame.sample_rate = self._sent, RATE
        frame.time_base = fractions.Fraction(1, RATE)
        self._sent += SAMPLES
        return frame


class MediaPeer:
    """One connection into a call: take the server's offer, answer it, send, and count what is decoded."""

    def __init__(
        self,
        *,
        send_audio: bool = True,
        send_video: bool = True,
        sound: Callable[[], MediaStreamTrack] = Tone,
        picture: Callable[[], MediaStreamTrack] = MovingPicture,
    ) -> None:
        self._sound, self._picture = sound, picture
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._send_audio, self._send_video = send_audio, send_video
        self._tasks: list[asyncio.Task[None]] = []
        self.video_frames = 0
        self.audio_frames = 0
        self.first_video_at: float | None = None
        self.last_audio_at: float | None = None

    @property
    def state(self) -> str:
        """The connection's state as WebRTC names it."""
        state: str = self._pc.connectionState
        return state

    async def answer(self, offer_sdp: str) -> str:
        """The answer to the server's offer, with all candidates in it."""
        self._pc.on("track", self._on_track)
        await self._pc.setRemoteDescription(RTCSessionDescription(sdp=offer_sdp, type="offer"))
        tracks: dict[str | None, MediaStreamTrack] = {}
        if self._send_audio:
            tracks["0"] = self._sound()
        if self._send_video:
            tracks["1"] = self._picture()
        for transceiver in self._pc.getTransceivers():
            transceiver.direction = "sendrecv"
            if transceiver.mid in tracks:
                transceiver.sender.replaceTrack(tracks[transceiver.mid])
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        sdp: str = self._pc.localDescription.sdp
        return sdp

    async def close(self) -> None:
        """Leave, and end every task."""
        await self._pc.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _on_track(self, track: Any) -> None:
        self._tasks.append(asyncio.create_task(self._count(track)))

    async def _count(self, track: Any) -> None:
        while True:
            try:
                await track.recv()
            except MediaStreamError:
                return
            if track.kind == "video":
                self.video_frames += 1
                self.first_video_at = self.first_video_at or time.monotonic()
            else:
                self.audio_frames += 1
                self.last_audio_at = time.monotonic()
