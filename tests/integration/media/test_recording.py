"""Recording on a real node: only with both consents, stopped by one no, in time with itself, gone when it is due."""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from core.errors import Conflict, NotFound
from core.ids import UserId
from core.settings import Settings
from media.models import RecordingFile
from media.recordings import ADDRESS_LASTS, RecordingService
from media.sessions import SessionService
from tests.fakes.clap import ClapPicture, ClapSound, claps
from tests.integration.media.conftest import Scene
from tests.integration.media.test_node import Ended, until


class Studio(Scene):
    """A scene whose node may record."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        super().__init__(settings.model_copy(update={"recordings_dir": str(folder)}))
        self.folder = folder
        self.recordings = RecordingService(self.settings)

    async def consent(self, side: str, *, given: bool = True) -> None:
        async with self.db.begin() as tx:
            await self.recordings.consent(tx, self.call, self.users[side], given=given)

    async def files(self) -> list[RecordingFile]:
        async with self.db.begin() as tx:
            return list(await self.recordings.files(tx, self.call, self.users["customer"]))

    async def finished(self) -> list[RecordingFile]:
        files = await self.files()
        while not files or not all(file.finished for file in files):
            await asyncio.sleep(0.1)
            files = await self.files()
        return files

    def path(self, file: RecordingFile) -> Path:
        return self.folder / f"{file.id}.webm"

    def on_disk(self) -> int:
        return sum(path.stat().st_size for path in self.folder.glob("*")) if self.folder.is_dir() else 0


@pytest.fixture
async def studio(settings: Settings, tmp_path: Path) -> AsyncIterator[Studio]:
    studio = Studio(settings, tmp_path / "recordings")
    await studio.start()
    yield studio
    await studio.close()


async def in_a_call(studio: Studio, **wishes: Any) -> None:
    customer, consultant = await studio.join("customer", **wishes), await studio.join("consultant", **wishes)
    await until(lambda: min(customer.video_frames, consultant.video_frames) >= 10, "frames both ways")


async def test_nothing_is_recorded_without_both(studio: Studio) -> None:
    await in_a_call(studio)
    await asyncio.sleep(1.5)
    assert studio.on_disk() == 0
    await studio.consent("customer")
    await studio.consent("customer")  # twice is still one side
    await asyncio.sleep(2.5)
    assert studio.on_disk() == 0
    assert await studio.files() == []
    async with studio.db.begin() as tx:
        assert (await studio.recordings.state(tx, studio.call)).state == "asked"


async def test_no_message_makes_the_database_say_yes(studio: Studio) -> None:
    with pytest.raises(DBAPIError):
        async with studio.db.begin() as tx:
            await tx.session.execute(text("UPDATE media_session SET recording = true"))
    stranger = UserId(uuid4())
    with pytest.raises(NotFound):
        async with studio.db.begin() as tx:
            await studio.recordings.consent(tx, studio.call, stranger, given=True)


async def test_both_sides_are_recorded_in_time_with_each_other(studio: Studio) -> None:
    await in_a_call(studio, sound=ClapSound, picture=ClapPicture)
    await studio.consent("customer")
    await studio.consent("consultant")
    await asyncio.sleep(9)
    await studio.consent("customer", given=False)
    files = await asyncio.wait_for(studio.finished(), 10)
    assert sorted(file.side for file in files) == ["consultant", "customer"]
    assert files[0].started_at == files[1].started_at
    onsets = []
    for file in files:
        with av.open(str(studio.path(file))) as opened:
            assert {stream.codec_context.name for stream in opened.streams} == {"vp8", "opus"}
            assert opened.duration is not None
            assert opened.duration / 1_000_000 == pytest.approx(9, abs=1.5)
        seen, heard = claps(studio.path(file))
        assert len(seen) >= 5
        assert len(heard) >= 5
        onsets.append((seen, heard))
    # Every clap happened at one moment: picture and sound of a side, and both sides, must say the same.
    phases = [statistics.median(_after_the_second(times, onsets[0][1][1])) for side in onsets for times in side]
    apart_ms = 1000 * (max(phases) - min(phases))
    sys.stderr.write(f"\nrecording: picture and sound of both sides lie {apart_ms:.0f} ms apart\n")
    assert apart_ms <= 80, f"picture and sound of both sides lie {apart_ms:.0f} ms apart"


def _after_the_second(times: list[float], reference: float) -> list[float]:
    """How far each time lies from the nearest whole second after ``reference``."""
    return [(at - reference + 0.5) % 1 - 0.5 for at in times]


async def test_one_no_stops_it_within_a_second(studio: Studio) -> None:
    await in_a_call(studio)
    for side in ("customer", "consultant"):
        await studio.consent(side)
    await until(lambda: studio.on_disk() > 20_000, "something is written", 15)
    await studio.consent("consultant", given=False)
    files = await asyncio.wait_for(studio.finished(), 20)
    size = studio.on_disk()
    await asyncio.sleep(2)
    assert studio.on_disk() == size
    began = files[0].started_at
    async with studio.db.begin() as tx:
        said = await tx.session.scalar(text("SELECT max(at) FROM recording_consent WHERE NOT given"))
    for file in files:
        ends = began + timedelta(milliseconds=file.duration_ms)
        assert ends - said < timedelta(seconds=1)
    await studio.consent("customer")  # one yes does not start it again
    await asyncio.sleep(1.5)
    assert len(await studio.files()) == 2


async def test_yes_again_is_another_stretch_of_the_same_clock(studio: Studio) -> None:
    await in_a_call(studio)
    for wanted in (2, 4):
        for side in ("customer", "consultant"):
            await studio.consent(side)
        deadline = time.monotonic() + 10
        while len(await studio.files()) < wanted:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        await studio.consent("customer", given=False)
        await asyncio.wait_for(studio.finished(), 10)
    files = await studio.files()
    assert [file.side for file in files] == ["consultant", "customer"] * 2
    assert files[2].started_at > files[0].started_at


async def test_sound_alone_is_recorded_too(studio: Studio) -> None:
    await studio.join("customer", send_video=False)
    await studio.join("consultant", send_video=False)
    for side in ("customer", "consultant"):
        await studio.consent(side)
    await asyncio.sleep(4)
    async with studio.db.begin() as tx:
        await SessionService().on_call_ended(tx, Ended(studio.call))
    files = await asyncio.wait_for(studio.finished(), 10)
    assert len(files) == 2
    with av.open(str(studio.path(files[0]))) as opened:
        assert [stream.type for stream in opened.streams] == ["audio"]
        assert sum(1 for _ in opened.decode(audio=0)) > 100


async def test_after_the_end_nobody_can_ask(studio: Studio) -> None:
    async with studio.db.begin() as tx:
        await studio.sessions.on_call_ended(tx, Ended(studio.call))
    with pytest.raises(Conflict):
        await studio.consent("customer")


async def test_what_a_killed_node_left_is_mended_and_old_files_are_deleted(studio: Studio) -> None:
    await in_a_call(studio)
    for side in ("customer", "consultant"):
        await studio.consent(side)
    await until(lambda: studio.on_disk() > 60_000, "something is written", 20)
    files = await studio.files()
    half = {file.id: studio.path(file).read_bytes() for file in files}
    await studio.consent("customer", given=False)
    await asyncio.wait_for(studio.finished(), 10)
    for file in files:  # as a kill would have left them
        studio.path(file).write_bytes(half[file.id])
    async with studio.db.begin() as tx:
        await tx.session.execute(
            update(RecordingFile).values(finished=False, duration_ms=0, bytes=0, node_id="a node that is no more")
        )
    while await studio.recordings.run_due(studio.db):
        pass
    for file in await studio.files():
        assert file.finished
        assert file.duration_ms > 0
        with av.open(str(studio.path(file))) as opened:
            assert sum(1 for _ in opened.decode(audio=0)) > 10
    async with studio.db.begin() as tx:
        await tx.session.execute(update(RecordingFile).values(expires_at=tx.now))
    assert await studio.recordings.run_due(studio.db) == 2
    assert await studio.files() == []
    assert studio.on_disk() == 0


async def test_an_address_is_good_for_one_file_and_a_while(studio: Studio) -> None:
    studio.folder.mkdir()
    now = datetime.now(UTC)
    mine, other = uuid4(), uuid4()
    async with studio.db.begin() as tx:
        for file_id in (mine, other):
            (studio.folder / f"{file_id}.webm").write_bytes(b"x")
            tx.session.add(
                RecordingFile(id=file_id, call_id=studio.call, side="customer", node_id="n", started_at=now,
                              expires_at=now + timedelta(days=1))
            )  # fmt: skip
    address = studio.recordings.address(mine, now)
    values = dict(part.split("=") for part in address.partition("?")[2].split("&"))
    until_s, signature = int(values["until"]), values["signature"]
    async with studio.db.begin() as tx:
        assert await studio.recordings.open(tx, mine, until_s, signature) == studio.folder / f"{mine}.webm"
        for file_id, at, signed in (
            (other, until_s, signature),
            (mine, until_s + 1, signature),
            (mine, until_s, "0" * 64),
        ):
            with pytest.raises(NotFound):
                await studio.recordings.open(tx, file_id, at, signed)
    past = studio.recordings.address(mine, now - 2 * ADDRESS_LASTS)
    values = dict(part.split("=") for part in past.partition("?")[2].split("&"))
    async with studio.db.begin() as tx:
        with pytest.raises(NotFound):
            await studio.recordings.open(tx, mine, int(values["until"]), values["signature"])


async def test_files_nobody_knows_of_are_swept_and_nothing_else(studio: Studio) -> None:
    studio.folder.mkdir()
    known, stray = uuid4(), uuid4()
    now = datetime.now(UTC)
    async with studio.db.begin() as tx:
        tx.session.add(
            RecordingFile(id=known, call_id=studio.call, side="customer", node_id="n", started_at=now,
                          expires_at=now + timedelta(days=1))
        )  # fmt: skip
    names = [f"{known}.webm", f"{known}.mended", f"{stray}.webm", "of-somebody-else.txt"]
    for name in names:
        (studio.folder / name).write_bytes(b"x")
    assert await studio.recordings.sweep(studio.db) == 0, "too young: perhaps the row is on its way"
    for name in names:
        os.utime(studio.folder / name, (0, 0))
    assert await studio.recordings.sweep(studio.db) == 2
    assert sorted(path.name for path in studio.folder.iterdir()) == sorted([names[0], names[3]])
