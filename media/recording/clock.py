"""When a frame was sent, on the node's clock: both streams of a side by the sender's own clock (RFC 3550 §6.4.1). Pure.

Sender reports say which RTP timestamp belongs to which time of the sender's clock. The sender's clock is laid against
ours once for both streams, by the report that was under way the shortest: so sound and picture of a side stay together
as they were captured, whatever their ways took.
"""

from collections import deque
from dataclasses import dataclass, field

REPORTS = 16


@dataclass(frozen=True, slots=True)
class Report:
    """A sender report: the sender's clock in seconds, the RTP timestamp of that moment, when it came (monotonic)."""

    ntp: float
    timestamp: int
    at: float


@dataclass(slots=True)
class SenderClock:
    """The clock of one sender, as one connection shows it."""

    deltas: deque[float] = field(default_factory=lambda: deque(maxlen=REPORTS))
    newest: dict[int, Report] = field(default_factory=dict)
    anchors: dict[int, tuple[int, float]] = field(default_factory=dict)

    def report(self, ssrc: int, report: Report) -> None:
        """Learn from a report; the same one again changes nothing."""
        if self.newest.get(ssrc) != report:
            self.newest[ssrc] = report
            self.deltas.append(report.at - report.ntp)

    def time(self, ssrc: int, timestamp: int, rate: int, at: float) -> float:
        """The monotonic time of an RTP timestamp. Before the first report: by when the first packet came."""
        report = self.newest.get(ssrc)
        if report is not None:
            return report.ntp + min(self.deltas) + _ticks(timestamp, report.timestamp) / rate
        first, when = self.anchors.setdefault(ssrc, (timestamp, at))
        return when + _ticks(timestamp, first) / rate


def _ticks(timestamp: int, base: int) -> int:
    return ((timestamp - base + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
