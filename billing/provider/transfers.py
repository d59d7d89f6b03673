"""Transfers between the platform and a connected account, and their reversals."""

from collections.abc import Mapping
from functools import partial

import stripe

from billing.provider import parsing
from billing.provider.connection import Connection
from billing.provider.objects import Transfer, TransferReversal


class Transfers(Connection):
    """Money that moves without a charge of its own: a dispute's share taken back, and given again when won."""

    async def create_transfer(
        self,
        *,
        destination_id: str,
        amount_minor: int,
        currency: str,
        transfer_group: str,
        metadata: Mapping[str, str],
        idempotency_key: str,
    ) -> Transfer:
        """Move money from the platform's balance to a connected account.

        Raises ProviderRejected with ``balance_insufficient`` when the platform does not hold it, and with
        ``insufficient_capabilities_for_transfer`` when the account may not receive it.
        """
        raw = await self._send(
            "POST /transfers",
            self._stripe.transfers.create_async,
            {
                "destination": destination_id,
                "amount": amount_minor,
                "currency": currency,
                "transfer_group": transfer_group,
                "metadata": dict(metadata),
            },
            {"idempotency_key": idempotency_key},
        )
        return parsing.transfer(raw)

    async def list_transfers(self, transfer_group: str) -> list[Transfer]:
        """Every transfer of a group, a capture's own among them, newest first."""
        params: stripe.params.TransferListParams = {"transfer_group": transfer_group}
        found = await self._every(
            "GET /transfers list",
            self._stripe.transfers.list_async,
            params,
        )
        return [parsing.transfer(raw) for raw in found]

    async def reverse_transfer(
        self, transfer_id: str, *, amount_minor: int, metadata: Mapping[str, str], idempotency_key: str
    ) -> TransferReversal:
        """Take part of a transfer back from the connected account; the application fee stays with us.

        Raises ProviderRejected with ``balance_insufficient`` when the account no longer holds it (it was paid out).
        """
        raw = await self._send(
            "POST /transfers/reversals",
            self._stripe.transfers.reversals.create_async,
            transfer_id,
            {"amount": amount_minor, "metadata": dict(metadata)},
            {"idempotency_key": idempotency_key},
        )
        return parsing.transfer_reversal(raw)

    async def list_transfer_reversals(self, transfer_id: str) -> list[TransferReversal]:
        """Every reversal of a transfer, a refund's own among them, newest first."""
        found = await self._every(
            "GET /transfers/reversals list",
            partial(self._stripe.transfers.reversals.list_async, transfer_id),
            {},
        )
        return [parsing.transfer_reversal(raw) for raw in found]
