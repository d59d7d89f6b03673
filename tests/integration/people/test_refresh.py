"""Refresh tokens (S5): used once; used twice, the whole family is gone."""

import asyncio
from datetime import timedelta

import pytest

from core.errors import Unauthenticated
from people.events import AccessRevoked
from people.tokens import FAMILY_LIFE, REFRESH_LIFE, Session
from tests.integration.people.room import HERE, PASSWORD, Room


async def alive(room: Room, session: Session) -> bool:
    async with room.db.begin() as tx:
        try:
            await room.tokens.authenticate(tx, session.access_token)
        except Unauthenticated:
            return False
    return True


async def signed_in(room: Room) -> Session:
    await room.register("anna@example.com")
    return await room.accounts.login(room.db, "anna@example.com", PASSWORD, HERE)


async def test_a_refresh_gives_new_tokens_of_the_same_family(room: Room) -> None:
    first = await signed_in(room)
    second = await room.accounts.refresh(room.db, first.refresh_token, HERE)
    assert second.family_id == first.family_id
    assert second.refresh_token != first.refresh_token
    assert second.access_token != first.access_token
    assert await alive(room, second)


async def test_a_refresh_token_used_twice_takes_its_whole_family_down(room: Room) -> None:
    first = await signed_in(room)
    second = await room.accounts.refresh(room.db, first.refresh_token, HERE)
    with pytest.raises(Unauthenticated):
        await room.accounts.refresh(room.db, first.refresh_token, HERE)
    assert not await alive(room, first)
    assert not await alive(room, second)
    with pytest.raises(Unauthenticated):
        await room.accounts.refresh(room.db, second.refresh_token, HERE)
    assert room.published.count(AccessRevoked(first.user_id, str(first.family_id), "refresh_token_reused")) == 1


async def test_of_a_hundred_refreshes_at_once_at_most_one_wins(room: Room) -> None:
    session = await signed_in(room)
    tries = [room.accounts.refresh(room.db, session.refresh_token, HERE) for _ in range(100)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    winners = [outcome for outcome in outcomes if isinstance(outcome, Session)]
    assert len(winners) <= 1
    assert all(isinstance(outcome, (Session, Unauthenticated)) for outcome in outcomes)
    assert not any([await alive(room, winner) for winner in winners])


async def test_another_session_of_the_same_person_is_not_touched_by_a_reuse(room: Room) -> None:
    stolen = await signed_in(room)
    other = await room.accounts.login(room.db, "anna@example.com", PASSWORD, HERE)
    await room.accounts.refresh(room.db, stolen.refresh_token, HERE)
    with pytest.raises(Unauthenticated):
        await room.accounts.refresh(room.db, stolen.refresh_token, HERE)
    assert await alive(room, other)


async def test_logout_ends_both_tokens_at_once(room: Room) -> None:
    session = await signed_in(room)
    async with room.db.begin() as tx:
        await room.accounts.logout(tx, session.refresh_token, HERE)
    assert not await alive(room, session)
    with pytest.raises(Unauthenticated):
        await room.accounts.refresh(room.db, session.refresh_token, HERE)
    assert AccessRevoked(session.user_id, str(session.family_id), "logout") in room.published


async def test_an_unused_refresh_token_dies_of_age(room: Room) -> None:
    session = await signed_in(room)
    room.clock.advance(REFRESH_LIFE + timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        await room.accounts.refresh(room.db, session.refresh_token, HERE)


async def test_a_family_dies_of_age_however_often_it_was_refreshed(room: Room) -> None:
    session = await signed_in(room)
    for _ in range(3):
        room.clock.advance(timedelta(days=29))
        session = await room.accounts.refresh(room.db, session.refresh_token, HERE)
    room.clock.advance(FAMILY_LIFE - timedelta(days=87))
    with pytest.raises(Unauthenticated):
        await room.accounts.refresh(room.db, session.refresh_token, HERE)


@pytest.mark.parametrize("rubbish", ["", "x", "\udce9", "A" * 5000])
async def test_a_made_up_token_is_refused(room: Room, rubbish: str) -> None:
    with pytest.raises(Unauthenticated):
        await room.accounts.refresh(room.db, rubbish, HERE)
