"""The admins' settings for new calls: told with every version, changed with a reason, never over each other's heads."""

from sqlalchemy import select

from core.audit import AuditEntry
from tests.integration.web.visitor import Client, error_of
from web.context import House

ON = {"after": 0, "late_hold": True, "review_window_s": 600, "reason": "Tried with a few regulars"}


async def test_as_released_no_hold_comes_late(site: Client, admin: dict[str, str]) -> None:
    told = await (await site.get("/api/admin/terms", headers=admin)).json()
    assert (told["version"], told["late_hold"], told["versions"]) == (0, False, [])
    assert (told["late_hold_ms"], told["paid_calls"], told["clean_days"]) == (480_000, 3, 180)


async def test_a_change_is_a_version_with_a_name_and_a_reason(
    site: Client, house: House, admin: dict[str, str]
) -> None:
    told = await (await site.post("/api/admin/terms", headers=admin, json=ON)).json()
    assert (told["version"], told["late_hold"], told["review_window_s"]) == (1, True, 600)
    [version] = told["versions"]
    assert (version["set_by_name"], version["reason"]) == ("Adam", "Tried with a few regulars")
    async with house.db.begin() as tx:
        [entry] = (await tx.session.scalars(select(AuditEntry).where(AuditEntry.action == "terms.changed"))).all()
    assert entry.details == {"late_hold": True, "review_window_s": 600, "reason": "Tried with a few regulars"}


async def test_who_read_an_older_version_is_told_so(site: Client, admin: dict[str, str]) -> None:
    await site.post("/api/admin/terms", headers=admin, json=ON)
    answer = await site.post("/api/admin/terms", headers=admin, json=ON)
    assert answer.status == 409
    assert (await error_of(answer))["code"] == "changed_meanwhile"
