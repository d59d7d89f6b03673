"""Views of the charges: kept by name for one person, found again anywhere, and only what the list understands."""

from typing import Any

from billing.finance.views import MOST
from tests.integration.billing.test_decisions import refused, staff
from tests.integration.billing.test_routes import Scene, scene  # noqa: F401 - the fixture

PATH = "/api/finance/views"


def names(found: Any) -> list[tuple[str, str]]:
    return [(each["name"], each["search"]) for each in found["items"]]


async def test_a_view_is_kept_replaced_and_removed_by_its_owner_alone(scene: Scene) -> None:  # noqa: F811
    anna, ben = await staff(scene, "anna"), await staff(scene, "ben")
    await scene.ask("PUT", PATH, anna, {"name": "Free", "search": "free=true"})
    kept = await scene.ask("PUT", PATH, anna, {"name": " Big ", "search": "min_minor=10000&currency=eur"})
    assert names(kept) == [("Big", "min_minor=10000&currency=eur"), ("Free", "free=true")]
    kept = await scene.ask("PUT", PATH, anna, {"name": "Free", "search": "free=true&q=CC-1"})
    assert names(kept)[1] == ("Free", "free=true&q=CC-1")
    assert names(await scene.ask("GET", PATH, anna)) == names(kept)
    assert names(await scene.ask("GET", PATH, ben)) == []
    one = f"{PATH}/{kept['items'][0]['id']}"
    assert await refused(scene, "DELETE", one, ben) == (404, "not_found")
    assert names(await scene.ask("DELETE", one, anna)) == names(kept)[1:]
    assert await refused(scene, "DELETE", one, anna) == (404, "not_found")


async def test_what_the_list_does_not_understand_is_no_view(scene: Scene) -> None:  # noqa: F811
    anna = await staff(scene, "anna")
    for search in ("", "nothing", "colour=red", "min_minor=many", "view=Free"):
        status, _ = await refused(scene, "PUT", PATH, anna, {"name": "Odd", "search": search})
        assert status == 422, search
    for n in range(MOST):
        await scene.ask("PUT", PATH, anna, {"name": f"View {n}", "search": "free=true"})
    assert (await refused(scene, "PUT", PATH, anna, {"name": "More", "search": "free=true"}))[1] == "too_many_views"
    await scene.ask("PUT", PATH, anna, {"name": "View 0", "search": "free=false"})
