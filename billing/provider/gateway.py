"""StripeGateway: the one door to the Stripe SDK. Plain values in, plain values out.

Every write takes its idempotency key from the caller, who stored it before calling (billing.md, 'Every Stripe write').
The SDK's own retries are off: what to do after an error is the caller's decision, told by the error's class.
One file a subject, beside this one; all of them send through ``connection.py``.
"""

import stripe

from billing.provider import parsing
from billing.provider.accounts import Accounts
from billing.provider.customers import Customers
from billing.provider.disputes import Disputes
from billing.provider.errors import WebhookForged
from billing.provider.holds import Holds
from billing.provider.objects import ProviderEvent
from billing.provider.payouts import Payouts
from billing.provider.records import Records
from billing.provider.refunds import Refunds
from billing.provider.transfers import Transfers


class StripeGateway(Customers, Holds, Refunds, Transfers, Disputes, Accounts, Payouts, Records):
    """Stripe, or the sandbox: the same code against ``api_base``."""

    def verify_webhook(self, raw: bytes, signature: str | None) -> ProviderEvent:
        """Check the signature over the raw body (300 s tolerance) and read the event; WebhookForged otherwise."""
        try:
            event = stripe.Webhook.construct_event(raw, signature, self._webhook_secret)
        except (stripe.SignatureVerificationError, ValueError) as error:
            raise WebhookForged from error
        return parsing.event(event.to_dict())
