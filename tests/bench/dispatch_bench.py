"""``./bench dispatch``: a market of invented people on a virtual clock, rung by the product's own ring order.

The plan, the bar, the draws and the number of rings are the server's (``ring_order.py`` and ``request.py`` of
``matching/dispatch``); a test plays scripted scenarios on both and compares every ring. What is assumed of people
is in ``dispatch_market.py``.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from statistics import fmean, quantiles
from typing import Any

from matching.dispatch.request import RingTimes
from matching.dispatch.ring_order import VERSION
from tests.bench.dispatch_market import CALL_S, Laws, Market

PROMISE_S = 120.0
ENOUGH_CONTACTS = 5


def figures(market: Market) -> dict[str, Any]:
    """What became of everybody who asked after the warm-up; shares are of all who asked unless named otherwise."""
    asked = market.measured()
    answered = [one for one in asked if one.state == "answered"]
    waits = sorted(one.answered_at - one.at for one in answered if one.answered_at is not None)
    in_time = sum(wait <= PROMISE_S for wait in waits)
    cuts = quantiles(waits, n=100, method="inclusive")
    return {
        "requests": len(asked),
        "p50_s": round(cuts[49], 1),
        "p95_s": round(cuts[94], 1),
        "within_2_min": round(in_time / len(asked), 4),
        "answered_within_2_min": round(in_time / len(answered), 4),
        "abandoned": round(1 - len(answered) / len(asked), 4),
        "fit": round(fmean(one.fit for one in answered), 4),
        "success": round(fmean(one.success for one in answered), 4),
        **_use(market, len(asked)),
        "rings_per_request": round(
            sum(at >= market.laws.warm_up_h * 3_600 for _, _, at in market.rings) / len(asked), 3
        ),
    }


def _use(market: Market, asked: int) -> dict[str, Any]:
    """Shares of the time online, away apart: in calls, in calls or being rung; what was asked for; the newcomers."""
    span_s = market.laws.hours * 3_600
    away_s = sum(one.away_s for one in market.consultants)
    online_s = market.laws.consultants * span_s - away_s
    new = [one for one in market.consultants if one.new]
    enough = sum(one.met >= ENOUGH_CONTACTS for one in new)
    return {
        "utilisation": round(sum(one.busy_s for one in market.consultants) / online_s, 4),
        "utilisation_with_rings": round(sum(one.busy_s + one.rung_s for one in market.consultants) / online_s, 4),
        "away": round(away_s / (market.laws.consultants * span_s), 4),
        "offered": round(asked * CALL_S / (market.laws.consultants * span_s), 4),
        "newcomers": len(new),
        "newcomers_with_5_contacts": round(enough / len(new), 4) if new else None,
    }


def play(laws: Laws) -> dict[str, Any]:
    """One run."""
    market = Market(laws)
    market.run()
    return figures(market)


def compare(laws: Laws) -> dict[str, Any]:
    """The same market with exploration and without."""
    began = time.process_time()
    on, off = play(laws), play(replace(laws, explore=False))
    return {
        "bench": "dispatch",
        "ring_order": VERSION,
        "consultants": laws.consultants,
        "load": laws.load,
        "hours": laws.hours,
        "seed": laws.seed,
        "patience": laws.patience,
        "silent": laws.silent,
        **on,
        "without_exploration": off,
        "success_lost_by_exploring": round(1 - on["success"] / off["success"], 4),
        "cpu_s": round(time.process_time() - began, 1),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Play the market with exploration and without; one line of JSON with ``--json``."""
    parser = argparse.ArgumentParser(prog="./bench dispatch", description=__doc__)
    parser.add_argument("--consultants", type=int, default=200)
    parser.add_argument("--load", type=float, default=0.9, help="calls asked for, as a share of all consultants' time")
    parser.add_argument("--hours", type=float, default=10.0, help="measured, after a warm-up of one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--newcomers", type=float, default=0.2, help="share of consultants without any contact yet")
    parser.add_argument("--silent", type=float, default=0.5, help="share of refused rings that nobody answers at all")
    parser.add_argument(
        "--patience",
        choices=("unrung", "gamma", "always"),
        default="unrung",
        help="exponential while nobody is rung; gamma of shape 4, always running; exponential, always running",
    )
    parser.add_argument("--widen-after", type=float, default=60.0, help="seconds after which two ring at once")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    wishes = parser.parse_args(argv)
    laws = Laws(
        consultants=wishes.consultants,
        load=wishes.load,
        hours=wishes.hours,
        seed=wishes.seed,
        newcomers=wishes.newcomers,
        silent=wishes.silent,
        patience=wishes.patience,
        times=RingTimes(widen_after=timedelta(seconds=wishes.widen_after)),
    )
    found = compare(laws)
    sys.stdout.write((json.dumps(found) if wishes.json else json.dumps(found, indent=2)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
