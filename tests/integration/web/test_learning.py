"""The admins' page of matching: what it is told, a refit by hand, and a roll-back with its reason."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.wiring import MODEL
from core.audit import AuditEntry
from matching.ranking.model import built_in
from tests.integration.matching.past import Asked, write
from tests.integration.web.visitor import Client, error_of
from web.context import House

ROW = {"tag_hits": 1.0, "bm25": 2.0, "rating_count": 3.0}


async def page(site: Client, admin: dict[str, str], days: int = 30) -> Any:
    answer = await site.get(f"/api/admin/matching?days={days}", headers=admin)
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def test_an_empty_market_has_an_empty_page_with_version_zero(site: Client, admin: dict[str, str]) -> None:
    told = await page(site, admin)
    assert (told["days"], told["refit"], told["whole"]["mrr10"]) == ([], None, None)
    [zero] = told["models"]
    assert (zero["state"], zero["built_in"], zero["figures"]) == ("active", True, None)
    assert told["gate"]["min_holdout"] == 50


async def test_days_bins_and_versions_are_told(site: Client, house: House, admin: dict[str, str]) -> None:
    zero = built_in(MODEL).version
    at = house.clock.now() - timedelta(hours=1)
    two = [Asked(at, [ROW, ROW], good=n, p_success=[0.75, 0.25], version=zero) for n in (0, 1)]
    await write(house.db, two)
    told = await page(site, admin, days=2)
    assert sum(day["questions"] for day in told["days"]) == told["whole"]["questions"] == 2
    assert (told["whole"]["mrr10"], told["whole"]["hit3"], told["whole"]["stars"]) == (0.75, 1.0, 5.0)
    assert told["bins"][7] == {"n": 2, "foretold": 0.75, "came_true": 0.5}
    assert told["models"][0]["figures"]["questions"] == 2


async def test_a_refit_by_hand_runs_once_and_tells_how_far_it_is(
    site: Client, house: House, admin: dict[str, str]
) -> None:
    started = await site.post("/api/admin/matching/refit", headers=admin)
    assert started.status == 202
    run = await started.json()
    assert (run["stage"], run["outcome"]) == ("waiting", None)
    again = await site.post("/api/admin/matching/refit", headers=admin)
    assert (again.status, (await error_of(again))["code"]) == (409, "refit_running")
    await house.refit.work(run["id"])
    assert (await page(site, admin))["refit"]["outcome"] == "too_few"


async def test_a_roll_back_wants_a_reason_and_a_version_that_exists(
    site: Client, house: House, admin: dict[str, str]
) -> None:
    zero = (await page(site, admin))["models"][0]["version"]
    path = "/api/admin/matching/models/{}/activate"
    short = await site.post(path.format(zero), headers=admin, json={"reason": "  x "})
    assert short.status == 422
    unknown = await site.post(path.format("never"), headers=admin, json={"reason": "It was better"})
    assert unknown.status == 404
    same = await site.post(path.format(zero), headers=admin, json={"reason": "It was better"})
    assert (same.status, (await error_of(same))["code"]) == (409, "model_active")
    async with house.db.begin() as tx:
        rolled = await tx.session.scalars(select(AuditEntry).where(AuditEntry.action == "matching.model_rolled_back"))
        assert rolled.all() == [], "nothing happened"
