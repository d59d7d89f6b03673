"""The limiter: keeps this process under 60 % of Stripe's live rate limits (25/s an endpoint, 100/s in all)."""

import asyncio
from collections import deque

from billing.provider.errors import ProviderBusy

WINDOW_S = 1.0
PER_ENDPOINT = 15  # 60 % of 25
IN_ALL = 60  # 60 % of 100
PATIENCE_S = 5.0


class Limiter:
    """A sliding window of one second per endpoint and over all; a caller waits its turn, or is told to come back.

    It counts the requests of one process; ``part`` is for one of several workers of the same Stripe account.
    """

    def __init__(
        self, *, per_endpoint: int = PER_ENDPOINT, in_all: int = IN_ALL, patience_s: float = PATIENCE_S
    ) -> None:
        self._per_endpoint = per_endpoint
        self._patience_s = patience_s
        self._all: deque[float] = deque(maxlen=in_all)
        self._endpoints: dict[str, deque[float]] = {}

    @classmethod
    def part(cls, workers: int) -> "Limiter":
        """The limits of one of ``workers`` processes: together they stay under those of one."""
        return cls(per_endpoint=max(1, PER_ENDPOINT // workers), in_all=max(1, IN_ALL // workers))

    async def turn(self, endpoint: str) -> None:
        """Wait until one more request to ``endpoint`` is allowed.

        Raises ProviderBusy, without having sent anything, when the queue is longer than the patience.
        """
        now = asyncio.get_running_loop().time()
        own = self._endpoints.setdefault(endpoint, deque(maxlen=self._per_endpoint))
        # A full window lets the next one in a second after its oldest; turns are booked ahead, so order is kept.
        at = max([now, *(window[0] + WINDOW_S for window in (own, self._all) if len(window) == window.maxlen)])
        if at - now > self._patience_s:
            raise ProviderBusy("Too many payment requests are waiting; try again in a moment.")
        own.append(at)
        self._all.append(at)
        if at > now:
            await asyncio.sleep(at - now)
