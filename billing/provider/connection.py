"""The connection to Stripe, or to the sandbox: our turn, the request, and what its failure means."""

from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import aiohttp
import stripe

from billing.provider.limiter import Limiter
from billing.provider.translation import meaning_of

PAGE = 100
_P = ParamSpec("_P")
_Params = TypeVar("_Params")


class _StripeObject(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


def on_behalf(account_id: str | None) -> stripe.RequestOptions:
    """The options that make a request speak for a connected account; for None it speaks for the platform."""
    return {} if account_id is None else {"stripe_account": account_id}


class Connection:
    """What every subject of the gateway sends through."""

    def __init__(
        self,
        *,
        api_key: str,
        api_base: str,
        webhook_secret: str,
        timeout_s: float = 10.0,
        limiter: Limiter | None = None,
        http: stripe.HTTPClient | None = None,
    ) -> None:
        """``http`` replaces the SDK's own client: the simulation puts the sandbox there, without a socket."""
        self._webhook_secret = webhook_secret
        self._limiter = limiter or Limiter()
        stripe.enable_telemetry = False  # it would write a file below the home directory
        self._http = http or stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=timeout_s))
        self._stripe = stripe.StripeClient(
            api_key, http_client=self._http, max_network_retries=0, base_addresses={"api": api_base}
        ).v1

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def _every(
        self,
        endpoint: str,
        request: Callable[[_Params, stripe.RequestOptions], Awaitable[_StripeObject]],
        params: _Params,
        options: stripe.RequestOptions | None = None,
    ) -> list[dict[str, Any]]:
        """Every object of a list, newest first, page by page."""
        found: list[dict[str, Any]] = []
        paging: dict[str, Any] = {"limit": PAGE}
        while True:
            paged = cast(_Params, {**cast(dict[str, Any], params), **paging})
            raw = await self._send(endpoint, request, paged, options or {})
            found += raw["data"]
            if not raw["has_more"] or not raw["data"]:
                return found
            paging["starting_after"] = found[-1]["id"]

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
