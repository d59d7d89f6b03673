"""The operator's commands: staff roles come from nowhere else, and each command leaves an audit row."""

import io

import pytest
from sqlalchemy import select

from app.cli import parser, run
from core.audit import AuditEntry
from core.errors import Conflict, NotFound
from people.accounts import WrongCredentials
from people.origin import Origin
from tests.integration.web.visitor import PASSWORD
from web.context import House

OPERATOR = Origin(operator="root")


async def command(house: House, *words: str) -> str:
    return await run(house, parser().parse_args(words), OPERATOR)


@pytest.fixture
async def staffed(edge: House, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    said = await command(edge, "create", "fin@example.com", "--name", "Fin", "--role", "finance")
    assert said == "Created fin@example.com with finance."
    return edge


async def roles_of(house: House) -> frozenset[str]:
    session = await house.accounts.login(house.db, "fin@example.com", PASSWORD, Origin())
    async with house.db.begin() as tx:
        return (await house.tokens.authenticate(tx, session.access_token)).roles


async def test_a_created_member_of_staff_can_log_in(staffed: House) -> None:
    assert await roles_of(staffed) == {"finance"}


async def test_roles_are_granted_and_revoked_and_saying_it_twice_changes_nothing(staffed: House) -> None:
    assert await command(staffed, "grant", "Fin@example.com", "admin") == "Fin@example.com now has admin."
    assert await roles_of(staffed) == {"finance", "admin"}
    assert (await command(staffed, "grant", "fin@example.com", "admin")).startswith("Nothing to do")
    assert await command(staffed, "revoke", "fin@example.com", "finance") == "fin@example.com no longer has finance."
    assert await roles_of(staffed) == {"admin"}


async def test_every_command_leaves_a_row_that_names_the_operator(staffed: House) -> None:
    await command(staffed, "grant", "fin@example.com", "admin")
    await command(staffed, "disable", "fin@example.com")
    async with staffed.db.begin() as tx:
        rows = (await tx.session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert [row.action for row in rows] == ["account.created", "account.role_granted", "account.disabled"]
    assert all(row.actor_id is None and row.details["operator"] == "root" for row in rows)
    with pytest.raises(WrongCredentials):
        await roles_of(staffed)


async def test_what_cannot_be_done_is_said(staffed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound):
        await command(staffed, "grant", "nobody@example.com", "admin")
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    with pytest.raises(Conflict):
        await command(staffed, "create", "fin@example.com", "--name", "Fin", "--role", "finance")


@pytest.mark.parametrize("words", [["grant", "a@b.c", "king"], ["grant", "a@b.c"], ["create", "a@b.c"], []])
def test_a_command_that_makes_no_sense_is_not_begun(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(words)
    assert "usage: python -m app" in capsys.readouterr().err
