"""Reading the JSON object that one of the sandbox's own pages, or a test, sends."""

import json
from typing import Any

from aiohttp import web


async def read_object(request: web.Request) -> dict[str, Any]:
    """The object; 400 with a sentence when the body is anything else."""
    try:
        given = json.loads(await request.read())
    except ValueError:
        raise web.HTTPBadRequest(text="The body is not JSON.") from None
    if not isinstance(given, dict):
        raise web.HTTPBadRequest(text="A JSON object is expected.")
    return given
