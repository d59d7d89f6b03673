"""Session descriptions: the offer we make (the same on every leg) and what we read from an answer. Pure.

One audio and two video sections (camera, screen), all ``sendrecv``, with identical payload types, extension ids, mids
and SSRCs on every leg, so that nothing of them needs rewriting while packets pass through (RFC 8843, RFC 8829).
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from core.errors import Invalid

MAX_SDP_BYTES = 32 * 1024
MAX_SOURCES = 16


class Source(StrEnum):
    """What a stream shows; the value is its mid."""

    AUDIO = "0"
    CAMERA = "1"
    SCREEN = "2"


VIDEO_SOURCES = (Source.CAMERA, Source.SCREEN)
OPUS = 111
RED = 112  # Opus with redundancy (RFC 2198), for who prefers it and whose other side accepts it


@dataclass(frozen=True, slots=True)
class Codec:
    """A video codec of the offer and the payload type of its retransmissions (RFC 4588)."""

    name: str
    payload: int
    rtx: int
    parameters: str | None = None


# VP8 first: every leg negotiates alone, a browser sends the first it accepts, and all browsers have VP8.
VIDEO_CODECS = (
    Codec("VP8", 96, 97),
    Codec("VP9", 98, 99, "profile-id=0"),
    Codec("H264", 102, 103, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
    Codec("AV1", 104, 105),
)
RTX_TYPES = frozenset(codec.rtx for codec in VIDEO_CODECS)
CLOCK_RATE = {Source.AUDIO: 48_000, Source.CAMERA: 90_000, Source.SCREEN: 90_000}

EXT_ABS_SEND_TIME, EXT_TRANSPORT_CC, EXT_MID = 2, 3, 4

_COMMON_EXTENSIONS = (
    f"a=extmap:{EXT_ABS_SEND_TIME} http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    f"a=extmap:{EXT_TRANSPORT_CC} http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    f"a=extmap:{EXT_MID} urn:ietf:params:rtp-hdrext:sdes:mid",
)


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """The SSRCs under which one source reaches its receiver; ``rtx`` is None for audio."""

    ssrc: int
    rtx: int | None


@dataclass(frozen=True, slots=True)
class Leg:
    """What an offer tells about our side of one peer's transport."""

    username: str
    password: str
    fingerprint: str
    candidates: tuple[str, ...]


@dataclass(slots=True)
class Answer:
    """What we use of a peer's answer. ``sources`` maps each announced SSRC to (source, is_rtx).

    Its candidates are not read: the peer proves its addresses by its checks (``media/ice.py``).
    """

    fingerprint: tuple[str, str]
    we_are_server: bool
    sources: dict[int, tuple[Source, bool]] = field(default_factory=dict)


def offer(session_id: int, leg: Leg, plan: dict[Source, StreamPlan]) -> str:
    """The offer for one peer; ``plan`` holds the SSRCs under which the other side will be heard and seen."""
    lines = [
        "v=0",
        f"o=- {session_id} 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        "a=group:BUNDLE 0 1 2",
        "a=msid-semantic: WMS *",
    ]
    for source in Source:
        lines += _section(source, leg, plan[source])
    return "\r\n".join(lines) + "\r\n"


def _section(source: Source, leg: Leg, stream: StreamPlan) -> list[str]:
    video = source in VIDEO_SOURCES
    payloads = " ".join(f"{codec.payload} {codec.rtx}" for codec in VIDEO_CODECS) if video else f"{OPUS} {RED}"
    lines = [
        f"m={'video' if video else 'audio'} 9 UDP/TLS/RTP/SAVPF {payloads}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=ice-ufrag:{leg.username}",
        f"a=ice-pwd:{leg.password}",
        f"a=fingerprint:sha-256 {leg.fingerprint}",
        "a=setup:actpass",
        f"a=mid:{source}",
        *_COMMON_EXTENSIONS,
        "a=sendrecv",
        f"a=msid:{source.name.lower()} {source.name.lower()}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
    ]
    if source is Source.AUDIO:
        lines += [f"a=candidate:{candidate}" for candidate in leg.candidates] + ["a=end-of-candidates"]
        lines += [f"a=rtpmap:{OPUS} opus/48000/2", f"a=fmtp:{OPUS} minptime=10;useinbandfec=1"]
        lines += [f"a=rtcp-fb:{OPUS} transport-cc", f"a=rtcp-fb:{OPUS} nack"]
        lines += [f"a=rtpmap:{RED} red/48000/2", f"a=fmtp:{RED} {OPUS}/{OPUS}"]
        lines += [f"a=ssrc:{stream.ssrc} cname:call"]
        return lines
    for codec in VIDEO_CODECS:
        lines += _video_codec(codec)
    lines += [f"a=ssrc-group:FID {stream.ssrc} {stream.rtx}"]
    lines += [f"a=ssrc:{ssrc} cname:call" for ssrc in (stream.ssrc, stream.rtx)]
    return lines


