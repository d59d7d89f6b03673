"""A match as it is stored, and as a customer sees it."""

from decimal import Decimal
from typing import Any

from core.money import price_minor
from matching.ranking.explanation import PRIVATE_FEATURES, public_inputs
from matching.ranking.ranker import Ranked, Sum

ESTIMATE_MINUTES = (10, 20, 30)
MS_PER_MINUTE = 60_000


def result_of(ranked: Ranked) -> dict[str, Any]:
    """A ranked candidate as it is stored."""
    return {
        "user_id": str(ranked.user_id),
        "score_centi": ranked.score_centi,
        "p_success": round(ranked.p_success, 6),
        "factors": factors_view(ranked),
        "inputs": dict(ranked.inputs),
    }


def factors_view(ranked: Ranked) -> list[dict[str, Any]]:
    """The factors; their contributions add up to the score exactly."""
    return [
        {
            "factor": factor.factor,
            "value": factor.value,
            "weight": factor.weight,
            "contribution_centi": factor.contribution_centi,
        }
        for factor in ranked.factors
    ]


def match_view(
    ranked: Ranked, card: dict[str, Any], why: list[dict[str, Any]], against: list[dict[str, Any]]
) -> dict[str, Any]:
    """A Match as a customer sees it."""
    rate = int(card["rate_minor_per_hour"])
    return {
        "consultant": card,
        "score": (ranked.score_centi + 50) // 100,
        "score_centi": ranked.score_centi,
        "factors": [
            {**view, "sum": sum_view(each.sum)} for view, each in zip(factors_view(ranked), ranked.factors, strict=True)
        ],
        "reasons": why,
        "concerns": against,
        "inputs": public_inputs(ranked.inputs),
        "price": {
            "per_minute_minor": per_minute(rate),
            "estimates": [
                {"minutes": minutes, "minor": price_minor(rate, minutes * MS_PER_MINUTE)}
                for minutes in ESTIMATE_MINUTES
            ],
        },
    }


def sum_view(of: Sum | None) -> dict[str, Any] | None:
    """What a learned factor's points are worked out from."""
    if of is None:
        return None
    weighed = [(one.name, one.value, one.weight) for one in of.weighed if one.name not in PRIVATE_FEATURES]
    record = [one.value * one.weight for one in of.weighed if one.name in PRIVATE_FEATURES]
    if record:  # what somebody's days look like is told as one figure
        weighed.append(("record", sum(record), 1.0))
    named = [{"name": name, "value": value, "weight": weight} for name, value, weight in weighed]
    return {"weighed": named, "low": of.low, "scale": of.scale}


def per_minute(rate_minor_per_hour: int) -> str:
    """An hourly rate per minute, as a decimal number of minor units; for reading only."""
    exact = (Decimal(rate_minor_per_hour) / 60).quantize(Decimal("0.01"))
    return format(exact.normalize(), "f")
