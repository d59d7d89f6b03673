"""The OpenAPI 3.1 document, generated from the route table; the client's types are generated from it."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from web.routing import Access, Route

_PARAMETER = re.compile(r"\{(\w+)[^}]*\}")
_REF = "#/components/schemas/{model}"
_Key = tuple[type[BaseModel], JsonSchemaMode]

ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details", "request_id"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "details": {"type": "object", "additionalProperties": True},
                "request_id": {"type": "string"},
            },
        }
    },
}


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole document; the same table always gives the same bytes."""
    references, schemas = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for row in sorted(routes, key=lambda row: (row.path, row.method)):
        paths.setdefault(_PARAMETER.sub(r"{\1}", row.path), {})[row.method.lower()] = _operation(
            row, references, schemas
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Consultant Connect", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": dict(sorted({**schemas, "Error": ERROR_SCHEMA}.items())),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _schemas(routes: Sequence[Route]) -> tuple[dict[_Key, dict[str, Any]], dict[str, Any]]:
    keys: dict[_Key, None] = {}
    for row in routes:
        for model in (row.body, row.query):
            if model is not None:
                keys[model, "validation"] = None
        if row.reply is not None:
            keys[row.reply, "serialization"] = None
    ordered = sorted(keys, key=lambda key: (key[0].__module__, key[0].__qualname__, key[1]))
    references, definitions = models_json_schema(ordered, ref_template=_REF)
    return {key: references[key] for key in ordered}, definitions.get("$defs", {})


def _operation(row: Route, references: dict[_Key, dict[str, Any]], schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": row.name,
        "summary": row.summary,
        "tags": [row.path.removeprefix("/api/").strip("/").split("/")[0]],
        "x-access": sorted(access.value for access in row.access),
        "responses": _responses(row, references),
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(row.path)
    ]
    if row.query is not None:
        parameters += _query_parameters(_resolve(references[row.query, "validation"], schemas))
    if parameters:
        operation["parameters"] = parameters
    if row.body is not None:
        content = {"application/json": {"schema": references[row.body, "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    if row.access != {Access.PUBLIC}:
        operation["security"] = [{"bearer": []}]
    return operation


def _responses(row: Route, references: dict[_Key, dict[str, Any]]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Done"}
    if row.reply is not None:
        answer["content"] = {row.media_type: {"schema": references[row.reply, "serialization"]}}
    elif row.media_type != "application/json":
        answer["content"] = {row.media_type: {"schema": {"type": "string"}}}
    failure = {"application/json": {"schema": {"$ref": _REF.format(model="Error")}}}
    return {str(row.status): answer, "default": {"description": "Refused", "content": failure}}


def _resolve(reference: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schemas[reference["$ref"].rpartition("/")[2]]
    return found


def _query_parameters(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": inner}
        for name, inner in schema.get("properties", {}).items()
    ]
