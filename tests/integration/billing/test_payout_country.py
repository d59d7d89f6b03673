"""The country of a consultant's account: chosen once, stored before Stripe is asked, then the account's for good."""

from collections.abc import AsyncIterator

import pytest

from billing.models import PayoutAccountRow
from billing.provider.errors import ProviderRejected, ProviderUnknown
from core.clock import FakeClock
from core.errors import AppError
from core.settings import Settings
from tests.fakes.sandbox import in_process
from tests.integration.billing.room import Room
from tests.integration.billing.test_decisions import refused
from tests.integration.billing.test_routes import Scene, _people, scene  # noqa: F401 - the fixture


async def country_of(room: Room) -> str | None:
    async with room.db.begin() as tx:
        row = await tx.session.get(PayoutAccountRow, room.consultant)
        return None if row is None else row.country


async def accounts(room: Room) -> list[str]:
    return [account["country"] for account in (await room.sandbox.state()).get("account", [])]


@pytest.fixture
async def newcomer(settings: Settings, clock: FakeClock) -> AsyncIterator[Room]:
    """A house in which nobody has an account yet."""
    async with in_process() as sandbox:
        room = Room(settings.model_copy(update={"stripe_public_base": sandbox.url}), clock, sandbox)
        async with room.jobs.app.open_async():
            yield room
        await room.close()


async def test_an_account_is_opened_where_its_owner_says(newcomer: Room) -> None:
    assert (await newcomer.payouts.begin(newcomer.consultant, "AT", stated="DE")).country == "AT"
    assert await accounts(newcomer) == [await country_of(newcomer)] == ["AT"]
    assert (await newcomer.payouts.status(newcomer.consultant)).country == "AT"


async def test_without_a_country_nothing_is_opened_or_kept(newcomer: Room) -> None:
    for chosen in (None, "JP"):
        with pytest.raises(AppError):
            await newcomer.payouts.begin(newcomer.consultant, chosen)
    assert (await accounts(newcomer), await country_of(newcomer)) == ([], None)


async def test_the_country_stays_whatever_is_stated_later(newcomer: Room) -> None:
    await newcomer.payouts.begin(newcomer.consultant, stated="CH")
    assert (await newcomer.payouts.begin(newcomer.consultant, stated="FR")).country == "CH"
    with pytest.raises(AppError, match="cannot be changed"):
        await newcomer.payouts.begin(newcomer.consultant, "FR")
    assert await accounts(newcomer) == ["CH"]


async def test_an_answer_that_got_lost_opens_no_second_account_elsewhere(newcomer: Room) -> None:
    await newcomer.sandbox.misbehave("timeout_after_success", "accounts.create")
    with pytest.raises(ProviderUnknown):
        await newcomer.payouts.begin(newcomer.consultant, "AT")
    with pytest.raises(AppError, match="cannot be changed"):
        await newcomer.payouts.begin(newcomer.consultant, "DE")
    assert (await newcomer.payouts.begin(newcomer.consultant)).country == "AT"
    assert await accounts(newcomer) == ["AT"]


async def test_where_stripe_opens_none_another_country_may_be_chosen(newcomer: Room) -> None:
    await newcomer.sandbox.misbehave("refused", "accounts.create")
    with pytest.raises(ProviderRejected):
        await newcomer.payouts.begin(newcomer.consultant, "LI")
    assert await country_of(newcomer) is None
    assert (await newcomer.payouts.begin(newcomer.consultant, "CH")).country == "CH"
    assert await accounts(newcomer) == ["CH"]


async def test_the_page_offers_where_somebody_is_taxed_and_says_what_is_wrong(scene: Scene) -> None:  # noqa: F811
    _, consultant = await _people(scene)
    path = "/api/consultant/payout-account"
    assert (await refused(scene, "POST", path, consultant, {}))[1] == "country_missing"
    assert (await refused(scene, "POST", path, consultant, {"country": "JP"}))[1] == "country_unsupported"
    details = {"country": "AT", "vat_id": None, "small_business": False, "name": None, "address": None}
    await scene.ask("PUT", "/api/me/billing-details", consultant, details)
    offered = await scene.ask("GET", path, consultant)
    assert (offered["country"], offered["stated_country"]) == (None, "AT")
    assert {"AT", "CH"} < set(offered["countries"])
    assert (await scene.ask("POST", path, consultant, {}))["country"] == "AT"
    assert await refused(scene, "POST", path, consultant, {"country": "CH"}) == (409, "country_fixed")
    assert (await scene.ask("GET", "/api/consultant/payouts", consultant))["country"] == "AT"
