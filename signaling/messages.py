"""Every message of the socket, typed and versioned; a message with anything unknown in it is refused."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StringConstraints

from signaling.views import Moment, Side

VERSION = 1
MAX_MESSAGE_BYTES = 64 * 1024
MAX_SDP_CHARS = 32 * 1024
MAX_CHAT_CHARS = 2_000


def _exactly_one(value: Any) -> Any:
    """``True == 1`` in Python; on the wire ``true`` is not a version."""
    if type(value) is not int:
        raise ValueError("the version is the number 1")
    return value


Version = Annotated[Literal[1], BeforeValidator(_exactly_one, json_schema_input_type=Literal[1])]
# No NUL: PostgreSQL cannot store it. Tabs and newlines are text; other control characters are not.
PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
PeerId = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Sdp = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=MAX_SDP_CHARS, pattern=r"^[^\x00]*$")]


class ClientMessage(BaseModel):
    """Base of what a client sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    v: Version


class Sync(ClientMessage):
    """Asks for a snapshot if the server's version differs from ``version``, the last one the client has."""

    version: Annotated[StrictInt, Field(ge=0, le=2**53)]


class Heartbeat(ClientMessage):
    """Says that this tab is alive; a consultant without one for 30 s is shown as offline."""


class MediaJoin(ClientMessage):
    """Asks for the server's media offer; joining again, from any tab or device, takes over."""

    call_id: UUID


class MediaAnswer(ClientMessage):
    """The browser's answer to the server's offer."""

    call_id: UUID
    peer_id: PeerId
    sdp: Sdp


class MediaState(ClientMessage):
    """What this side is sending, for the other side's icons; it never counts for the meter.

    ``video_held``: the camera is on, but its picture is held back so that the sound comes through.
    """

    call_id: UUID
    microphone: StrictBool
    camera: StrictBool
    screen: StrictBool
    video_held: StrictBool = False


class MediaStats(ClientMessage):
    """What this side received in the last two seconds; kept with the call, never counts for the meter."""

    call_id: UUID
    rtt_ms: Annotated[StrictInt, Field(ge=0, le=60_000)] | None
    loss_permille: Annotated[StrictInt, Field(ge=0, le=1_000)]
    jitter_ms: Annotated[StrictInt, Field(ge=0, le=60_000)]
    kbps: Annotated[StrictInt, Field(ge=0, le=1_000_000)]
    freezes: Annotated[StrictInt, Field(ge=0, le=1_000)]
    video_held: StrictBool


class ChatSend(ClientMessage):
    """A chat message; sent again with the same ``client_id`` it stays one message."""

    call_id: UUID
    client_id: Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    text: Annotated[
        str,
        StringConstraints(
            strict=True, strip_whitespace=True, min_length=1, max_length=MAX_CHAT_CHARS, pattern=PRINTABLE
        ),
    ]


class AuthRefresh(ClientMessage):
    """A fresh access token of the same user; the connection goes on without a break."""

    token: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=4096)]


class ServerMessage(BaseModel):
    """Base of what the server sends."""

    model_config = ConfigDict(from_attributes=True, frozen=True, json_schema_serialization_defaults_required=True)

    v: Literal[1] = 1


class ChatMessage(ServerMessage):
    """A chat message as stored; ``seq`` counts from 1 without gaps, so a gap means: fetch the history."""

    call_id: UUID
    seq: int
    client_id: str
    author_id: UUID
    author_role: Side
    text: str
    sent_at: Moment


class DirectoryChange(ServerMessage):
    """A consultant's live status changed."""

    user_id: UUID
    status: Literal["offline", "available", "away", "in_meeting", "limited"]


class SignedOut(ServerMessage):
    """This connection is over: sign in anew; the server closes it right after."""

    reason: Literal["expired", "revoked"]


class MediaReplaced(ServerMessage):
    """Another tab or device of yours took over the media of this call: close this peer connection.

    It goes to all tabs; only the one that holds ``peer_id`` acts on it.
    """

    call_id: UUID
    peer_id: str


class Ack(BaseModel):
    """The message was carried out."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    ok: Literal[True] = True


class Refusal(BaseModel):
    """The message was not carried out; ``message`` says what to do, ``code`` is for programs."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    ok: Literal[False] = False
    code: str
    message: str


class SyncAck(Ack):
    """The server's present version; a snapshot follows if it differs from yours."""

    version: int


class IceServer(BaseModel):
    """One STUN or TURN server in the form of W3C's ``RTCIceServer``."""

    model_config = ConfigDict(from_attributes=True)

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class JoinAck(Ack):
    """The server's offer; answer it with ``media.answer`` within 10 seconds.

    With ``relay_only`` no way but those of ``ice_servers`` may be used. Join again when the call's ``media_epoch`` is
    greater than ``epoch``.
    """

    peer_id: str
    sdp: str
    epoch: int
    ice_servers: list[IceServer]
    relay_only: bool


class ChatAck(Ack):
    """The message as stored, with its place in the order."""

    message: ChatMessage


class AuthAck(Ack):
    """How long the new token is good for."""

    expires_at: Moment
