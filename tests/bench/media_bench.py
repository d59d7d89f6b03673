"""What a call costs the relay: N real calls through a server process of its own; CPU, loss, latency; and Janus."""

import argparse
import asyncio
import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from media.relay import new_certificate
from tests.bench.janus import Janus
from tests.bench.media_curve import draw
from tests.bench.media_server import MediaServer
from tests.bench.participant import PROFILES, Participant, Ssrcs
from tests.bench.traffic import Fate, Traffic
from tests.bench.vitals import cpu_s

WARM_UP_S, TICK_S = 1.5, 0.001
CURVE = (10, 25, 50, 100)
SATURATED = 0.95
CORES = sorted(os.sched_getaffinity(0))  # the server's is the first, ours the last

Server = MediaServer | Janus


async def load(servers: list[Server], wishes: argparse.Namespace, calls: int) -> dict[str, Any]:
    """Set up the calls (spread over the servers), send, and measure."""
    certificate, traffic, setups = new_certificate(), [], []
    for index in range(calls):
        pair = [Participant(certificate, wishes.profile, _ssrcs(2 * index + n)) for n in range(2)]
        began = time.monotonic()
        await servers[index % len(servers)].connect(index, pair)
        setups.append(time.monotonic() - began)
        two = [Traffic(one, rtcp=wishes.rtcp, loss=wishes.loss) for one in pair]
        two[0].pair_with(two[1])
        two[1].pair_with(two[0])
        traffic += two
    for server in servers:
        await server.ready()
    gc.collect()
    gc.freeze()
    found = await _measure(servers, traffic, wishes.seconds)
    for one in traffic:
        await one.participant.close()
    gc.unfreeze()
    found["setup_p95_s"] = round(sorted(setups)[int(0.95 * (len(setups) - 1))], 3)  # of both sides together
    return {"calls": calls, **found}


async def _measure(servers: list[Server], traffic: list[Traffic], seconds: float) -> dict[str, Any]:
    for one in traffic:
        one.begin(time.monotonic())
    await _send(traffic, WARM_UP_S)
    before, own, began = [cpu_s(server.pid) for server in servers], time.process_time(), time.monotonic()
    first = [one.counts for one in traffic]
    received = [one.received for one in traffic]
    for one in traffic:
        one.measuring = True
    await _send(traffic, seconds)
    used = [cpu_s(server.pid) - at for server, at in zip(servers, before, strict=True)]
    lasted, own = time.monotonic() - began, time.process_time() - own
    last = [one.counts for one in traffic]
    got = [one.received - at for one, at in zip(traffic, received, strict=True)]
    for one in traffic:
        one.measuring = False
    await _send(traffic, 0.4)  # what is under way, and what is asked for again, arrives
    fates = [one.fate(first[n ^ 1], last[n ^ 1]) for n, one in enumerate(traffic)]
    return _figures(servers, traffic, lasted, used, own, fates, got)


async def _send(traffic: list[Traffic], seconds: float) -> None:
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        for one in traffic:
            one.tick(now)
        await asyncio.sleep(max(0.0, now + TICK_S - time.monotonic()))


def _figures(
    servers: list[Server],
    traffic: list[Traffic],
    lasted_s: float,
    used_s: list[float],
    own_s: float,
    fates: list[Fate],
    got: list[int],
) -> dict[str, Any]:
    calls, cores = len(traffic) // 2, sum(used_s) / lasted_s
    delays = sorted(delay for one in traffic for delay in one.delays_ms)
    generator = own_s / lasted_s
    return {
        "server": servers[0].name,
        "seconds": round(lasted_s, 2),
        "packets": sum(got),
        "cpu_cores": round(cores, 3),
        "cpu_ms_per_call_s": round(1000 * cores / calls, 3),
        "us_per_packet": round(1e6 * sum(used_s) / max(1, sum(got)), 2),
        "calls_per_core": round(calls / cores, 1),
        "loss": round(sum(fate.lost for fate in fates) / max(1, sum(fate.sent for fate in fates)), 6),
        "not_repaired": sum(fate.not_repaired for fate in fates),
        "p50_ms": round(statistics.median(delays), 3) if delays else None,
        "p99_ms": round(delays[int(0.99 * (len(delays) - 1))], 3) if delays else None,
        "dead_directions": sum(1 for count in got if count == 0),
        "wrong_samples": sum(one.wrong for one in traffic),
        "rtcp_received": sum(one.rtcp_in for one in traffic),
        "nacks": sum(one.nacks for one in traffic),
        "repeated": sum(one.rtx_in for one in traffic),
        "lag_p99_ms": _lag_p99_ms(servers),
        "rss_mb": round(sum(_rss_mb(server.pid) for server in servers), 1),
        "generator_cores": round(generator, 3),
        "generator_saturated": generator > SATURATED,
    }


