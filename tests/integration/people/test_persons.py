"""Profiles, ratings and blocks on a real database; hostile text stays text (R02)."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from core.errors import Conflict, Invalid, NotFound
from core.ids import CallId, UserId, new_id
from people.events import ConsultantProfileChanged, RatingGiven, UserBlocked
from people.profiles import ProfileDraft
from people.roles import Role
from people.text import clean
from tests.integration.people.room import HERE, Room

CORPUS = (Path(__file__).parent / "stored_xss.txt").read_text(encoding="utf-8").splitlines()
DRAFT = ProfileDraft(
    headline="Tax law for small firms",
    biography="Twenty years of practice.",
    tags=("Tax", "tax", "#VAT"),
    rate_minor_per_hour=9_000,
    currency="eur",
    languages=("en", "de"),
    time_zone="Europe/Berlin",
)


@dataclass(frozen=True)
class Receiving:
    user_id: UserId
    can_receive: bool


async def test_a_profile_comes_back_as_it_was_given_and_the_others_are_told(room: Room) -> None:
    user = await room.register("ben@example.com", Role.CONSULTANT)
    room.published.clear()
    async with room.db.begin() as tx:
        await room.profiles.put(tx, user, DRAFT)
    async with room.db.begin() as tx:
        stored = await room.profiles.get(tx, user)
    assert (stored.headline, stored.biography, stored.tags) == (DRAFT.headline, DRAFT.biography, ("tax", "vat"))
    assert (stored.rate_minor_per_hour, stored.currency, stored.languages) == (9_000, "eur", ("en", "de"))
    assert room.published == [ConsultantProfileChanged(user)]


async def test_what_is_missing_is_named_and_nothing_is_missing_in_the_end(room: Room) -> None:
    user = await room.register("ben@example.com", Role.CONSULTANT)
    async with room.db.begin() as tx:
        assert (await room.profiles.get(tx, user)).missing == (
            "headline",
            "tags",
            "languages",
            "rate",
            "payout_account",
        )
        assert (await room.profiles.put(tx, user, DRAFT)).missing == ("payout_account",)
        await room.profiles.on_payout_account_changed(tx, Receiving(user, can_receive=True))
        assert (await room.profiles.get(tx, user)).missing == ()
        await room.profiles.on_payout_account_changed(tx, Receiving(user, can_receive=False))
        assert (await room.profiles.get(tx, user)).missing == ("payout_account",)


async def test_only_consultants_have_a_consultants_profile(room: Room) -> None:
    customer = await room.register("anna@example.com")
    consultant = await room.register("ben@example.com", Role.CONSULTANT)
    async with room.db.begin() as tx:
        assert await room.profiles.consultant_profile(tx, customer) is None
        assert await room.profiles.consultant_profile(tx, UserId(new_id())) is None
        assert await room.profiles.consultant_profile(tx, consultant) is not None
        assert await room.profiles.consultant_ids(tx) == [consultant]
        names = await room.profiles.names(tx, [customer, consultant, UserId(new_id())])
    assert names == {customer: "Anna", consultant: "Ben"}


@pytest.mark.parametrize(
    "change",
    [
        {"rate_minor_per_hour": 0},
        {"rate_minor_per_hour": None},
        {"currency": None},
        {"currency": "xxx"},
        {"languages": ("english",)},
        {"languages": ("EN",)},
        {"time_zone": "Moon/Base"},
        {"tags": tuple(f"tag {n}" for n in range(21))},
        {"tags": ("x" * 41,)},
    ],
)
async def test_a_profile_that_makes_no_sense_is_refused(room: Room, change: dict[str, object]) -> None:
    user = await room.register("ben@example.com", Role.CONSULTANT)
    wish = {**{name: getattr(DRAFT, name) for name in DRAFT.__slots__}, **change}
    with pytest.raises(Invalid):
        async with room.db.begin() as tx:
            await room.profiles.put(tx, user, ProfileDraft(**wish))


@pytest.mark.parametrize("hostile", CORPUS)
async def test_hostile_text_comes_back_as_the_characters_it_is_made_of(room: Room, hostile: str) -> None:
    user = await room.register("ben@example.com", Role.CONSULTANT)
    wish = {name: getattr(DRAFT, name) for name in DRAFT.__slots__} | {"headline": hostile, "biography": hostile}
    async with room.db.begin() as tx:
        await room.profiles.put(tx, user, ProfileDraft(**wish))
    async with room.db.begin() as tx:
        stored = await room.profiles.get(tx, user)
    assert stored.biography == clean(hostile)
    assert stored.headline == " ".join(clean(hostile).split())


async def test_a_side_rates_a_call_once_and_the_mean_follows(room: Room) -> None:
    anna = await room.register("anna@example.com")
    ben = await room.register("ben@example.com", Role.CONSULTANT)
    call = CallId(new_id())
    async with room.db.begin() as tx:
        await room.ratings.give(tx, call_id=call, rater_id=anna, ratee_id=ben, stars=4, comment="Helped.")
        await room.ratings.give(tx, call_id=call, rater_id=ben, ratee_id=anna, stars=5)
    with pytest.raises(Conflict):
        async with room.db.begin() as tx:
            await room.ratings.give(tx, call_id=call, rater_id=anna, ratee_id=ben, stars=1)
    async with room.db.begin() as tx:
        await room.ratings.give(tx, call_id=CallId(new_id()), rater_id=anna, ratee_id=ben, stars=5)
        summary = await room.ratings.summary(tx, ben)
    assert (summary.count, str(summary.average)) == (2, "4.5")
    assert RatingGiven(call, anna, ben, 4) in room.published


@pytest.mark.parametrize("stars", [0, 6, -1])
async def test_there_are_one_to_five_stars(room: Room, stars: int) -> None:
    anna, ben = await room.register("anna@example.com"), await room.register("ben@example.com")
    with pytest.raises(Invalid):
        async with room.db.begin() as tx:
            await room.ratings.give(tx, call_id=CallId(new_id()), rater_id=anna, ratee_id=ben, stars=stars)


async def test_a_block_keeps_both_apart_and_is_told_once(room: Room) -> None:
    anna, ben = await room.register("anna@example.com"), await room.register("ben@example.com")
    async with room.db.begin() as tx:
        await room.blocks.add(tx, anna, ben, HERE)
        await room.blocks.add(tx, anna, ben, HERE)
        assert await room.blocks.kept_apart_from(tx, anna) == {ben}
        assert await room.blocks.kept_apart_from(tx, ben) == {anna}
        with pytest.raises(Invalid):
            await room.blocks.add(tx, anna, anna, HERE)
    assert [event for event in room.published if isinstance(event, UserBlocked)] == [UserBlocked(anna, ben)]


async def test_nobody_has_no_profile(room: Room) -> None:
    with pytest.raises(NotFound):
        async with room.db.begin() as tx:
            await room.profiles.get(tx, UserId(new_id()))
