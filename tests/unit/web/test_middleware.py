"""Errors become answers in one place, and every answer carries the security headers."""

from typing import Any

import pytest

from core import errors
from core.settings import Settings
from web.middleware import content_security_policy, security_headers, status_of


def settings(**changes: Any) -> Settings:
    known: dict[str, Any] = {
        "database_url": "postgresql://nowhere/none",
        "redis_url": "redis://nowhere/0",
        "secret_key": "s" * 32,
        "receipt_key": "A" * 43,
        "stripe_secret_key": "sk_test_x",
        "stripe_webhook_secret": "whsec_xxx",
        "media_control_token": "t" * 32,
    }
    return Settings(**{**known, **changes})


class HoldDeclined(errors.Refused):
    """The card would not cover this call."""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotFound(), 404),
        (errors.Conflict(), 409),
        (errors.IllegalMove(), 409),
        (errors.Refused(), 409),
        (HoldDeclined(), 409),
        (errors.Invalid(), 422),
        (errors.Unauthenticated(), 401),
        (errors.Forbidden(), 403),
        (errors.TooMany(3), 429),
        (errors.Upstream(), 502),
        (errors.AppError("x"), 400),
    ],
)
def test_every_domain_error_has_its_status(error: errors.AppError, status: int) -> None:
    assert status_of(error) == status


def test_nobody_may_frame_us_and_only_we_may_use_the_camera() -> None:
    headers = security_headers(settings())
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "camera=(self), microphone=(self)" in headers["Permissions-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_only_the_demo_may_frame_itself_and_nobody_else_may() -> None:
    headers = security_headers(settings(environment="demo", stripe_public_base="http://localhost:8010"))
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert "frame-src 'self' http://localhost:8010" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert security_headers(settings())["X-Frame-Options"] == "DENY"


def test_stripes_hosts_are_allowed_exactly_as_stripe_says_and_only_with_its_key() -> None:
    real = content_security_policy(settings(stripe_publishable_key="pk_test_x")).split("; ")
    assert "script-src 'self' https://js.stripe.com https://*.js.stripe.com" in real
    assert "frame-src https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com" in real
    assert "connect-src 'self' ws://localhost:8000 https://api.stripe.com" in real
    assert [rule.split()[0] for rule in real if "stripe.com" in rule] == ["script-src", "connect-src", "frame-src"]
    sandbox = content_security_policy(
        settings(stripe_public_base="http://localhost:8010/x", stripe_publishable_key="pk_test_x")
    )
    assert "stripe.com" not in sandbox
    assert "frame-src http://localhost:8010;" in sandbox
    neither = content_security_policy(settings())
    assert "stripe.com" not in neither
    assert "frame-src 'none';" in neither
    assert "frame-src 'self';" in content_security_policy(settings(environment="demo"))


def test_the_socket_is_named_and_no_other_script_may_run() -> None:
    policy = content_security_policy(settings(public_url="https://calls.example"))
    assert "connect-src 'self' wss://calls.example" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self'" in policy


def test_hsts_is_sent_where_there_is_tls() -> None:
    assert "Strict-Transport-Security" in security_headers(settings(public_url="https://calls.example"))
    assert "Strict-Transport-Security" not in security_headers(settings())


def test_isolation_headers_that_break_stripe_are_absent() -> None:
    assert not {"Cross-Origin-Opener-Policy", "Cross-Origin-Embedder-Policy"} & set(security_headers(settings()))
