import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from media.sdp import MAX_SDP_BYTES, Leg, Source, StreamPlan, offer, parse_answer

LEG = Leg("user", "p" * 22, ":".join(["AB"] * 32), ("1 1 udp 1 10.0.0.1 9 typ host",))
PLAN = {source: StreamPlan(100 + n, 200 + n if n else None) for n, source in enumerate(Source)}


def section(source: Source, *extra: str) -> list[str]:
    kind = "audio" if source is Source.AUDIO else "video"
    lines = [f"m={kind} 9 UDP/TLS/RTP/SAVPF 96", "a=ice-ufrag:abcd", f"a=ice-pwd:{'x' * 22}"]
    lines += [f"a=fingerprint:sha-256 {':'.join(['0a'] * 32)}", "a=setup:active", f"a=mid:{source}"]
    return [*lines, *extra]


def answer(*extra: str) -> str:
    lines = ["v=0", "a=group:BUNDLE 0 1 2", *section(Source.AUDIO, "a=ssrc:5 cname:x")]
    lines += section(Source.CAMERA, "a=ssrc-group:FID 6 7", "a=ssrc:6 cname:x", "a=ssrc:7 cname:x")
    return "\r\n".join([*lines, *section(Source.SCREEN), *extra]) + "\r\n"


def test_every_leg_is_offered_the_same_but_its_own_transport() -> None:
    one = offer(1, LEG, PLAN)
    two = offer(2, Leg("other", "q" * 22, LEG.fingerprint, ()), PLAN)
    media = [line for line in one.split("\r\n") if line.startswith(("m=", "a=rtpmap", "a=extmap", "a=mid", "a=ssrc"))]
    assert media == [
        line for line in two.split("\r\n") if line.startswith(("m=", "a=rtpmap", "a=extmap", "a=mid", "a=ssrc"))
    ]
    assert one.index("VP8/90000") < one.index("H264/90000"), "what all browsers have comes first"
    assert one.count("a=sendrecv") == 3


def test_an_answer_tells_which_stream_shows_what() -> None:
    found = parse_answer(answer())
    assert found.sources == {5: (Source.AUDIO, False), 6: (Source.CAMERA, False), 7: (Source.CAMERA, True)}
    assert found.we_are_server


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "v=0\r\n",
        answer().replace("a=mid:1", "a=mid:9"),
        answer().replace("a=setup:active", "a=setup:actpass"),
        answer().replace("fingerprint:sha-256", "fingerprint:md5"),
        answer().replace("m=video 9", "m=video 0"),
        answer().replace("a=ssrc:5", "a=ssrc:4294967296"),
        answer("a=" + "x" * MAX_SDP_BYTES),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(bad: str) -> None:
    with pytest.raises(Invalid):
        parse_answer(bad)


@given(st.text(max_size=400), st.integers(0, 1_000))
def test_rubbish_is_refused_and_breaks_nothing(noise: str, at: int) -> None:
    whole = answer()
    for text in (noise, whole[:at] + noise + whole[at:]):
        try:
            parse_answer(text)
        except Invalid:
            continue
