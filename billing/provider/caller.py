"""StripeCaller: sends one request to Stripe and turns every failure into what it means."""

from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, Protocol

import aiohttp
import stripe

from billing.provider.limiter import Limiter
from billing.provider.translation import meaning_of

PAGE = 100
_P = ParamSpec("_P")


class _StripeObject(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


class StripeCaller:
    """The SDK's client, its connections, and our turn in the queue. The SDK's own retries are off."""

    def __init__(
        self,
        *,
        api_key: str,
        api_base: str,
        webhook_secret: str,
        timeout_s: float = 10.0,
        limiter: Limiter | None = None,
    ) -> None:
        self._webhook_secret = webhook_secret
        self._limiter = limiter or Limiter()
        stripe.enable_telemetry = False  # it would write a file below the home directory
        self._http = stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=timeout_s))
        self._stripe = stripe.StripeClient(
            api_key, http_client=self._http, max_network_retries=0, base_addresses={"api": api_base}
        ).v1

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def _send(
        self,
        endpoint: str,
        request: Callable[_P, Awaitable[_StripeObject]],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> dict[str, Any]:
        """Wait for our turn, send, and turn every failure into what it means."""
        await self._limiter.turn(endpoint)
        try:
            return (await request(*args, **kwargs)).to_dict()
        except stripe.StripeError as error:
            raise meaning_of(error.http_status, error.json_body, error.headers or {}) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:  # the SDK lets errors while reading through
            raise meaning_of(None, None, {}) from error
