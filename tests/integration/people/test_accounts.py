"""Accounts on a real database: registration, log-in, and what the audit log keeps of it."""

from collections import Counter

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError

from core.audit import AuditEntry
from core.errors import Invalid, NotFound, Unauthenticated
from people import store
from people.accounts import WrongCredentials, WrongPassword
from people.consents import Agreement
from people.events import AccessRevoked
from people.passwords import WeakPassword
from people.roles import Role
from tests.integration.people.room import HERE, PASSWORD, Room


async def actions(room: Room) -> list[str]:
    async with room.db.begin() as tx:
        return list((await tx.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))).all())


async def test_a_registered_customer_can_log_in_however_the_address_is_written(room: Room) -> None:
    user = await room.register("Anna@Example.com")
    session = await room.accounts.login(room.db, " ANNA@example.COM ", PASSWORD, HERE)
    async with room.db.begin() as tx:
        principal = await room.tokens.authenticate(tx, session.access_token)
    assert principal.user_id == user
    assert principal.roles == {"customer"}
    assert await actions(room) == ["consent.given", "consent.given", "account.registered", "account.login"]


async def test_a_taken_address_gets_the_same_answer_and_changes_nothing(room: Room) -> None:
    await room.register("anna@example.com")
    await room.register("anna@example.com", password="another good one", display_name="Mallory")
    with pytest.raises(WrongCredentials):
        await room.accounts.login(room.db, "anna@example.com", "another good one", HERE)
    await room.accounts.login(room.db, "anna@example.com", PASSWORD, HERE)
    assert "account.register_taken" in await actions(room)


async def test_the_hash_in_the_table_is_bcrypt_and_the_password_is_nowhere(room: Room) -> None:
    await room.register("anna@example.com")
    async with room.db.begin() as tx:
        account = await store.account_by_email(tx, "anna@example.com")
        audit = (await tx.session.execute(text("SELECT audit::text FROM audit"))).scalars().all()
    assert account is not None
    assert account.password_hash.startswith("$2b$")
    assert not any(PASSWORD in row or "anna@" in row for row in audit)


async def test_staff_roles_cannot_be_chosen(room: Room) -> None:
    with pytest.raises(Invalid):
        await room.register("eve@example.com", role=Role.ADMIN)


async def test_a_weak_password_opens_no_account(room: Room) -> None:
    with pytest.raises(WeakPassword):
        await room.register("anna@example.com", password="password1")


async def test_a_consultant_must_agree_to_the_consultant_agreement_in_its_present_version(room: Room) -> None:
    old = (Agreement("terms", "2026-01"), Agreement("privacy", "2026-01"), Agreement("consultant_agreement", "2019-01"))
    with pytest.raises(Invalid) as refused:
        await room.register("ben@example.com", Role.CONSULTANT, agreements=old)
    assert refused.value.details["missing"] == ["consultant_agreement"]


