"""What a failed request to Stripe means for us (billing.md, 'what an error means')."""

from core.errors import Invalid, Refused, Upstream


class ProviderDeclined(Refused):
    """The card was declined. Please use another card."""

    code = "card_declined"

    def __init__(self, message: str | None = None, *, code: str | None = None, decline_code: str | None = None) -> None:
        super().__init__(message, code=code, decline_code=decline_code)
        self.decline_code = decline_code


class ProviderUnknown(Upstream):
    """Stripe did not answer: nobody knows whether it acted. Ask again with the same key, or retrieve."""

    code = "provider_unknown"
    # ``replayed``: this is a *stored* 500, the same key will answer the same for ever, so retrieve.

    def __init__(self, message: str | None = None, *, replayed: bool = False) -> None:
        super().__init__(message, retryable=True, replayed=replayed)
        self.replayed = replayed


class ProviderBusy(Upstream):
    """Stripe did not begin: too many requests, this key is in flight, or ours is not accepted. Same key, later."""

    code = "provider_busy"


class ProviderRejected(Upstream):
    """Stripe refused the request itself: our bug. Stop this charge and open a case."""

    code = "provider_rejected"

    def __init__(
        self,
        message: str | None = None,
        *,
        provider_code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(
            message, retryable=False, provider_code=provider_code, param=param, provider_request_id=request_id
        )
        self.provider_code = provider_code
        self.param = param


class ProviderMissing(ProviderRejected):
    """Stripe knows no such object."""

    code = "provider_missing"


class ProviderDisconnected(ProviderRejected):
    """This connected account is none of ours any more: we may neither ask about it nor send to it."""

    code = "provider_disconnected"


class WebhookForged(Invalid):
    """The webhook's signature is missing, wrong or too old."""

    code = "webhook_forged"
