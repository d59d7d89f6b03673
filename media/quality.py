"""What the relay counts of one direction: packets, bytes, gaps in sequence numbers, inter-arrival jitter (RFC 3550)."""

from dataclasses import dataclass, field

HALF = 1 << 15


@dataclass(slots=True)
class StreamCount:
    """Counts of one incoming stream."""

    clock_rate: int
    packets: int = 0
    bytes: int = 0
    highest: int | None = None
    missing: int = 0
    jitter_ticks: float = 0.0
    ssrc: int | None = None
    arrived: float | None = None
    stamp: int = 0

    def add(self, ssrc: int, size: int, seq: int, timestamp: int, now: float) -> None:
        """Count one packet; another SSRC (a rejoin) begins its numbers anew."""
        if ssrc != self.ssrc:
            self.ssrc, self.highest, self.arrived, self.stamp = ssrc, None, None, 0
        self.packets += 1
        self.bytes += size
        if self.highest is None:
            self.highest = seq
        else:
            step = (seq - self.highest) & 0xFFFF
            if 0 < step < HALF:
                self.missing += step - 1
                self.highest = seq
            elif self.missing:
                self.missing -= 1  # it was late, not lost
        if timestamp == self.stamp:
            return  # the rest of a frame: sent in one go, it says nothing about the network
        if self.arrived is not None:
            sent_ticks = ((timestamp - self.stamp + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)  # signed: it wraps around
            apart = abs((now - self.arrived) * self.clock_rate - sent_ticks)
            self.jitter_ticks += (apart - self.jitter_ticks) / 16
        self.arrived, self.stamp = now, timestamp


@dataclass(slots=True)
class Direction:
    """Counts of everything one side sent."""

    streams: dict[str, StreamCount] = field(default_factory=dict)
    refused: int = 0  # packets that did not authenticate
    unforwarded: int = 0  # packets nobody was allowed, or there, to receive

    def as_dict(self) -> dict[str, object]:
        """The counts as plain values; jitter in milliseconds."""
        return {
            "refused": self.refused,
            "unforwarded": self.unforwarded,
            "streams": {
                name: {
                    "packets": count.packets,
                    "bytes": count.bytes,
                    "missing": count.missing,
                    "jitter_ms": round(1000 * count.jitter_ticks / count.clock_rate, 1),
                }
                for name, count in self.streams.items()
            },
        }
