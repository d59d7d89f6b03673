"""Files of a question over HTTP: taken in, read by whom it concerns, hostile ones refused, gone in time."""

import asyncio
import hashlib
import io
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import ClientResponse
from sqlalchemy import select

from core.clock import FakeClock
from core.ids import CallId, QuestionId, RequestId, UserId
from matching.attachments.attachment_types import MOST_BYTES, MOST_BYTES_OF_ONE
from matching.models import AttachmentRow, QuestionRow, RequestRow
from people.roles import Role
from signaling.events import CallEnded
from tests.integration.web.conftest import MakeClient
from tests.integration.web.conftest import house as house  # noqa: PLC0414 - the whole house, as a fixture
from tests.integration.web.test_ownership import equip, go_online, person
from tests.integration.web.visitor import Client, error_of
from tests.unit.matching.test_attachment_types import BAD, GOOD, PNG, TEXT
from web.application import build_application
from web.context import House

Headers = dict[str, str]


@dataclass
class Desk:
    """A customer with an open question, two consultants who are online, a stranger."""

    client: Client
    house: House
    clock: FakeClock
    customer: Headers
    stranger: Headers
    consultants: dict[str, Headers]
    question: str

    @property
    def folder(self) -> Path:
        return Path(self.house.settings.attachments_dir)

    def contents(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("??/*"))

    def left_half(self) -> list[Path]:
        return list(self.folder.glob("incoming/*"))

    async def send(
        self, content: Any = TEXT, media_type: str = "text/plain", name: str = "log.txt", who: Headers | None = None
    ) -> ClientResponse:
        return await self.client.post(
            f"/api/questions/{self.question}/attachments",
            params={"name": name},
            data=content,
            headers={**(who or self.customer), "Content-Type": media_type},
        )

    async def sent(self, content: bytes = TEXT, media_type: str = "text/plain", name: str = "log.txt") -> str:
        answer = await self.send(content, media_type, name)
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["id"])

    async def read(self, attachment: str, who: Headers) -> ClientResponse:
        return await self.client.get(f"/api/attachments/{attachment}", headers=who)

    async def ring(self) -> None:
        body = {
            "question_id": self.question,
            "consultant_id": None,
            "max_rate_minor_per_hour": 9_000,
            "currency": "eur",
            "cap_minor": 4_500,
            "terms_version": "2026-01",
            "consent": True,
            "idempotency_key": str(uuid4()),
        }
        async with self.client.post("/api/requests", json=body, headers=self.customer) as answer:
            assert answer.status == 201, await answer.text()

    async def rung(self) -> tuple[Headers, str]:
        """Who is being rung, and by which offer."""
        async with self.house.db.begin() as tx:
            for name, headers in self.consultants.items():
                user = (await (await self.client.get("/api/me", headers=headers)).json())["id"]
                offers = await self.house.requests.offers_view(tx, user)
                if offers:
                    return self.consultants[name], str(offers[0]["id"])
        raise LookupError("nobody is rung")

    async def files_of(self, path: str, who: Headers) -> tuple[int, list[str]]:
        async with self.client.get(path, headers=who) as answer:
            body = await answer.json()
            return answer.status, [each["name"] for each in body.get("items", [])]


@pytest.fixture
async def desk(house: House, clock: FakeClock, aiohttp_client: MakeClient) -> Desk:
    anna, customer = await person(house, "anna", Role.CUSTOMER)
    _, stranger = await person(house, "carla", Role.CUSTOMER)
    consultants = {}
    for name in ("ben", "dora"):
        user, consultants[name] = await person(house, name, Role.CONSULTANT)
        await go_online(house, user)
        if name == "ben":
            await equip(house, anna, user)
    async with house.db.begin() as tx:
        row = await house.questions.post(tx, anna, title="How is this taxed?", details="", language="en")
    client = await aiohttp_client(build_application(house))
    return Desk(client, house, clock, customer, stranger, consultants, str(row.id))


@pytest.mark.parametrize("media_type", GOOD)
async def test_a_file_comes_back_as_it_went_in_and_only_as_a_download(desk: Desk, media_type: str) -> None:
    attachment = await desk.sent(GOOD[media_type], media_type, 'Größe "x".bin')
    answer = await desk.read(attachment, desk.customer)
    assert await answer.read() == GOOD[media_type]
    assert answer.headers["Content-Type"].startswith(media_type)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="attachment"; filename*=UTF-8')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("case", BAD)
async def test_a_hostile_file_is_refused_and_leaves_nothing(desk: Desk, case: str) -> None:
    media_type, content = BAD[case]
    answer = await desk.send(content, media_type)
    assert (answer.status, (await error_of(answer))["code"]) == (422, "attachment_content")
    assert desk.contents() == []
    assert desk.left_half() == []


async def test_a_type_we_do_not_take_is_refused_before_it_is_read(desk: Desk) -> None:
    answer = await desk.send(b"<svg onload=alert(1)>", "image/svg+xml")
    assert (answer.status, (await error_of(answer))["code"]) == (422, "attachment_type")


