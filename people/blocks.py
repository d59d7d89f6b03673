"""Blocks: two persons who are never matched again, whoever of them wished so."""

from core import audit
from core.db import Tx
from core.errors import Invalid
from core.ids import UserId
from people import store
from people.events import UserBlocked
from people.origin import Origin


class BlockService:
    """Adds blocks and answers who is kept apart."""

    async def add(self, tx: Tx, blocker: UserId, blocked: UserId, origin: Origin) -> None:
        """Keep these two apart from now on; doing it twice changes nothing."""
        if blocker == blocked:
            raise Invalid("You cannot block yourself.")
        if not await store.add_block(tx, blocker, blocked, tx.now):
            return
        audit.record(
            tx,
            "person.blocked",
            subject=f"account:{blocked}",
            actor=blocker,
            ip_hash=origin.ip_hash,
            request_id=origin.request_id,
        )
        await tx.publish(UserBlocked(blocker_id=blocker, blocked_id=blocked))

    async def kept_apart_from(self, tx: Tx, user: UserId) -> set[UserId]:
        """Everyone this person must not meet."""
        return await store.blocked_with(tx, user)
