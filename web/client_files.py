"""The built client: hashed assets are cached for ever, everything else leads to the page itself."""

from pathlib import Path

from aiohttp import web

FOR_EVER = "public, max-age=31536000, immutable"
SHORT = "public, max-age=3600"
ASK_FIRST = "no-cache"
# Everything that is not an address of the server's own interfaces belongs to the client's router.
PATTERN = r"/{tail:(?!api/|socket\.io|webhooks/).*}"
NOT_BUILT = "The client has not been built yet. Run ./run, which builds it, and reload this page.\n"


class ClientFiles:
    """Serves files of one folder, and its index.html for every address the client's router knows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The file that is asked for, or the page."""
        tail = request.match_info["tail"]
        found = self._file(tail)
        if found is not None:
            caching = FOR_EVER if found.parent == self._folder / "assets" else SHORT
            if found.name in {"index.html", "sw.js"}:
                caching = ASK_FIRST
            return web.FileResponse(found, headers={"Cache-Control": caching})
        if tail.startswith("assets/"):
            raise web.HTTPNotFound  # an old page asking for a file of an older build must see that it is gone
        page = self._folder / "index.html"
        if not page.is_file():
            return web.Response(status=503, text=NOT_BUILT, headers={"Retry-After": "10"})
        return web.FileResponse(page, headers={"Cache-Control": ASK_FIRST})

    def _file(self, tail: str) -> Path | None:
        if not tail or "\x00" in tail:
            return None
        try:
            path = (self._folder / tail).resolve()
            inside = path.is_relative_to(self._folder) and path.is_file()
        except OSError:  # a name longer than the file system allows names nothing
            return None
        return path if inside else None
