"""The application: the route table, the middlewares and the client, put together."""

from pathlib import Path

from aiohttp import web

from web import middleware
from web.client_files import PATTERN, ClientFiles
from web.context import HOUSE, House
from web.dispatch import Dispatcher
from web.limits import Limiter, limits
from web.readiness import READINESS, Readiness
from web.routing import ROUTES, collect

BODY_LIMIT = 64 * 1024
LIMITER = web.AppKey("limiter", Limiter)


def build_application(house: House) -> web.Application:
    """The HTTP side of ``web``; the socket gateway attaches itself to what this returns."""
    app = web.Application(client_max_size=BODY_LIMIT)
    limiter = Limiter(house.redis, limits(house.settings))
    routes = collect()
    app[HOUSE] = house
    app[ROUTES] = routes
    app[LIMITER] = limiter
    app[READINESS] = Readiness(house.db, house.redis)
    middleware.install(app, house.settings)
    dispatcher = Dispatcher(house, limiter)
    # Fixed addresses before patterns: /api/questions/mine must not be taken for an id.
    for row in sorted(routes, key=lambda row: (row.path.count("{"), row.path, row.method)):
        app.router.add_route(row.method, row.path, dispatcher.handler(row))
    app.router.add_get(PATTERN, ClientFiles(Path(house.settings.client_dir)).serve)
    return app
