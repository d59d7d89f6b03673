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
    transit: float | None = None

    def add(self, size: int, seq: int, timestamp: int, now: float) -> None:
        """Count one packet."""
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
        transit = now * self.clock_rate - timestamp
        if self.transit is not None:
            self.jitter_ticks += (abs(transit - self.transit) % (1 << 32) - self.jitter_ticks) / 16
        self.transit = transit


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
