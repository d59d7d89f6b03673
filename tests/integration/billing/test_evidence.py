"""The evidence chain in the database: it never forks, it takes no false body, and every edit shows."""

import asyncio
from uuid import UUID

import psycopg
import pytest
from alembic import command
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.embedded.postgres import EmbeddedPostgres
from app.migrate import config
from billing import timeline
from billing.models import ChargeEventRow
from billing.proof.chain import Entry
from core.ids import CallId, new_id
from media.events import ParticipantSeen, ParticipantUnseen
from tests.integration.billing.room import Room


async def evidence(room: Room, call: CallId) -> list[ChargeEventRow]:
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        return await timeline.of_charge(tx, charge.id)


async def called(room: Room) -> CallId:
    call = await room.open()
    await room.talk(call, 660_000)
    await room.end(call)
    return call


async def test_a_call_leaves_a_whole_chain(room: Room) -> None:
    rows = await evidence(room, await called(room))
    assert [row.n for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) > 6
    assert timeline.verify(rows) is None


@pytest.mark.parametrize(
    "edit",
    [
        "details = details || '{\"duration_ms\": 1}'",
        "at = at + interval '1 microsecond'",
        "kind = 'edited'",
        "body = replace(body, ':', ': ')",
        "hash = repeat('0', 64)",
        "previous_hash = repeat('0', 64)",
    ],
)
async def test_an_edit_behind_the_triggers_back_shows_at_that_very_row(room: Room, edit: str) -> None:
    call = await called(room)
    whole = await evidence(room, call)
    for row in (whole[0], whole[4], whole[-1]):
        with psycopg.connect(room.settings.database_url) as behind:
            behind.execute("ALTER TABLE charge_event DISABLE TRIGGER charge_event_append_only")
            behind.execute(f"UPDATE charge_event SET {edit} WHERE id = %s", (row.id,))  # noqa: S608 - our own words
            behind.commit()
            assert timeline.verify(await evidence(room, call)) == row.n
            behind.execute(
                "UPDATE charge_event SET at = %s, kind = %s, details = %s, hash = %s, previous_hash = %s, body = %s "
                "WHERE id = %s",
                (row.at, row.kind, Jsonb(row.details), row.hash, row.previous_hash, row.body, row.id),
            )
        assert timeline.verify(await evidence(room, call)) is None


async def test_a_removed_row_shows_where_it_was(room: Room) -> None:
    call = await called(room)
    with psycopg.connect(room.settings.database_url) as behind:
        behind.execute("ALTER TABLE charge_event DISABLE TRIGGER charge_event_append_only")
        behind.execute("DELETE FROM charge_event WHERE n = 3")
    assert timeline.verify(await evidence(room, call)) == 3


async def test_many_at_once_make_one_chain(room: Room) -> None:
    call = await room.open()
    charge = await room.charge(call)

    async def note(number: int) -> None:
        async with room.db.begin() as tx:
            for step in range(3):
                timeline.record(tx, charge.id, "side_seen", number=number, step=step)

    await asyncio.gather(*(note(number) for number in range(20)))
    rows = await evidence(room, call)
    assert timeline.verify(rows) is None
    noted = [(row.details["number"], row.details["step"]) for row in rows if "step" in row.details]
    assert len(noted) == 60
    assert [step for _, step in noted] == [0, 1, 2] * 20  # a transaction's entries stay together and in order


async def test_a_body_that_says_something_else_is_refused(room: Room) -> None:
    charge = await room.charge(await room.open())
    with pytest.raises(IntegrityError, match="must say what its columns say"):
        async with room.db.begin() as tx:
            tx.session.add(
                ChargeEventRow(
                    charge_id=charge.id,
                    at=tx.now,
                    kind="captured",
                    details={"captured_minor": 1},
                    body='{"details":{}}',
                )
            )


async def test_nobody_chooses_number_or_hash(room: Room) -> None:
    call = await room.open()
    rows = await evidence(room, call)
    async with room.db.begin() as tx:
        await tx.session.execute(
            text(
                "INSERT INTO charge_event (charge_id, at, kind, details, body, n, previous_hash, hash) "
                "SELECT charge_id, at, kind, details, body, 1, repeat('0', 64), repeat('0', 64) FROM charge_event "
                "WHERE id = :id"
            ),
            {"id": rows[0].id},
        )
    after = await evidence(room, call)
    assert timeline.verify(after) is None
    assert after[-1].n == len(rows) + 1


async def test_each_sides_own_comings_and_goings_are_evidence(room: Room) -> None:
    call, now = await room.open(), room.clock.now()
    async with room.db.begin() as tx:
        await room.meter.on_participant_seen(tx, ParticipantSeen(call, "customer", now))
        await room.meter.on_participant_unseen(tx, ParticipantUnseen(call, "customer", now))
        await room.meter.on_participant_seen(tx, ParticipantSeen(CallId(UUID(int=1)), "customer", now))  # no charge
    seen, unseen = (await evidence(room, call))[-2:]
    assert (seen.kind, seen.details["side"]) == ("side_seen", "customer")
    assert unseen.details["last_packet_at"].endswith("Z")


async def test_what_was_written_before_there_was_a_chain_is_chained(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE before_the_chain")
    url = postgres.url("before_the_chain")
    command.upgrade(config(url), "0011-1")
    charges = [new_id(), new_id()]
    with psycopg.connect(url) as old:
        for charge in charges:
            old.execute(
                "INSERT INTO charge (id, call_id, reference, customer_id, consultant_id, created_at, currency,"
                " rate_minor_per_hour, policy, policy_version, threshold_ms, commission_bps, tax_mode, tax_rate_bps,"
                " snapshot_cap_minor, terms_version, consented_at, state, cap_minor, marked_ms, captured_minor)"
                " VALUES (%s, %s, 'CC-1', %s, %s, now(), 'eur', 9000, 'whole_call', '1', 600000, 1500, 'inclusive',"
                " 1900, 4500, '1', now(), 'metering', 4500, 0, 0)",
                (charge, new_id(), new_id(), new_id()),
            )
        for n in range(3):
            for charge in charges:
                old.execute(
                    "INSERT INTO charge_event (charge_id, at, kind, details) VALUES (%s, now(), 'noted', %s)",
                    (charge, Jsonb({"n": n, "who": "Zoë"})),
                )
    command.upgrade(config(url), "0011")
    with psycopg.connect(url, row_factory=class_row(Entry)) as new:
        columns = "charge_id, n, at, kind, details, body, previous_hash, hash"
        for charge in charges:
            rows = new.execute(f"SELECT {columns} FROM charge_event WHERE charge_id = %s ORDER BY n", (charge,))  # noqa: S608
            found = rows.fetchall()
            assert [row.details["n"] for row in found] == [0, 1, 2]
            assert timeline.verify(found) is None
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            new.execute("UPDATE charge_event SET kind = 'x'")
