"""A mail relay: a real SMTP server on this machine that keeps what it is given, and can be told to refuse."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP


class Relay:
    """Letters in the order in which they came. ``answer`` is what a recipient is met with, None for a welcome."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.answer: str | None = None
        self.port = 0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """As ``MAIL_URL`` wants it."""
        return f"smtp://127.0.0.1:{self.port}"

    async def open(self) -> None:
        """Listen, on the old port where there was one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Be away: whoever connects is refused."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def handle_RCPT(self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        """Welcome a recipient, or not."""
        if self.answer is not None:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 welcome"

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep a letter."""
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.letters.append(cast("EmailMessage", message))
        return "250 kept"


@asynccontextmanager
async def in_process() -> AsyncIterator[Relay]:
    """A relay that listens for as long as the block runs."""
    relay = Relay()
    await relay.open()
    yield relay
    await relay.close()
