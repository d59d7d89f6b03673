"""What a call costs the relay: N real calls through a server process of its own; CPU, loss and added latency."""

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import statistics
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

import uvloop

from media.relay import CallRelay, new_certificate
from tests.bench.media_load import Leg, certificate

ROLES = ("customer", "consultant")
WARM_UP_S = 1.0


def server(pipe: Connection, core: int) -> None:
    """The process that is measured: relays and nothing else, pinned to one core."""
    _pin(core)
    uvloop.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    relays: list[CallRelay] = []
    shared = new_certificate()
    loop = asyncio.get_running_loop()
    requests: asyncio.Queue[Any] = asyncio.Queue()
    loop.add_reader(pipe.fileno(), lambda: requests.put_nowait(pipe.recv()))
    while True:
        what, *arguments = await requests.get()
        if what == "join":
            index, role = arguments
            if index == len(relays):
                relays.append(CallRelay(certificate=shared, allow_private=True, on_media=lambda _role, _at: None))
                relays[-1].set_forwarding(to_customer=True, to_consultant=True)
            pipe.send(await relays[index].join(role))
        elif what == "answer":
            index, peer_id, sdp = arguments
            await relays[index].answer(peer_id, sdp)
            pipe.send(None)
        elif what == "cpu":
            used = resource.getrusage(resource.RUSAGE_SELF)
            pipe.send(used.ru_utime + used.ru_stime)
        else:
            await asyncio.gather(*(relay.close() for relay in relays))
            return


async def load(pipe: Connection, calls: int, seconds: float) -> dict[str, Any]:
    """Set up the calls, send, and measure."""
    shared, legs = certificate(), []
    for index in range(calls):
        for role in ROLES:
            pipe.send(("join", index, role))
            peer_id, offer = pipe.recv()
            leg = Leg(shared)
            pipe.send(("answer", index, peer_id, await leg.answer(offer)))
            pipe.recv()
            async with asyncio.timeout(20):
                await leg.connect()
            legs.append(leg)
    sending = [asyncio.create_task(leg.send(WARM_UP_S + seconds + 0.5)) for leg in legs]
    await asyncio.sleep(WARM_UP_S)
    before = _cpu(pipe)
    began = asyncio.get_running_loop().time()
    for leg in legs:
        leg.measuring = True
    await asyncio.sleep(seconds)
    used, lasted = _cpu(pipe) - before, asyncio.get_running_loop().time() - began
    for leg in legs:
        leg.measuring = False
    sent = [leg.sent for leg in legs]
    await asyncio.sleep(0.3)  # what is under way arrives
    received = [leg.received for leg in legs]
    await asyncio.gather(*sending)
    for leg in legs:
        await leg.close()
    return _figures(calls, lasted, used, sent, received, [delay for leg in legs for delay in leg.delays_ms])


def _figures(
    calls: int, lasted_s: float, used_s: float, sent: list[int], received: list[int], delays_ms: list[float]
) -> dict[str, Any]:
    cores = used_s / lasted_s
    # A leg's receiver is the other leg of its pair; only packets marked by their sender are counted by it.
    lost = sum(sent[n] - received[n ^ 1] for n in range(len(sent)))
    ordered = sorted(delays_ms)
    return {
        "bench": "media",
        "calls": calls,
        "seconds": round(lasted_s, 2),
        "packets": sum(received),
        "cpu_cores": round(cores, 3),
        "us_per_packet": round(1e6 * used_s / max(1, sum(received)), 2),
        "calls_per_core": round(calls / cores, 1) if cores else None,
        "loss": round(lost / max(1, sum(sent)), 5),
        "p50_ms": round(statistics.median(ordered), 3) if ordered else None,
        "p99_ms": round(ordered[int(0.99 * (len(ordered) - 1))], 3) if ordered else None,
        "dead_directions": sum(1 for count in received if count == 0),
    }


def _cpu(pipe: Connection) -> float:
    pipe.send(("cpu",))
    seconds: float = pipe.recv()
    return seconds


def _pin(core: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of ``./bench media``."""
    parser = argparse.ArgumentParser(prog="./bench media", description=__doc__)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    wishes = parser.parse_args(argv)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=server, args=(theirs, 0), daemon=True)
    process.start()
    _pin(1)
    found = uvloop.run(load(ours, wishes.calls, wishes.seconds))
    ours.send(("stop",))
    process.join(10)
    sys.stdout.write((json.dumps(found) if wishes.json else json.dumps(found, indent=2)) + "\n")
    return 0
