"""Access tokens (S5): fifty ways to tamper with one, none accepted."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest

from core.clock import FakeClock
from core.errors import Unauthenticated
from people.tokens import AUDIENCE, TokenService

SECRET = "s" * 40
KEY = hmac.new(SECRET.encode(), b"access token", hashlib.sha256).digest()
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NOW_S = int(START.timestamp())


def claims(**changes: Any) -> dict[str, Any]:
    whole = {
        "sub": str(uuid4()),
        "fam": str(uuid4()),
        "typ": "access",
        "aud": AUDIENCE,
        "iat": NOW_S,
        "exp": NOW_S + 600,
        "jti": "one",
    }
    whole.update(changes)
    return {name: value for name, value in whole.items() if value is not None}


def encode(payload: Any, header: dict[str, Any], signature: bytes | None = None) -> str:
    parts = [json.dumps(header).encode(), json.dumps(payload).encode()]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    made = hmac.new(KEY, text, hashlib.sha256).digest() if signature is None else signature
    return (text + b"." + base64.urlsafe_b64encode(made).rstrip(b"=")).decode()


def good() -> str:
    return jwt.encode(claims(), KEY, algorithm="HS256")


def tampered() -> Iterator[tuple[str, str]]:
    head, body, tail = good().split(".")
    for algorithm in ("none", "None", "NONE", "nOnE", ""):
        yield f"algorithm {algorithm!r}", encode(claims(), {"alg": algorithm, "typ": "JWT"}, b"")
    for algorithm in ("HS384", "HS512"):
        yield algorithm, jwt.encode(claims(), KEY * 2, algorithm=algorithm)
    for algorithm in ("RS256", "ES256", "EdDSA", "PS256", "XX999", "hs256"):
        yield f"claims to be {algorithm}", encode(claims(), {"alg": algorithm, "typ": "JWT"})
    for key in (b"", b"secret", SECRET.encode(), b"x" * 32, KEY[:-1], KEY + b"\0"):
        text = f"{head}.{body}"
        yield (
            f"signed with {key[:6]!r}",
            encode(claims(), {"alg": "HS256"}, hmac.new(key, text.encode(), "sha256").digest()),
        )
    for header in (
        {"alg": "HS256", "crit": ["exp"]},
        {"alg": ["HS256"]},
        {"alg": None},
        {"typ": "JWT"},
        {"alg": "none", "jku": "https://evil.example/keys"},
        {"alg": "RS256", "jwk": {"kty": "oct", "k": "AAAA"}},
    ):
        yield f"header {header}", encode(claims(), header, None if header.get("alg") != "none" else b"")
    for missing in ("sub", "fam", "typ", "aud", "iat", "exp", "jti"):
        yield f"without {missing}", jwt.encode(claims(**{missing: None}), KEY, algorithm="HS256")
    for name, value in (
        ("sub", "not-an-id"),
        ("fam", "1"),
        ("typ", "refresh"),
        ("aud", "someone-else"),
        ("exp", NOW_S),
        ("exp", NOW_S - 1),
        ("iat", NOW_S + 60),
    ):
        yield f"{name}={value}", jwt.encode(claims(**{name: value}), KEY, algorithm="HS256")
    for name, value in (("exp", 9e99), ("exp", "tomorrow"), ("iat", True), ("sub", 7), ("fam", None), ("exp", {})):
        yield f"{name} is {value!r}", encode({**claims(), name: value}, {"alg": "HS256", "typ": "JWT"})
    yield "no signature", f"{head}.{body}."
    yield "two parts", f"{head}.{body}"
    yield "four parts", f"{head}.{body}.{tail}.{tail}"
    yield "other body", f"{head}.{encode(claims(), {'alg': 'HS256'}).split('.')[1]}.{tail}"
    yield "changed signature", f"{head}.{body}.{tail[:-2] + ('AA' if tail[-2:] != 'AA' else 'BB')}"
    yield "a list for a body", encode([1], {"alg": "HS256"})
    yield "empty", ""
    yield "not base64", "é.ü.ñ"
    yield "a surrogate", "\udce9.a.b"
    yield "very long", "A" * 8000


FORGED = list(tampered())


def test_there_are_fifty_ways() -> None:
    assert len(FORGED) >= 50


@pytest.mark.parametrize("token", [token for _, token in FORGED], ids=[name for name, _ in FORGED])
def test_a_tampered_token_is_not_accepted(token: str) -> None:
    with pytest.raises(Unauthenticated):
        TokenService(SECRET, FakeClock(START)).read(token)


def test_an_untouched_token_is_accepted_until_its_last_second() -> None:
    clock = FakeClock(START)
    service = TokenService(SECRET, clock)
    token = good()
    assert service.read(token).expires_at == START + timedelta(seconds=600)
    clock.advance(timedelta(seconds=599))
    service.read(token)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        service.read(token)


def test_a_key_server_named_in_the_token_is_not_looked_at() -> None:
    header = {"alg": "HS256", "typ": "JWT", "jku": "https://evil.example/keys", "jwk": {"kty": "oct", "k": "AAAA"}}
    assert TokenService(SECRET, FakeClock(START)).read(encode(claims(), header))


def test_another_secret_reads_nothing_and_another_csrf_token_comes_out() -> None:
    mine, other = TokenService(SECRET, FakeClock(START)), TokenService("t" * 40, FakeClock(START))
    with pytest.raises(Unauthenticated):
        other.read(good())
    assert mine.csrf_token("abc") != other.csrf_token("abc")
    assert mine.csrf_token("abc") != mine.csrf_token("abd")
