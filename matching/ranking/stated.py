"""Factors by stated rules, for which there is nothing to learn from: price and answer time, 0 to 100 (PURE)."""

import numpy as np

from matching.ranking.ranker import Candidates, Ints, Query

FULL = 100
SLOWEST_MS = 20_000  # the length of a ring
UNKNOWN_RESPONSE_MS = 8_000
NEUTRAL_PRICE = 50  # without a budget, a price is neither good nor bad


def response_value(candidates: Candidates) -> Ints:
    """20 s or more, the length of a ring: 0; at once: 100."""
    known = np.where(candidates.response_ms < 0, UNKNOWN_RESPONSE_MS, candidates.response_ms)
    value: Ints = FULL * (SLOWEST_MS - np.minimum(known, SLOWEST_MS)) // SLOWEST_MS
    return value


def price_value(query: Query, candidates: Candidates) -> Ints:
    """Inside the budget: 50 at its edge, up to 100 for free; dearer or in another currency: 0."""
    budget = query.max_rate_minor_per_hour
    if budget is None or query.currency is None:
        return np.full(len(candidates), NEUTRAL_PRICE, dtype=np.int64)
    rate = candidates.rate_minor_per_hour
    fits = candidates.same_currency & (rate <= budget)
    saved = FULL * (budget - np.minimum(rate, budget)) // (2 * max(budget, 1))
    return np.where(fits, NEUTRAL_PRICE + saved, 0)
