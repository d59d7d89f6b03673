"""``./bench dispatch``: a market of invented people on a virtual clock, rung by the product's own ring order."""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from statistics import fmean, quantiles
from typing import Any

from matching.request import RingTimes
from matching.ring_order import VERSION
from tests.bench.dispatch_market import Laws, Market

PROMISE_S = 120.0
ENOUGH_CONTACTS = 5


def figures(market: Market) -> dict[str, Any]:
    """What became of everybody who asked after the warm-up."""
    asked = market.measured()
    answered = [one for one in asked if one.state == "answered"]
    waits = sorted(one.answered_at - one.at for one in answered if one.answered_at is not None)
    cuts = quantiles(waits, n=100, method="inclusive")
    span_s = market.laws.hours * 3_600
    online_s = market.laws.consultants * span_s - sum(one.away_s for one in market.consultants)
    new = [one for one in market.consultants if one.new]
    return {
        "requests": len(asked),
        "p50_s": round(cuts[49], 1),
        "p95_s": round(cuts[94], 1),
        "within_2_min": round(sum(wait <= PROMISE_S for wait in waits) / len(asked), 4),
        "abandoned": round(1 - len(answered) / len(asked), 4),
        "fit": round(fmean(one.fit for one in answered), 4),
        "success": round(fmean(one.success for one in answered), 4),
        "utilisation": round(sum(one.busy_s for one in market.consultants) / online_s, 4),
        "utilisation_with_rings": round(sum(one.busy_s + one.rung_s for one in market.consultants) / online_s, 4),
        "offered": round(len(asked) * 720.0 / (market.laws.consultants * span_s), 4),
        "rings_per_answer": round(
            len([r for r in market.rings if r[2] >= market.laws.warm_up_h * 3_600]) / len(answered), 3
        ),
        "newcomers": len(new),
        "newcomers_with_5_contacts": round(sum(one.met >= ENOUGH_CONTACTS for one in new) / len(new), 4)
        if new
        else None,
    }


def play(laws: Laws) -> dict[str, Any]:
    """One run."""
    market = Market(laws)
    market.run()
    return figures(market)


def main(argv: Sequence[str] | None = None) -> int:
    """Play the market with exploration and without; print a table, or one JSON line with ``--json``."""
    parser = argparse.ArgumentParser(prog="bench dispatch", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--consultants", type=int, default=200)
    parser.add_argument("--load", type=float, default=0.9)
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--newcomers", type=float, default=0.2)
    parser.add_argument("--silent", type=float, default=1.0)
    parser.add_argument("--patience", choices=("unrung", "gamma", "always"), default="unrung")
    parser.add_argument("--widen-after", type=float, default=60.0)
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
    began = time.perf_counter()
    found = {"on": play(laws), "off": play(replace(laws, explore=False))}
    took = round(time.perf_counter() - began, 1)
    print(json.dumps({"bench": "dispatch", "ring_order": VERSION, "took_s": took, **found}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
