"""Finance finds an invoice by its number, by who is on it, by reference and by day, and reaches its charge."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from core.cursors import cursor_of
from tests.integration.billing.test_decisions import a_paid_call, staff
from tests.integration.billing.test_routes import Scene, scene  # noqa: F401 - the fixture

PATH = "/api/finance/invoices"


async def test_an_invoice_is_found_by_what_people_know_of_it(scene: Scene) -> None:  # noqa: F811
    _, consultant, _ = await a_paid_call(scene)
    finance = await staff(scene, "anna")
    name = (await scene.ask("GET", "/api/me", consultant))["display_name"]

    async def found(asked: str = "") -> Any:
        return (await scene.ask("GET", f"{PATH}{asked}", finance))["items"]

    [invoice] = await found()
    [charge] = (await scene.ask("GET", "/api/finance/charges", finance))["items"]
    assert (invoice["charge_id"], invoice["reference"]) == (charge["charge_id"], charge["reference"])
    assert (invoice["kind"], invoice["gross_minor"], invoice["vat_minor"]) == ("invoice", 1_650, 263)
    year, number = invoice["number"].split("-")
    day = date.fromisoformat(invoice["issued_at"][:10])
    about = (invoice["number"], number, str(int(number)), invoice["reference"][-4:].lower(), name[:3].upper())
    about += (invoice["reference"][3:11],)  # all digits, as the end of one may be
    for said in about:
        assert await found(f"?q={said}") == [invoice], said
    for said in (f"{int(year) + 1}-{number}", "4711", "nobody", "%25"):
        assert await found(f"?q={said}") == [], said
    assert await found(f"?from={day - timedelta(days=1)}&to={day + timedelta(days=1)}") == [invoice]
    assert await found(f"?to={day - timedelta(days=2)}") == []


async def test_a_credit_note_stands_above_its_invoice_page_by_page(scene: Scene) -> None:  # noqa: F811
    await a_paid_call(scene)
    finance = await staff(scene, "anna")
    [charge] = (await scene.ask("GET", "/api/finance/charges", finance))["items"]
    body = {"amount_minor": 400, "reason": "quality", "note": "", "idempotency_key": charge["charge_id"]}
    await scene.ask("POST", f"/api/finance/charges/{charge['charge_id']}/refunds", finance, body)
    await scene.work()
    page = await scene.ask("GET", PATH, finance)
    assert [(each["kind"], each["gross_minor"]) for each in page["items"]] == [("credit_note", 400), ("invoice", 1_650)]
    assert page["next_cursor"] is None
    for number in (0, 2**31, "seven"):
        answer = await scene.client.get(f"{PATH}?cursor={cursor_of(datetime.now(UTC), number)}", headers=finance)
        assert answer.status == 422, number