async def test_too_large_is_refused_whether_it_says_so_or_not(desk: Desk) -> None:
    said = await desk.send(io.BytesIO(b"x" * (MOST_BYTES + 1)))
    assert (said.status, (await error_of(said))["code"]) == (422, "attachment_too_large")

    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 40 * MOST_BYTES:
            sent += 65_536
            yield b"x" * 65_536

    try:
        chunked = await desk.send(endless())
        assert (chunked.status, (await error_of(chunked))["code"]) == (422, "attachment_too_large")
    except ConnectionError:
        pass  # the server hung up on the sender, which is an answer too
    assert sent < 40 * MOST_BYTES, "it was not read to its end"
    assert desk.contents() == []
    assert desk.left_half() == []
    assert (await desk.send(io.BytesIO(b"x" * MOST_BYTES))).status == 201


async def test_a_name_leads_nowhere_and_the_content_is_no_program(desk: Desk) -> None:
    answer = await desk.send(name="../../../../tmp/evil.sh")
    assert (await answer.json())["name"] == "evil.txt"
    [kept] = list(desk.folder.glob("??/*"))
    assert kept.name == hashlib.sha256(TEXT).hexdigest()
    assert kept.stat().st_mode & 0o177 == 0
    assert len([path for path in desk.folder.parent.glob("**/*") if "evil" in path.name]) == 0


async def test_three_files_and_no_more_also_when_they_come_at_once(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.send(f"log {n}".encode(), name=f"{n}.txt") for n in range(8)))
    assert sorted(answer.status for answer in answers) == [201] * 3 + [409] * 5
    assert len(desk.contents()) == 3
    assert desk.left_half() == []


async def test_nobody_else_adds_lists_reads_or_deletes(desk: Desk) -> None:
    attachment = await desk.sent()
    for who in (desk.stranger, *desk.consultants.values()):
        assert (await desk.read(attachment, who)).status == 404
    assert (await desk.send(who=desk.stranger)).status == 404
    assert (await desk.send(who=desk.consultants["ben"])).status == 403
    assert (await desk.files_of(f"/api/questions/{desk.question}/attachments", desk.stranger))[0] == 404
    answer = await desk.client.delete(f"/api/attachments/{attachment}", headers=desk.stranger)
    assert answer.status == 404
    assert (await desk.read(attachment, desk.customer)).status == 200


async def test_a_consultant_reads_while_it_rings_and_never_after_a_decline(desk: Desk) -> None:
    attachment = await desk.sent()
    await desk.ring()
    rung, offer = await desk.rung()
    [other] = [headers for headers in desk.consultants.values() if headers is not rung]
    assert (await desk.read(attachment, rung)).status == 200
    assert (await desk.read(attachment, other)).status == 404
    assert await desk.files_of(f"/api/offers/{offer}/attachments", rung) == (200, ["log.txt"])
    assert (await desk.files_of(f"/api/offers/{offer}/attachments", other))[0] == 404
    await desk.client.post(f"/api/offers/{offer}/decline", json={"reason": "busy"}, headers=rung)
    assert (await desk.read(attachment, rung)).status == 404
    assert await desk.files_of(f"/api/offers/{offer}/attachments", rung) == (200, [])
    assert (await desk.read(attachment, other)).status == 200, "it rings at the next one now"


async def test_a_missed_ring_and_a_withdrawn_one_close_the_file(desk: Desk) -> None:
    attachment = await desk.sent()
    await desk.ring()
    first, _ = await desk.rung()
    desk.clock.advance(timedelta(seconds=20))
    await desk.house.requests.run_due(desk.house.db)
    assert (await desk.read(attachment, first)).status == 404


async def test_who_took_the_call_reads_on(desk: Desk) -> None:
    attachment = await desk.sent()
    await desk.ring()
    rung, offer = await desk.rung()
    accepted = await desk.client.post(f"/api/offers/{offer}/accept", json={}, headers=rung)
    call = (await accepted.json())["call_id"]
    assert (await desk.read(attachment, rung)).status == 200
    assert await desk.files_of(f"/api/calls/{call}/attachments", rung) == (200, ["log.txt"])
    assert await desk.files_of(f"/api/calls/{call}/attachments", desk.customer) == (200, ["log.txt"])
    assert (await desk.files_of(f"/api/calls/{call}/attachments", desk.stranger))[0] == 404


