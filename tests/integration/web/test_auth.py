"""Log-ins over HTTP: cookies, CSRF, and answers that tell a stranger nothing."""

import statistics
import time

import pytest

from people.accounts import WrongCredentials
from people.origin import Origin
from tests.integration.web.visitor import PASSWORD, Client, csrf, error_of, log_in, register, registration
from web.context import HOUSE


async def test_from_registration_to_logout(browser: Client) -> None:
    await register(browser)
    me = await browser.get("/api/me", headers=await log_in(browser))
    account = await me.json()
    assert (account["email"], account["roles"], account["display_name"]) == ("anna@example.com", ["customer"], "Anna")
    refreshed = await browser.post("/api/auth/refresh", headers=csrf(browser))
    headers = {"Authorization": f"Bearer {(await refreshed.json())['access_token']}"}
    assert (await browser.get("/api/me", headers=headers)).status == 200
    assert (await browser.post("/api/auth/logout", headers=csrf(browser))).status == 204
    after = await browser.get("/api/me", headers=headers)
    assert after.status == 401
    assert after.headers["WWW-Authenticate"] == "Bearer"
    assert (await browser.post("/api/auth/refresh")).status == 401


async def test_the_refresh_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Client) -> None:
    await register(browser)
    answer = await browser.post("/api/auth/login", json={"email": "anna@example.com", "password": PASSWORD})
    refresh = answer.cookies["refresh"]
    assert refresh["httponly"]
    assert refresh["samesite"] == "Strict"
    assert refresh["path"] == "/api/auth"
    assert not answer.cookies["csrf"]["httponly"]
    assert refresh.value not in await answer.text()
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/api/auth/refresh", "/api/auth/logout"])
@pytest.mark.parametrize("token", [None, "", "0" * 64, "\udce9"])
async def test_the_cookie_alone_is_not_enough(browser: Client, path: str, token: str | None) -> None:
    await register(browser)
    await log_in(browser)
    headers = {} if token is None else {"X-CSRF-Token": token.encode(errors="surrogateescape").decode("latin-1")}
    refused = await browser.post(path, headers=headers)
    assert refused.status == 403
    assert (await error_of(refused))["code"] == "csrf"
    assert (await browser.post("/api/auth/refresh", headers=csrf(browser))).status == 200


async def test_logging_out_without_a_session_is_no_error(browser: Client) -> None:
    assert (await browser.post("/api/auth/logout")).status == 204


async def test_a_taken_address_is_answered_like_a_free_one(browser: Client) -> None:
    first = await browser.post("/api/auth/register", json=registration())
    second = await browser.post("/api/auth/register", json=registration(password="something else here"))
    assert (first.status, await first.text()) == (second.status, await second.text()) == (201, "{}")


async def test_an_unknown_address_is_answered_like_a_wrong_password(browser: Client) -> None:
    await register(browser)
    said = []
    for email in ("anna@example.com", "nobody@example.com"):
        answer = await browser.post("/api/auth/login", json={"email": email, "password": "not the password"})
        error = await error_of(answer)
        said.append((answer.status, error["code"], error["message"], error["details"]))
    assert said[0] == said[1]
    assert said[0][:2] == (401, "wrong_credentials")


async def test_a_log_in_takes_as_long_for_an_unknown_address(browser: Client) -> None:
    """S11 in small: through the service, without the limit that stands before it."""
    await register(browser)
    assert browser.app is not None
    house = browser.app[HOUSE]
    took: dict[str, list[float]] = {"anna@example.com": [], "nobody@example.com": []}
    for _ in range(60):
        for email, times in took.items():
            started = time.perf_counter()
            with pytest.raises(WrongCredentials):
                await house.accounts.login(house.db, email, "not the password", Origin())
            times.append(time.perf_counter() - started)
    known, unknown = (statistics.median(times) for times in took.values())
    assert abs(known - unknown) < 0.005


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"password": "x" * 73}, None),
        ({"password": "password1"}, None),
        ({"email": "no address"}, None),
        ({"email": "=?utf-8?q?victim?=@example.org"}, None),
        ({"role": "admin"}, "role"),
        ({"role": "finance"}, "role"),
        ({"locale": "fr"}, "locale"),
        ({"admin": True}, "admin"),
        ({"display_name": ""}, "display_name"),
        ({"display_name": "\u202e\u202e"}, None),
        ({"time_zone": "Mars/Olympus"}, None),
        ({"consents": []}, None),
        ({"consents": [{"document": "terms", "version": "2026-01", "x": 1}]}, "consents.0.x"),
        ({"email": 5}, "email"),
    ],
)
async def test_a_registration_that_makes_no_sense_is_422(browser: Client, change: dict[str, object], path: str) -> None:
    answer = await browser.post("/api/auth/register", json=registration(**change))
    assert answer.status == 422
    error = await error_of(answer)
    assert path is None or path in {field["path"] for field in error["details"]["fields"]}


async def test_the_password_is_changed_with_the_old_one_only(browser: Client) -> None:
    await register(browser)
    headers = await log_in(browser)
    wrong = await browser.post(
        "/api/auth/password", headers=headers, json={"current": "no", "new": "a swim in the lake"}
    )
    assert wrong.status == 403
    weak = await browser.post("/api/auth/password", headers=headers, json={"current": PASSWORD, "new": "short"})
    assert weak.status == 422
    assert (await error_of(weak))["details"]["hint"] == "too_short"
    right = await browser.post(
        "/api/auth/password", headers=headers, json={"current": PASSWORD, "new": "a swim in the lake"}
    )
    assert right.status == 204
    await log_in(browser, password="a swim in the lake")


async def test_an_owner_patches_and_consents(browser: Client) -> None:
    await register(browser)
    headers = await log_in(browser)
    patched = await browser.patch("/api/me", headers=headers, json={"locale": "de"})
    assert (await patched.json())["locale"] == "de"
    given = await browser.post("/api/me/consents", headers=headers, json={"document": "terms", "version": "2026-01"})
    assert given.status == 204
    old = await browser.post("/api/me/consents", headers=headers, json={"document": "terms", "version": "2019-01"})
    assert old.status == 422
    account = await (await browser.get("/api/me", headers=headers)).json()
    assert [consent["document"] for consent in account["consents"]] == ["terms", "privacy", "terms"]
