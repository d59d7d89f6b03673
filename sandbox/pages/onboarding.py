"""The onboarding page of a connected account: one click, then back to where the consultant came from."""

from html import escape

from aiohttp import web

from sandbox.courier import Courier
from sandbox.pages.layout import Frame, gone, language, page
from sandbox.pages.texts import ONBOARD
from sandbox.resources import accounts
from sandbox.store import Obj, Store
from sandbox.world import World


class Onboarding:
    """Makes the account able to receive transfers."""

    def __init__(self, world: World, store: Store, courier: Courier, frame: Frame) -> None:
        self._world = world
        self._store = store
        self._courier = courier
        self._frame = frame

    async def show(self, request: web.Request) -> web.Response:
        """GET: one sentence and one button; an expired link leads to its ``refresh_url``."""
        locale = language(request)
        link = self._link(request)
        if link is None:
            return gone(self._frame, locale)
        if link["expires_at"] < self._world.now():
            raise web.HTTPSeeOther(link["refresh_url"])
        texts = ONBOARD[locale]
        body = (
            f"<p>{escape(texts['intro'])}</p>"
            f'<form method="post" action="{escape(request.path_qs)}">'
            f'<button class="main" type="submit">{escape(texts["done"])}</button></form>'
        )
        return page(self._frame, locale=locale, title=texts["title"], body=body, leads_to=link["return_url"])

    async def complete(self, request: web.Request) -> web.Response:
        """POST: the account is complete; back to ``return_url``."""
        link = self._link(request)
        if link is None:
            return gone(self._frame, language(request))
        accounts.onboard(self._world, self._world.need("account", link["account"]))
        self._store.flush()
        self._courier.dispatch()
        raise web.HTTPSeeOther(link["return_url"])

    def _link(self, request: web.Request) -> Obj | None:
        link = self._store.find("_account_link", request.query.get("link", ""))
        return link if link is not None and link["account"] == request.match_info["account"] else None