def _lag_p99_ms(servers: list[Server]) -> float | None:
    """How late our own loop was for its next round; of others we cannot know."""
    lags = sorted(lag for server in servers if isinstance(server, MediaServer) for lag in server.ask("lags"))
    return round(1000 * lags[int(0.99 * (len(lags) - 1))], 2) if lags else None


def _ssrcs(n: int) -> Ssrcs:
    return Ssrcs(audio=10_000 + 10 * n, video=10_001 + 10 * n, rtx=10_002 + 10 * n)


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def run(kind: type[Server], wishes: argparse.Namespace, calls: int, nodes: int = 1) -> dict[str, Any]:
    """One measurement on fresh servers."""

    async def whole() -> dict[str, Any]:
        servers: list[Server] = [kind(CORES[0]) for _ in range(nodes)]
        try:
            found = await load(servers, wishes, calls)
            if nodes > 1:
                found["strangers"] = _strangers(servers)
            return found
        finally:
            for server in servers:
                await server.stop()

    return uvloop.run(whole())


def _strangers(servers: list[Server]) -> int:
    """Calls of which a node saw a packet although another carries them."""
    found = 0
    for n, server in enumerate(servers):
        if isinstance(server, MediaServer):
            found += sum(1 for index in server.ask("seen") if index % len(servers) != n)
    return found


def median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run whose CPU is the median, with the worst loss, latency and dead directions of all."""
    middle = sorted(runs, key=lambda one: one["cpu_cores"])[len(runs) // 2]
    worst = {key: max(one[key] for one in runs) for key in ("loss", "p99_ms", "dead_directions", "wrong_samples")}
    return middle | {f"worst_{key}": value for key, value in worst.items()} | {"runs": len(runs)}


def compare(wishes: argparse.Namespace, calls: int) -> dict[str, Any]:
    """All runs of one size, ours and the other's in turn."""
    ours, theirs, split = [], [], []
    for n in range(wishes.runs):
        kinds: list[type[Server]] = [MediaServer] + ([Janus] if wishes.against else [])
        for kind in kinds if n % 2 == 0 else kinds[::-1]:
            one = run(kind, wishes, calls)
            (ours if kind is MediaServer else theirs).append(one)
            _say(f"run {n + 1} of {wishes.runs}, {calls} calls, {kind.name}: {one['cpu_cores']} cores")
        if wishes.nodes > 1:
            split.append(run(MediaServer, wishes, calls, wishes.nodes))
    found = median(ours)
    if theirs:
        found["against"] = median(theirs)
        ratios = [mine["cpu_cores"] / other["cpu_cores"] for mine, other in zip(ours, theirs, strict=True)]
        found["ratios"] = [round(ratio, 3) for ratio in ratios]
        found["ratio"] = round(statistics.median(ratios), 3)
    if split:
        found["nodes"] = median(split) | {"strangers": sum(one["strangers"] for one in split)}
        found["nodes_ratio"] = round(found["nodes"]["cpu_cores"] / found["cpu_cores"], 3)
    return found


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of ``./bench media``."""
    parser = argparse.ArgumentParser(prog="./bench media", description=__doc__)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--loss", type=float, default=0.0, help="share of packets each receiver drops, e.g. 0.03")
    parser.add_argument("--rtcp", action=argparse.BooleanOptionalAction, default=True, help="RTCP as browsers send it")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="gcm", help="SRTP: gcm as browsers choose, cm80")
    parser.add_argument("--against", choices=["janus"], help="the same load on another server, in turn")
    parser.add_argument("--runs", type=int, default=1, help="medians over so many runs")
    parser.add_argument("--nodes", type=int, default=1, help="also spread the calls over so many node processes")
    parser.add_argument("--curve", action="store_true", help=f"at {CURVE} calls")
    parser.add_argument("--draw", type=Path, help="draw the curve into this SVG file")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    wishes = parser.parse_args(argv)
    os.sched_setaffinity(0, {CORES[-1]})
    found = {"bench": "media", "rtcp": wishes.rtcp, "profile": wishes.profile, "drop": wishes.loss}
    if wishes.curve:
        points = [compare(wishes, calls) for calls in CURVE]
        flat = points[-1]["cpu_ms_per_call_s"] / points[0]["cpu_ms_per_call_s"]
        found |= points[-1] | {"curve": points, "last_to_first": round(flat, 3)}
        if wishes.draw:
            wishes.draw.write_text(draw(points))
    else:
        found |= compare(wishes, wishes.calls)
    sys.stdout.write((json.dumps(found) if wishes.json else json.dumps(found, indent=2)) + "\n")
    return 0
