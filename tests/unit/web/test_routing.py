"""The route table: complete, unambiguous, and the same for dispatch, OpenAPI and the matrix."""

import json
import re

from pydantic import BaseModel

from web import openapi
from web.routing import Access, Route, collect

ROUTES = collect()


def walk(model: type[BaseModel]) -> list[type[BaseModel]]:
    inner = [
        argument
        for field in model.model_fields.values()
        for argument in (field.annotation, *getattr(field.annotation, "__args__", ()))
        if isinstance(argument, type) and issubclass(argument, BaseModel)
    ]
    return [model, *(deep for found in inner for deep in walk(found))]


def test_every_operation_has_a_name_of_its_own_and_a_sentence() -> None:
    names = [row.name for row in ROUTES]
    assert len(names) == len(set(names))
    assert all(row.summary for row in ROUTES)


def test_whatever_carries_an_id_and_is_not_public_says_whose_it_must_be() -> None:
    unowned = [
        f"{row.method} {row.path}"
        for row in ROUTES
        if "{" in row.path and row.owned is None and not row.access & {Access.PUBLIC, Access.FINANCE, Access.ADMIN}
    ]
    assert unowned == []


def test_request_models_refuse_unknown_fields() -> None:
    open_models = [
        model.__name__
        for row in ROUTES
        for root in (row.body, row.query)
        if root is not None
        for model in walk(root)
        if model.model_config.get("extra") != "forbid"
    ]
    assert open_models == []


def test_openapi_is_the_same_every_time_and_every_reference_leads_somewhere() -> None:
    document = openapi.document(ROUTES)
    text = json.dumps(document)
    assert text == json.dumps(openapi.document(tuple(reversed(ROUTES))))
    known = set(document["components"]["schemas"])
    assert set(re.findall(r"#/components/schemas/([^\"]+)", text)) <= known


def test_every_schema_has_a_name_that_a_person_would_give() -> None:
    names = openapi.document(ROUTES)["components"]["schemas"]
    assert [name for name in names if "__" in name or not name.isalnum()] == []


def test_openapi_has_every_row_with_its_access() -> None:
    paths = openapi.document(ROUTES)["paths"]
    for row in ROUTES:
        assert paths[row.path][row.method.lower()]["x-access"] == sorted(access.value for access in row.access)


def test_a_set_of_roles_admits_each_of_them_and_nobody_else() -> None:
    async def nothing(call: object) -> None: ...

    row = Route("GET", "/x", nothing, frozenset({Access.FINANCE, Access.ADMIN}))
    assert row.admits({"finance"})
    assert row.admits({"admin", "customer"})
    assert not row.admits({"customer", "consultant"})
    assert not row.admits(())
