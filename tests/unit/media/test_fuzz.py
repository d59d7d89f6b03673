"""S3: whatever is sent to our parsers is taken or refused, never a crash. ``CATALOGUE=full`` tries 100,000 cases."""

import json
import struct
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signaling.protocol import CLIENT_EVENTS
from tests.fakes.gauge import number
from tests.fuzz.targets import TARGETS
from tests.unit.media.test_sdp import answer

EACH = number(20_000, 150)
SLOW_S = 0.5  # a parser that takes this long for one packet stalls every call
hard = settings(max_examples=EACH, deadline=None, suppress_health_check=list(HealthCheck))

_line = st.sampled_from(answer().split("\r\n")) | st.text(max_size=60).map(lambda text: "a=" + text)
_sdp = st.lists(_line, max_size=60).map("\r\n".join) | st.tuples(
    st.integers(0, 900), st.text(max_size=30), st.integers(0, 40)
).map(lambda cut: answer()[: cut[0]] + cut[1] + answer()[cut[0] + cut[2] :])
_rtcp = st.lists(
    st.tuples(st.integers(0, 255), st.integers(192, 223), st.integers(0, 20), st.binary(max_size=80)).map(
        lambda part: struct.pack("!BBH", part[0], part[1], part[2]) + part[3]
    ),
    max_size=5,
).map(b"".join)
_rtp = st.tuples(
    st.integers(128, 191),
    st.integers(0, 255),
    st.integers(0, 65_535),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=200),
).map(lambda one: struct.pack("!BBHII", one[0], one[1], one[2], one[3], 7) + one[4])
_stun = st.tuples(
    st.integers(0, 65_535), st.integers(0, 65_535), st.binary(min_size=12, max_size=12), st.binary(max_size=120)
).map(lambda one: struct.pack("!HHI", one[0] & 0x3FFF, one[1], 0x2112A442) + one[2] + one[3])
_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_names = sorted({name for event in CLIENT_EVENTS.values() for name in event.body.model_fields})
_message = st.tuples(
    st.integers(0, 255), st.dictionaries(st.sampled_from(_names) | st.text(max_size=8), _value | st.just(1), max_size=9)
).map(lambda one: bytes([one[0]]) + json.dumps(one[1]).encode("utf-8", "surrogatepass"))


def attempt(name: str, data: bytes) -> None:
    began = time.process_time()
    TARGETS[name](data)
    assert time.process_time() - began < SLOW_S, f"{name} took {time.process_time() - began:.2f} s"


@hard
@given(_sdp)
def test_session_descriptions(text: str) -> None:
    attempt("sdp", text.encode("utf-8", "replace"))


@hard
@given(_rtcp | st.binary(max_size=200))
def test_rtcp(data: bytes) -> None:
    attempt("rtcp", data)


@hard
@given(_rtp | st.binary(max_size=200))
def test_rtp(data: bytes) -> None:
    attempt("packet", data)


@hard
@given(_stun | st.binary(max_size=200))
def test_stun(data: bytes) -> None:
    attempt("check", data)


@hard
@given(_message | st.binary(max_size=200))
def test_messages(data: bytes) -> None:
    attempt("message", data)


@pytest.mark.parametrize("path", sorted((Path(__file__).parent.parent.parent / "fuzz" / "found").glob("*")), ids=str)
def test_what_was_found_stays_found(path: Path) -> None:
    attempt(path.name.split("-")[0], path.read_bytes())