def _video_codec(codec: Codec) -> list[str]:
    lines = [f"a=rtpmap:{codec.payload} {codec.name}/90000"]
    feedback = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
    lines += [f"a=rtcp-fb:{codec.payload} {kind}" for kind in feedback]
    if codec.parameters:
        lines.append(f"a=fmtp:{codec.payload} {codec.parameters}")
    return [*lines, f"a=rtpmap:{codec.rtx} rtx/90000", f"a=fmtp:{codec.rtx} apt={codec.payload}"]


_SSRC_LINE = re.compile(r"ssrc:(\d{1,10})(?: |\Z)")
_FID_LINE = re.compile(r"ssrc-group:FID (\d{1,10}) (\d{1,10})\Z")
_FINGERPRINT = re.compile(
    r"fingerprint:(sha-(?:256|384|512)) ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31,63})\Z", re.IGNORECASE
)


def parse_answer(text: str) -> Answer:
    """Read an answer; raises ``Invalid`` with the reason when it does not fit our offer."""
    if len(text.encode()) > MAX_SDP_BYTES:
        raise Invalid(f"A session description may have {MAX_SDP_BYTES} bytes at most.")
    sections = _sections(text)
    if len(sections) != len(Source) + 1:
        raise Invalid("The answer must have the three media sections of the offer.")
    session, media = sections[0], sections[1:]
    lines = session + media[0]
    fingerprint = _one(_FINGERPRINT, lines, "fingerprint")
    answer = Answer(
        fingerprint=(fingerprint[1].lower(), fingerprint[2].upper()),
        we_are_server=_we_are_server(lines),
    )
    for source, section in zip(Source, media, strict=True):
        _check_section(source, section)
        _read_sources(answer, source, section)
    if len(answer.sources) > MAX_SOURCES:
        raise Invalid(f"An answer may announce {MAX_SOURCES} streams at most.")
    return answer


def _sections(text: str) -> list[list[str]]:
    sections: list[list[str]] = [[]]
    for raw in text.replace("\r\n", "\n").split("\n"):
        if raw.startswith("m="):
            sections.append([raw])
        elif raw.startswith("a="):
            sections[-1].append(raw[2:])
    return sections


def _check_section(source: Source, section: list[str]) -> None:
    kind = "video" if source in VIDEO_SOURCES else "audio"
    words = section[0].split()
    if not section[0].startswith(f"m={kind} ") or len(words) < 4 or words[1] == "0":  # noqa: PLR2004 - m=kind port proto fmt
        raise Invalid(f"Section {source} of the answer must be {kind} and not rejected.")
    if f"mid:{source}" not in section:
        raise Invalid(f"Section {source} of the answer must keep its mid.")


def _read_sources(answer: Answer, source: Source, section: list[str]) -> None:
    retransmissions = {int(found[2]) for line in section if (found := _FID_LINE.match(line))}
    for line in section:
        if found := _SSRC_LINE.match(line):
            ssrc = int(found[1])
            if not 0 < ssrc < 1 << 32:
                raise Invalid("An SSRC has 32 bits.")
            answer.sources[ssrc] = (source, ssrc in retransmissions)


def _we_are_server(lines: list[str]) -> bool:
    match _value("setup:", lines):
        case "active":
            return True
        case "passive":
            return False
        case other:
            raise Invalid(f"setup must be active or passive, not {other}.")


def _value(prefix: str, lines: list[str]) -> str:
    for line in lines:
        if line.startswith(prefix):
            return line.removeprefix(prefix).strip()
    raise Invalid(f"The answer lacks a valid {prefix.rstrip(':')}.")


def _one(pattern: re.Pattern[str], lines: list[str], name: str) -> re.Match[str]:
    for line in lines:
        if found := pattern.match(line):
            return found
    raise Invalid(f"The answer lacks a valid {name}.")
