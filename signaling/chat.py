"""The chat service: ordered, idempotent messages between the two sides of a call. Text stays inert text."""

from core.db import Tx
from core.errors import Conflict, NotFound
from core.ids import CallId, UserId
from signaling import store
from signaling.call import State
from signaling.calls import CallService
from signaling.messages import ChatMessage
from signaling.models import ChatRow


class ChatService:
    """Only participants read or write."""

    def __init__(self, *, calls: CallService) -> None:
        self._calls = calls

    async def send(self, tx: Tx, call_id: CallId, user: UserId, *, client_id: str, text: str) -> ChatMessage:
        """Store a message and tell every web process; the same ``client_id`` again gives the same message back."""
        role = await self._calls.participants(tx, call_id, user)
        call = await store.lock_call(tx, call_id)  # the lock makes the order: one seq at a time
        if call is None:
            raise NotFound
        known = await store.chat_sent(tx, call_id, user, client_id)
        if known is not None:
            return ChatMessage.model_validate(known)
        if call.state == State.ENDED:
            raise Conflict("This call has ended; the chat can still be read.", code="ended")
        call.chat_seq += 1
        row = ChatRow(
            call_id=call_id,
            seq=call.chat_seq,
            client_id=client_id,
            author_id=user,
            author_role=role,
            text=text,
            sent_at=tx.now,
        )
        tx.session.add(row)
        # Through the database and not through Redis: a message that is stored is announced, whatever else is down.
        tx.signal("chat", f"{call_id}:{row.seq}:{call.customer_id}:{call.consultant_id}")
        return ChatMessage.model_validate(row)

    async def history(self, tx: Tx, call_id: CallId, user: UserId) -> list[ChatMessage]:
        """Every message of the call, in order."""
        await self._calls.participants(tx, call_id, user)
        return [ChatMessage.model_validate(row) for row in await store.chat_history(tx, call_id)]

    async def message(self, tx: Tx, call_id: CallId, seq: int) -> ChatMessage:
        """One message, for the gateway that announces it."""
        row = await store.chat_message(tx, call_id, seq)
        if row is None:
            raise NotFound
        return ChatMessage.model_validate(row)
