"""One forwarded stream: how a sender's packets are renumbered so that its receiver sees a single unbroken stream."""

from dataclasses import dataclass

HALF = 1 << 15


@dataclass(slots=True)
class Stream:
    """Numbers of one outgoing SSRC. Offsets change only when the packets come from another source."""

    ssrc: int
    clock_rate: int
    source_ssrc: int | None = None
    seq_offset: int = 0
    ts_offset: int = 0
    started: bool = False
    last_seq: int = 0
    last_ts: int = 0
    last_at: float = 0.0

    def attach(self, source_ssrc: int, seq: int, timestamp: int, now: float) -> None:
        """Continue with a new source (rejoin, reload, resumed forwarding) right after the last packet sent.

        Without this the receiver's SRTP replay check refuses the packets, and its decoder waits for ever.
        """
        self.source_ssrc = source_ssrc
        if self.started:
            elapsed = int((now - self.last_at) * self.clock_rate)
            self.seq_offset = (self.last_seq + 1 - seq) & 0xFFFF
            self.ts_offset = (self.last_ts + elapsed - timestamp) & 0xFFFFFFFF

    def detach(self) -> None:
        """Forget the source, so that the next packet is attached anew."""
        self.source_ssrc = None

    def renumber(self, seq: int, timestamp: int, now: float) -> tuple[int, int]:
        """The outgoing sequence number and timestamp of a packet of the attached source."""
        out_seq = (seq + self.seq_offset) & 0xFFFF
        out_ts = (timestamp + self.ts_offset) & 0xFFFFFFFF
        if not self.started or (out_seq - self.last_seq) & 0xFFFF < HALF:
            self.last_seq, self.last_ts, self.last_at, self.started = out_seq, out_ts, now, True
        return out_seq, out_ts


@dataclass(slots=True)
class StreamPair:
    """A source's main stream and, for video, the stream of its retransmissions."""

    main: Stream
    rtx: Stream | None

    def detach(self) -> None:
        """Forget the source of both."""
        self.main.detach()
        if self.rtx:
            self.rtx.detach()
