"""Demo data: accounts, profiles, payout accounts and a saved card, made once through the same services as anyone's."""

import asyncio
import sys

import aiohttp

from app.demo_history import seed_history
from app.demo_people import CONSULTANTS, CUSTOMER_NAME, LOGINS, PASSWORD, STAFF_NAMES, DemoConsultant
from app.wiring import build, close, load_settings
from core import logs
from core.db import Tx
from core.ids import UserId
from people import store
from people.accounts import Registration
from people.billing_details import BillingDetails
from people.consents import CURRENT, Agreement, needed_for
from people.origin import Origin
from people.profiles import ProfileDraft
from people.roles import Role
from web.context import House

ORIGIN = Origin(operator="seed")
BCRYPT_COST = 12
HOME = "DE"  # where the demo's consultants are taxed


async def seed(house: House) -> int:
    """Make whatever is missing; returns how many accounts were made. Running it again changes nothing."""
    made = 0
    async with aiohttp.ClientSession() as http:
        for role, name in STAFF_NAMES.items():
            made += await staff(house, LOGINS[role], name, Role(role))
        made += await register(house, LOGINS["customer"], CUSTOMER_NAME, Role.CUSTOMER)
        if not await has_card(house, LOGINS["customer"]):
            await save_card(house, http, LOGINS["customer"])
        for consultant in CONSULTANTS:
            made += await register(house, consultant.email, consultant.name, Role.CONSULTANT, consultant.time_zone)
            if not await is_ready(house, consultant.email):  # a seed that was interrupted is finished by the next
                await set_up(house, http, consultant)
    if house.settings.environment in {"demo", "test"}:
        async with house.db.begin() as tx:
            await seed_history(tx, house.models.built_in)
    return made


async def staff(house: House, email: str, name: str, role: Role) -> int:
    """An account with a role nobody can choose."""
    if await exists(house, email):
        return 0
    await house.accounts.create_staff(
        house.db, email=email, password=PASSWORD, display_name=name, roles=[role], origin=ORIGIN
    )
    return 1


async def register(house: House, email: str, name: str, role: Role, time_zone: str = "Europe/Berlin") -> bool:
    """An account as its owner would open it; False when it is there already."""
    if await exists(house, email):
        return False
    agreements = tuple(Agreement(document, CURRENT[document]) for document in sorted(needed_for(role)))
    wish = Registration(email, PASSWORD, role, name, "en", time_zone, agreements)
    await house.accounts.register(house.db, wish, ORIGIN)
    return True


async def set_up(house: House, http: aiohttp.ClientSession, consultant: DemoConsultant) -> None:
    """Profile and payout account: everything a consultant needs before going online."""
    async with house.db.begin() as tx:
        user = await user_id(tx, consultant.email)
        draft = ProfileDraft(
            headline=consultant.headline,
            biography=consultant.biography,
            tags=consultant.tags,
            rate_minor_per_hour=consultant.rate_minor_per_hour,
            currency=consultant.currency,
            languages=consultant.languages,
            time_zone=consultant.time_zone,
        )
        await house.profiles.put(tx, user, draft)
        await house.billing_details.put(tx, user, BillingDetails(HOME), ORIGIN)
    if not house.settings.stripe_public_base:
        return  # Stripe's own onboarding page is for a person: Home leads there
    status = await house.payout_accounts.begin(user, HOME)
    if status.onboarding_url:
        async with http.post(status.onboarding_url, allow_redirects=False) as response:
            response.raise_for_status()
    await house.payout_accounts.begin(user)


async def save_card(house: House, http: aiohttp.ClientSession, email: str) -> None:
    """A test card, confirmed the way hosted fields confirm it."""
    async with house.db.begin() as tx:
        user = await user_id(tx, email)
    form = await house.cards.begin(user)
    async with http.post(
        f"{house.settings.stripe_api_base}/v1/setup_intents/{form.setup_intent_id}/confirm",
        data={"payment_method": "pm_card_visa"},
        headers={"Authorization": f"Bearer {house.settings.stripe_secret_key}"},
    ) as response:
        response.raise_for_status()
    await house.cards.complete(user, form.setup_intent_id)


async def has_card(house: House, email: str) -> bool:
    """Whether this customer has a saved card."""
    async with house.db.begin() as tx:
        return bool(await house.cards.cards(tx, await user_id(tx, email)))


async def is_ready(house: House, email: str) -> bool:
    """Whether this consultant lacks nothing that a seed can give."""
    async with house.db.begin() as tx:
        missing = set(await house.profiles.missing(tx, await user_id(tx, email)))
    return not (missing if house.settings.stripe_public_base else missing - {"payout_account"})


async def exists(house: House, email: str) -> bool:
    """Whether this address has an account."""
    async with house.db.begin() as tx:
        return await store.account_by_email(tx, email) is not None


async def user_id(tx: Tx, email: str) -> UserId:
    """Whose address this is."""
    account = await store.account_by_email(tx, email)
    assert account is not None
    return UserId(account.id)


async def main() -> int:
    """Seed the installation that the environment names."""
    settings = load_settings()
    logs.configure("seed")
    house = build(settings, bcrypt_cost=BCRYPT_COST)
    try:
        async with house.jobs.app.open_async():
            await seed(house)
    finally:
        await close(house)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
