"""The demo's front door stands open in the demo, and does not exist anywhere else."""

from dataclasses import replace

from people.origin import Origin
from people.roles import Role
from tests.integration.web.conftest import MakeClient
from tests.integration.web.visitor import PASSWORD, Client, error_of
from web.application import build_application
from web.context import House


async def demo_client(house: House, make: MakeClient, environment: str) -> Client:
    await house.accounts.create_staff(
        house.db,
        email="customer@demo.example",
        password=PASSWORD,
        display_name="Demo",
        roles=[Role.CUSTOMER],
        origin=Origin(),
    )
    settings = house.settings.model_copy(update={"environment": environment})
    return await make(build_application(replace(house, settings=settings)))


async def test_in_the_demo_a_role_is_enough_and_no_cookie_is_set(edge: House, aiohttp_client: MakeClient) -> None:
    client = await demo_client(edge, aiohttp_client, "demo")
    answer = await client.post("/api/demo/session", json={"role": "customer"})
    assert answer.status == 200
    assert not answer.cookies
    headers = {"Authorization": f"Bearer {(await answer.json())['access_token']}"}
    assert (await (await client.get("/api/me", headers=headers)).json())["roles"] == ["customer"]
    missing = await client.post("/api/demo/session", json={"role": "admin"})
    assert missing.status == 404
    assert "./run" in (await error_of(missing))["message"]


async def test_outside_the_demo_there_is_no_such_door(edge: House, aiohttp_client: MakeClient) -> None:
    client = await demo_client(edge, aiohttp_client, "production")
    assert (await client.post("/api/demo/session", json={"role": "customer"})).status == 404
