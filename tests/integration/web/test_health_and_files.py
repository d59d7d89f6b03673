"""Probes, and the built client: cached for ever where a hash is in the name, the page itself everywhere else."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.integration.web.conftest import MakeClient
from tests.integration.web.visitor import Client
from web.application import build_application
from web.context import House
from web.readiness import READINESS


async def test_alive_and_ready(browser: Client) -> None:
    assert await (await browser.get("/healthz")).json() == {"status": "alive"}
    ready = await browser.get("/readyz")
    assert ready.status == 200
    assert await ready.json() == {
        "status": "ready",
        "checks": {"database": "ok", "migrations": "ok", "redis": "ok", "process": "ok"},
    }


async def test_a_draining_process_wants_no_more_work(browser: Client) -> None:
    assert browser.app is not None
    browser.app[READINESS].draining = True
    answer = await browser.get("/readyz")
    assert answer.status == 503
    assert (await answer.json())["checks"]["process"] == "draining"
    assert (await browser.get("/healthz")).status == 200


async def test_without_redis_it_is_degraded_and_still_ready(browser: Client, edge: House) -> None:
    await edge.redis.connection_pool.disconnect()
    edge.redis.connection_pool.connection_kwargs["port"] = 1
    answer = await browser.get("/readyz")
    assert answer.status == 200
    assert (await answer.json())["status"] == "degraded"


async def test_the_documents_of_both_interfaces_are_served(browser: Client) -> None:
    openapi = await (await browser.get("/api/openapi.json")).json()
    assert openapi["openapi"].startswith("3.1")
    assert "/api/auth/login" in openapi["paths"]
    protocol = await (await browser.get("/api/protocol.json")).json()
    assert "$defs" in protocol


async def test_hashed_files_are_kept_for_ever_and_the_page_is_asked_for_again(browser: Client) -> None:
    hashed = await browser.get("/assets/index-3f2a.js")
    assert "immutable" in hashed.headers["Cache-Control"]
    page = await browser.get("/")
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.content_type == "text/html"
    assert (await browser.get("/ring.mp3")).headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize("path", ["/ask", "/call/6f1c/done", "/finance?state=captured", "/en/x.y/z"])
async def test_the_clients_own_addresses_lead_to_the_page(browser: Client, path: str) -> None:
    assert "<title>Consultant Connect</title>" in await (await browser.get(path)).text()


async def test_a_file_of_an_older_build_is_gone_and_not_a_page(browser: Client) -> None:
    assert (await browser.get("/assets/index-0000.js")).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "/%00",
        "/" + "a" * 300,
    ],
)
async def test_nothing_outside_the_folder_is_served(browser: Client, path: str) -> None:
    reader, writer = await asyncio.open_connection(browser.host, browser.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    raw = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b"not yours" not in raw
    assert b" 500 " not in raw.split(b"\r\n", 1)[0]


async def test_before_the_client_is_built_the_answer_says_what_to_do(
    edge: House, aiohttp_client: MakeClient, tmp_path: Path
) -> None:
    client = await aiohttp_client(build_application(edge))
    answer = await client.get("/")
    assert answer.status == 503
    assert "./run" in await answer.text()
    assert not (tmp_path / "client").exists()
    assert isinstance(client.session, ClientSession)
