"""P2: joins and leaves leave nothing behind in a media process: memory, files, threads, tasks. Full: 5,000 cycles."""

import uvloop

from media.relay import new_certificate
from tests.bench.media_server import MediaServer
from tests.bench.participant import Participant, Ssrcs
from tests.fakes.gauge import FULL, number, say

WARM_UP = 40
PACKET = bytes([0x80, 111]) + bytes(6) + (1).to_bytes(4) + bytes(60)


async def cycles(server: MediaServer, count: int, first: int) -> None:
    certificate = new_certificate()
    for n in range(first, first + count):
        one = Participant(certificate, "gcm", Ssrcs(1, 2, 3))
        role = "customer" if n % 2 else "consultant"
        peer_id, offer = server.ask("join", n % 50, role)
        server.ask("answer", n % 50, peer_id, await one.answer(offer))
        await one.connect(offer, offered=False)
        one.take_over(lambda _data: None)
        for seq in range(5):
            one.send(one.protect(PACKET[:2] + seq.to_bytes(2) + PACKET[4:]))
        server.ask("leave", n % 50, peer_id)
        await one.close()


def test_p2_joins_and_leaves_leave_nothing_behind() -> None:
    server, count = MediaServer(), number(5_000, 60)
    try:
        uvloop.run(cycles(server, WARM_UP, 0))
        before = server.ask("vitals")
        uvloop.run(cycles(server, count, WARM_UP))
        after = server.ask("vitals")
    finally:
        uvloop.run(server.stop())
    grown_mb = (after["rss_bytes"] - before["rss_bytes"]) / 1e6
    say(f"P2: {count} joins and leaves: {before} → {after}, {1000 * grown_mb / count:.2f} MB per 1,000")
    for what in ("files", "threads", "tasks"):
        assert after[what] == before[what]
    if FULL:  # over a few cycles the allocator's steps hide the truth
        assert 1000 * grown_mb / count <= 2
