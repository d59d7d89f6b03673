"""The terms: which documents there are in which version, and the price rule every sentence about money is made from."""

from typing import Literal

from billing.metering.terms import DEFAULT_TERMS
from people.consents import CURRENT
from web.routing import Access, Call, route
from web.schemas import Output

DEFAULT_CAP_MINUTES = 30  # decisions: the cap a customer is offered first


class DocumentOut(Output):
    """One document somebody agrees to, and where it can be read."""

    document: Literal["terms", "privacy", "consultant_agreement"]
    version: str
    url: str


class TermsOut(Output):
    """What a new call would be made under."""

    documents: list[DocumentOut]
    policy: Literal["whole_call", "after_threshold"]
    threshold_ms: int
    commission_bps: int
    default_cap_minutes: int


@route("GET", "/api/terms", access=Access.PUBLIC, reply=TermsOut)
async def get_terms(call: Call) -> TermsOut:  # noqa: ARG001 - every handler has this form
    """Documents with their versions, and the price rule for new calls."""
    return TermsOut(
        documents=[
            DocumentOut(document=document.value, version=version, url=f"/legal/{document.value.replace('_', '-')}")
            for document, version in CURRENT.items()
        ],
        policy=DEFAULT_TERMS.policy.value,
        threshold_ms=DEFAULT_TERMS.threshold_ms,
        commission_bps=DEFAULT_TERMS.commission_bps,
        default_cap_minutes=DEFAULT_CAP_MINUTES,
    )
