"""Profiles: how persons appear to others, and what a consultant offers at which rate."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import available_timezones

from core.db import Tx
from core.errors import Invalid, NotFound
from core.ids import UserId
from core.money import Currency
from people import store
from people.events import ConsultantProfileChanged
from people.models import Profile
from people.text import clean, clean_line, clean_tag

MAX_TAGS = 20
MAX_TAG_CHARACTERS = 40
MAX_LANGUAGES = 8


@dataclass(frozen=True, slots=True)
class ConsultantProfile:
    """What a consultant offers, as other rooms may know it; ``missing`` blocks going online."""

    user_id: UserId
    display_name: str
    headline: str
    biography: str
    tags: tuple[str, ...]
    rate_minor_per_hour: int | None
    currency: str | None
    languages: tuple[str, ...]
    time_zone: str
    can_receive: bool
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProfileDraft:
    """What a consultant sends to be stored, whole."""

    headline: str
    biography: str
    tags: tuple[str, ...]
    rate_minor_per_hour: int | None
    currency: str | None
    languages: tuple[str, ...]
    time_zone: str


class ReceivingChanged(Protocol):
    """The shape of the event that says whether somebody can be paid (its room lies above this one)."""

    @property
    def user_id(self) -> UserId:
        """Whose account changed."""
        ...

    @property
    def can_receive(self) -> bool:
        """Whether it can receive transfers now."""
        ...


def missing_of(profile: Profile) -> tuple[str, ...]:
    """What a consultant still has to fill in before going online, in the order a form asks for it."""
    wanted = {
        "headline": bool(profile.headline),
        "tags": bool(profile.tags),
        "languages": bool(profile.languages),
        "rate": profile.rate_minor_per_hour is not None and profile.currency is not None,
        "payout_account": profile.can_receive,
    }
    return tuple(name for name, there in wanted.items() if not there)


def check_time_zone(name: str) -> str:
    """An IANA time zone, or a readable refusal."""
    if name not in available_timezones():
        raise Invalid("This time zone is not known. Use a name such as Europe/Berlin.", field="time_zone")
    return name


def check_display_name(name: str) -> str:
    """A name in one clean line that is not empty."""
    cleaned = clean_line(name)
    if not cleaned:
        raise Invalid("Give a name that others will see.", field="display_name")
    return cleaned


def _tags(given: Iterable[str]) -> list[str]:
    tags = list(dict.fromkeys(tag for tag in map(clean_tag, given) if tag))
    if len(tags) > MAX_TAGS or any(len(tag) > MAX_TAG_CHARACTERS for tag in tags):
        raise Invalid(f"Use at most {MAX_TAGS} tags of at most {MAX_TAG_CHARACTERS} characters.", field="tags")
    return tags


def _languages(given: Iterable[str]) -> list[str]:
    languages = list(dict.fromkeys(given))
    two_letters = all(len(code) == 2 and code.isascii() and code.islower() for code in languages)  # noqa: PLR2004
    if len(languages) > MAX_LANGUAGES or not two_letters:
        raise Invalid("Name languages by their two-letter codes, such as en or de.", field="languages")
    return languages


class ProfileService:
    """Creates, reads and changes profiles."""

    async def create(self, tx: Tx, user: UserId, *, display_name: str, time_zone: str) -> None:
        """Give a new account its profile."""
        tx.session.add(
            Profile(
                user_id=user,
                display_name=check_display_name(display_name),
                headline="",
                biography="",
                tags=[],
                languages=[],
                time_zone=check_time_zone(time_zone),
                can_receive=False,
                updated_at=tx.now,
            )
        )
        await tx.session.flush()

    async def get(self, tx: Tx, user: UserId) -> ConsultantProfile:
        """The profile of a person; NotFound when there is none."""
        return _view(await self._row(tx, user))

    async def consultant_profile(self, tx: Tx, user: UserId) -> ConsultantProfile | None:
        """The profile if this person is a consultant whose account is in use, else None."""
        account = await store.account(tx, user)
        if account is None or account.disabled_at is not None or "consultant" not in account.roles:
            return None
        row = await store.profile(tx, user)
        return _view(row) if row else None

    async def missing(self, tx: Tx, user: UserId) -> tuple[str, ...]:
        """What this person lacks for going online as a consultant; somebody without the role lacks it."""
        profile = await self.consultant_profile(tx, user)
        return ("role",) if profile is None else profile.missing

    async def consultant_ids(self, tx: Tx) -> list[UserId]:
        """Every consultant, so that a projection can be built anew."""
        return await store.consultant_ids(tx)

    async def put(self, tx: Tx, user: UserId, draft: ProfileDraft) -> ConsultantProfile:
        """Replace what a consultant offers, and tell the others."""
        if (draft.rate_minor_per_hour is None) != (draft.currency is None):
            raise Invalid("A rate needs its currency, and a currency its rate.", field="rate_minor_per_hour")
        if draft.rate_minor_per_hour is not None and draft.rate_minor_per_hour <= 0:
            raise Invalid("The rate must be more than nothing.", field="rate_minor_per_hour")
        if draft.currency is not None and draft.currency not in set(Currency):
            raise Invalid("This currency is not offered.", field="currency")
        row = await self._row(tx, user, lock=True)
        row.headline = clean_line(draft.headline)
        row.biography = clean(draft.biography)
        row.tags = _tags(draft.tags)
        row.rate_minor_per_hour = draft.rate_minor_per_hour
        row.currency = draft.currency
        row.languages = _languages(draft.languages)
        row.time_zone = check_time_zone(draft.time_zone)
        await self._changed(tx, row)
        return _view(row)

    async def rename(
        self, tx: Tx, user: UserId, *, display_name: str | None = None, time_zone: str | None = None
    ) -> None:
        """Change what every person has: the name others see, and the time zone."""
        row = await self._row(tx, user, lock=True)
        if display_name is not None:
            row.display_name = check_display_name(display_name)
        if time_zone is not None:
            row.time_zone = check_time_zone(time_zone)
        await self._changed(tx, row)

    async def names(self, tx: Tx, users: Iterable[UserId]) -> dict[UserId, str]:
        """Display names by id; an unknown id is absent."""
        return await store.display_names(tx, users)

    async def called(self, tx: Tx, name: str, *, limit: int = 20) -> list[UserId]:
        """Consultants whose display name contains this."""
        return await store.consultants_called(tx, clean_line(name), limit=limit)

    async def named(self, tx: Tx, name: str) -> list[UserId]:
        """Everybody, customer or consultant, whose display name contains this; all of them."""
        return await store.called(tx, clean_line(name))

    async def on_payout_account_changed(self, tx: Tx, event: ReceivingChanged) -> None:
        """The right to be paid came or went: it decides whether this consultant may go online."""
        row = await self._row(tx, event.user_id, lock=True)
        if row.can_receive != event.can_receive:
            row.can_receive = event.can_receive
            await self._changed(tx, row)

    async def _row(self, tx: Tx, user: UserId, *, lock: bool = False) -> Profile:
        row = await store.profile(tx, user, lock=lock)
        if row is None:
            raise NotFound
        return row

    async def _changed(self, tx: Tx, row: Profile) -> None:
        row.updated_at = tx.now
        await tx.session.flush()  # handlers read the profile anew, in this very transaction
        tx.touch([row.user_id])
        await tx.publish(ConsultantProfileChanged(user_id=UserId(row.user_id)))


def _view(row: Profile) -> ConsultantProfile:
    return ConsultantProfile(
        user_id=UserId(row.user_id),
        display_name=row.display_name,
        headline=row.headline,
        biography=row.biography,
        tags=tuple(row.tags),
        rate_minor_per_hour=row.rate_minor_per_hour,
        currency=row.currency,
        languages=tuple(row.languages),
        time_zone=row.time_zone,
        can_receive=row.can_receive,
        missing=missing_of(row),
    )