async def test_what_is_attached_after_a_call_that_failed_is_for_the_next_one_only(desk: Desk) -> None:
    before = await desk.sent(name="before.txt")
    await desk.ring()
    rung, offer = await desk.rung()
    accepted = await desk.client.post(f"/api/offers/{offer}/accept", json={}, headers=rung)
    call = CallId(UUID((await accepted.json())["call_id"]))
    desk.clock.advance(timedelta(seconds=1))
    await desk.sent(name="during.txt")
    desk.clock.advance(timedelta(seconds=60))
    async with desk.house.db.begin() as tx:
        request = await tx.session.scalar(select(RequestRow).where(RequestRow.call_id == call))
        assert request is not None
        ended = CallEnded(
            call_id=call,
            request_id=RequestId(request.id),
            question_id=QuestionId(request.question_id),
            customer_id=UserId(request.customer_id),
            consultant_id=UserId(uuid4()),
            reason="no_show",
            went_live=False,
        )
        await desk.house.requests.on_call_ended(tx, ended)
    desk.clock.advance(timedelta(seconds=1))
    after = await desk.sent(name="after.txt")
    early = ["before.txt", "during.txt"]
    assert (await desk.read(before, rung)).status == 200
    assert (await desk.read(after, rung)).status == 404
    assert await desk.files_of(f"/api/calls/{call}/attachments", rung) == (200, early)
    assert await desk.files_of(f"/api/offers/{offer}/attachments", rung) == (200, early)
    assert await desk.files_of(f"/api/calls/{call}/attachments", desk.customer) == (200, [*early, "after.txt"])


def _values(row: AttachmentRow | QuestionRow) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}


async def test_all_files_of_a_customer_have_room_once(desk: Desk) -> None:
    first = await desk.sent()
    others = [MOST_BYTES] * (MOST_BYTES_OF_ONE // MOST_BYTES - 2) + [MOST_BYTES - len(TEXT)]
    async with desk.house.db.begin() as tx:  # as if another question had them, up to one file less than everything
        sent = await tx.session.get_one(AttachmentRow, UUID(first))
        asked = _values(await tx.session.get_one(QuestionRow, sent.question_id)) | {"id": uuid4()}
        tx.session.add(QuestionRow(**asked))
        await tx.session.flush()
        for size in others:
            row = _values(sent) | {"id": uuid4(), "question_id": asked["id"], "bytes": size}
            tx.session.add(AttachmentRow(**row))
    assert (await desk.send(b"one more")).status == 201, "there was room for the largest when it came"
    refused = await desk.send(b"and one more")
    assert (refused.status, (await error_of(refused))["code"]) == (409, "attachment_space")
    await desk.client.delete(f"/api/attachments/{first}", headers=desk.customer)
    assert (await desk.send(b"and one more")).status == 409, "it is on the disk still"
    await desk.house.attachments.run_due(desk.house.db)
    assert (await desk.send(b"and one more")).status == 201


async def test_a_deleted_file_is_unreadable_at_once_and_gone_with_the_next_look(desk: Desk) -> None:
    attachment = await desk.sent()
    assert (await desk.client.delete(f"/api/attachments/{attachment}", headers=desk.customer)).status == 204
    assert (await desk.read(attachment, desk.customer)).status == 404
    assert len(desk.contents()) == 1
    assert await desk.house.attachments.run_due(desk.house.db) == 1
    assert desk.contents() == []
    assert await desk.house.attachments.run_due(desk.house.db) == 0


async def test_a_withdrawn_question_takes_its_files_along(desk: Desk) -> None:
    attachment = await desk.sent()
    await desk.client.post(f"/api/questions/{desk.question}/withdraw", json={}, headers=desk.customer)
    assert (await desk.read(attachment, desk.customer)).status == 404
    await desk.house.attachments.run_due(desk.house.db)
    assert desk.contents() == []
    assert (await desk.send()).status == 409


async def test_what_two_attached_stays_until_both_have_let_go(desk: Desk) -> None:
    first, second = await desk.sent(PNG, "image/png", "a.png"), await desk.sent(PNG, "image/png", "b.png")
    assert len(desk.contents()) == 1
    await desk.client.delete(f"/api/attachments/{first}", headers=desk.customer)
    await desk.house.attachments.run_due(desk.house.db)
    assert (await desk.read(second, desk.customer)).status == 200
    await desk.client.delete(f"/api/attachments/{second}", headers=desk.customer)
    await desk.house.attachments.run_due(desk.house.db)
    assert desk.contents() == []


async def test_kept_for_its_days_and_not_one_more(desk: Desk) -> None:
    attachment = await desk.sent()
    days = timedelta(days=desk.house.settings.attachment_days)
    desk.clock.advance(days - timedelta(seconds=1))
    await desk.house.attachments.run_due(desk.house.db)
    assert len(desk.contents()) == 1
    desk.clock.advance(timedelta(seconds=1))
    await desk.house.attachments.run_due(desk.house.db)
    assert desk.contents() == []
    async with desk.house.db.begin() as tx:
        row = await tx.session.get(AttachmentRow, attachment)
    assert row is not None
    assert row.removed_at is not None


async def test_what_a_killed_process_left_is_swept_and_nothing_else(desk: Desk) -> None:
    attachment = await desk.sent()
    half, stray = desk.folder / "incoming" / "tmpdead", desk.folder / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    old = time.time() - 7_200
    for path in (half, stray, *desk.folder.glob("??/*")):
        path.touch()
        os.utime(path, (old, old))
    fresh = desk.folder / "incoming" / "tmpfresh"
    fresh.touch()
    assert await desk.house.attachments.sweep(desk.house.db) == 1
    assert not half.exists()
    assert not stray.exists()
    assert fresh.exists()
    assert (await desk.read(attachment, desk.customer)).status == 200