async def test_consents_carry_version_and_time_and_cannot_be_changed(room: Room) -> None:
    user = await room.register("ben@example.com", Role.CONSULTANT)
    async with room.db.begin() as tx:
        given = await room.consents.of(tx, user)
        assert {(row.document, row.version, row.at) for row in given} == {
            (name, "2026-01", room.clock.now()) for name in ("terms", "privacy", "consultant_agreement")
        }
    for statement in ("UPDATE consent SET version = 'x'", "DELETE FROM consent", "DELETE FROM audit"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with room.db.begin() as tx:
                await tx.session.execute(text(statement))


async def test_an_unknown_address_and_a_wrong_password_look_the_same(room: Room) -> None:
    await room.register("anna@example.com")
    said = []
    for email in ("anna@example.com", "nobody@example.com", "not an address"):
        with pytest.raises(WrongCredentials) as refused:
            await room.accounts.login(room.db, email, "wrong password", HERE)
        said.append((refused.value.message, refused.value.code, refused.value.details))
    assert said[0] == said[1] == said[2]
    assert (await actions(room))[-3:] == ["account.login_failed"] * 3


async def test_changing_the_password_ends_every_other_session(room: Room) -> None:
    user = await room.register("anna@example.com")
    here = await room.accounts.login(room.db, "anna@example.com", PASSWORD, HERE)
    there = await room.accounts.login(room.db, "anna@example.com", PASSWORD, HERE)
    async with room.db.begin() as tx:
        who = await room.tokens.authenticate(tx, here.access_token)
    with pytest.raises(WrongPassword):
        await room.accounts.change_password(room.db, who, "not this one", "a swim in the lake", HERE)
    await room.accounts.change_password(room.db, who, PASSWORD, "a swim in the lake", HERE)
    async with room.db.begin() as tx:
        await room.tokens.authenticate(tx, here.access_token)
        with pytest.raises(Unauthenticated):
            await room.tokens.authenticate(tx, there.access_token)
    with pytest.raises(Unauthenticated):
        await room.accounts.refresh(room.db, there.refresh_token, HERE)
    await room.accounts.login(room.db, "anna@example.com", "a swim in the lake", HERE)
    assert AccessRevoked(user, str(there.family_id), "password_changed") in room.published
    assert (await actions(room)).count("account.password_refused") == 1


async def test_a_role_counts_from_the_next_request_on(room: Room) -> None:
    await room.register("anna@example.com")
    session = await room.accounts.login(room.db, "anna@example.com", PASSWORD, HERE)
    async with room.db.begin() as tx:
        assert await room.accounts.set_role(tx, "anna@example.com", Role.FINANCE, granted=True, origin=HERE)
    async with room.db.begin() as tx:
        assert (await room.tokens.authenticate(tx, session.access_token)).roles == {"customer", "finance"}
        assert not await room.accounts.set_role(tx, "anna@example.com", Role.FINANCE, granted=True, origin=HERE)
        assert await room.accounts.set_role(tx, "anna@example.com", Role.FINANCE, granted=False, origin=HERE)
    async with room.db.begin() as tx:
        assert (await room.tokens.authenticate(tx, session.access_token)).roles == {"customer"}
        with pytest.raises(NotFound):
            await room.accounts.set_role(tx, "nobody@example.com", Role.ADMIN, granted=True, origin=HERE)
    assert (await actions(room))[-2:] == ["account.role_granted", "account.role_revoked"]


async def test_a_disabled_account_is_out_at_once(room: Room) -> None:
    await room.register("anna@example.com")
    session = await room.accounts.login(room.db, "anna@example.com", PASSWORD, HERE)
    async with room.db.begin() as tx:
        await room.accounts.disable(tx, "anna@example.com", HERE)
    async with room.db.begin() as tx:
        with pytest.raises(Unauthenticated):
            await room.tokens.authenticate(tx, session.access_token)
    with pytest.raises(WrongCredentials):
        await room.accounts.login(room.db, "anna@example.com", PASSWORD, HERE)
    with pytest.raises(Unauthenticated):
        await room.accounts.refresh(room.db, session.refresh_token, HERE)


@pytest.mark.parametrize("roles", [["king"], ["customer", "root"]])
async def test_the_database_knows_no_other_roles(room: Room, roles: list[str]) -> None:
    await room.register("anna@example.com")
    with pytest.raises(DBAPIError, match="roles_known"):
        async with room.db.begin() as tx:
            await tx.session.execute(text("UPDATE account SET roles = :roles"), {"roles": roles})


async def test_an_owner_changes_name_language_and_time_zone(room: Room) -> None:
    user = await room.register("anna@example.com")
    async with room.db.begin() as tx:
        view = await room.accounts.update(tx, user, display_name=" Anna\tB. ", locale="de", time_zone="Europe/Zurich")
    assert (view.display_name, view.locale, view.time_zone) == ("Anna B.", "de", "Europe/Zurich")
    with pytest.raises(Invalid):
        async with room.db.begin() as tx:
            await room.accounts.update(tx, user, time_zone="Europe/Atlantis")


async def test_registering_a_taken_address_takes_as_long_as_a_free_one(room: Room) -> None:
    """By the work that is done, not by a clock: all that a registration writes, and hardly any more."""
    said: list[str] = []
    event.listen(room.db.engine.sync_engine, "before_cursor_execute", lambda *told: said.append(str(told[2])))
    await room.register("anna@example.com")
    free = Counter(said)
    said.clear()
    await room.register("anna@example.com")
    taken = Counter(said)
    assert any("INSERT INTO consent" in statement for statement in free)
    assert not free - taken
    assert (taken - free).total() <= 4  # a savepoint, its end, the made-up account, the note that it was taken
    async with room.db.begin() as tx:
        assert await tx.session.scalar(text("SELECT count(*) FROM account")) == 1
        assert await tx.session.scalar(text("SELECT count(*) FROM audit WHERE action = 'account.registered'")) == 1
