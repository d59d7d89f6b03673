"""What strangers can send us, as functions of bytes: each may be refused in one way, and nothing else may happen."""

import contextlib
import struct
from collections.abc import Callable

from aioice import stun
from pydantic import ValidationError

from core.errors import Invalid
from media import rtp
from media.recording.frames import Pictures, Sound, parse, repeated
from media.sdp import EXT_MID, parse_answer
from signaling.protocol import CLIENT_EVENTS

Target = Callable[[bytes], None]
_rewriter = rtp.Rewriter(lambda ssrc: (ssrc ^ 1, 5), lambda ssrc: (ssrc ^ 2, 7))


def sdp(data: bytes) -> None:
    """A session description."""
    with contextlib.suppress(Invalid):
        parse_answer(data.decode("utf-8", "replace"))


def rtcp(data: bytes) -> None:
    """A decrypted compound RTCP packet; the relay catches these two."""
    rtp.sender_reports(data)
    rtp.round_trips(data)
    with contextlib.suppress(ValueError, struct.error):
        _rewriter.rewrite(data)


def packet(data: bytes) -> None:
    """A decrypted RTP packet, and all that becomes of it when it is recorded."""
    if len(data) < rtp.HEADER:
        return
    rtp.extension(data, EXT_MID)
    with contextlib.suppress(ValueError):
        rtp.rewrite_osn(data, 77)
    found = parse(data, 0.0)
    if found is not None:
        for one in (found, repeated(found)):
            if one is not None:
                Pictures().put(one)
                Sound().put(one)


def check(data: bytes) -> None:
    """A STUN message; the agent catches these two."""
    with contextlib.suppress(ValueError, struct.error):
        stun.parse_message(data).check_message_integrity(b"key")


def message(data: bytes) -> None:
    """A message on the socket: the first byte says which."""
    events = list(CLIENT_EVENTS.values())
    if data:
        with contextlib.suppress(ValidationError):
            events[data[0] % len(events)].body.model_validate_json(data[1:])


TARGETS: dict[str, Target] = {one.__name__: one for one in (sdp, rtcp, packet, check, message)}
