"""The directory by name: consultants that are in it, and nobody else."""

from billing.events import PayoutAccountChanged
from people.roles import Role
from tests.integration.web.conftest import MakeClient
from tests.integration.web.test_ownership import go_online, person
from web.application import build_application
from web.context import House


async def test_a_name_finds_those_whom_the_directory_shows(house: House, aiohttp_client: MakeClient) -> None:
    benno, _ = await person(house, "Benno", Role.CONSULTANT)
    await person(house, "Bennet", Role.CUSTOMER)
    await person(house, "Bengt", Role.CONSULTANT)  # has not set up anything yet
    await go_online(house, benno)
    client = await aiohttp_client(build_application(house))

    async def found(name: str) -> list[str]:
        async with client.get("/api/consultants", params={"name": name}) as answer:
            assert answer.status == 200
            return [each["display_name"] for each in (await answer.json())["items"]]

    assert await found("ben") == ["Benno"]
    assert await found("%") == await found("b_n") == []
    async with house.db.begin() as tx:
        await tx.publish(PayoutAccountChanged(benno, can_receive=False))
    assert await found("ben") == []
