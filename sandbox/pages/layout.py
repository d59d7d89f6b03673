"""The frame of every page: one style, one nonce, one strict Content-Security-Policy."""

import secrets
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from aiohttp import web

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1f36; --soft: #4f566b; --line: #c1c9d2; --paper: #fff; --accent: #4b45c6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f4f6fa; --soft: #b8c0d0; --line: #566076; --paper: #1b2030; --accent: #a7a2ff; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
main { max-width: 26rem; margin: 0 auto; }
h1 { font-size: 1.15rem; margin: 0 0 .5rem; } h2 { font-size: 1rem; margin: 1rem 0 .5rem; }
p { margin: 0 0 .75rem; color: var(--soft); }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
input { width: 100%; font: inherit; padding: .6rem; border: 1px solid var(--line); border-radius: .4rem;
  background: transparent; color: inherit; letter-spacing: .04em; }
button { font: inherit; padding: .6rem .9rem; border-radius: .4rem; border: 1px solid var(--line);
  background: transparent; color: inherit; cursor: pointer; min-height: 2.75rem; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--paper); font-weight: 600;
  width: 100%; margin-top: .75rem; }
button:disabled { opacity: .6; cursor: progress; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
ul { list-style: none; margin: 0 0 1rem; padding: 0; display: grid; gap: .4rem; }
li button { width: 100%; text-align: left; display: flex; justify-content: space-between; gap: 0 1rem; flex-wrap: wrap;
  padding: .3rem .7rem; line-height: 1.35; align-items: center; }
li span:last-child { color: var(--soft); font-size: .9rem; }
li span:first-child { font-variant-numeric: tabular-nums; }
.row { display: flex; gap: .5rem; } .row button { flex: 1; margin-top: .75rem; width: auto; }
[role=status] { min-height: 1.5rem; margin-top: .75rem; font-weight: 600; color: var(--ink); }
"""

# Where the origin above us can be read it is used; else each of its names is tried, and the browser delivers to one.
POST = """
const post = (target, message) => {
  const above = [...(window.location.ancestorOrigins ?? [])].find((origin) => S.parents.includes(origin));
  (above ? [above] : S.parents).forEach((origin) => target.postMessage(message, origin));
};
"""


@dataclass(frozen=True, slots=True)
class Frame:
    """Who may embed our pages: the origin of the checkout, and nobody else."""

    parent_origin: str

    @property
    def parents(self) -> list[str]:
        """The origin; on this machine also under its other name, because people type either."""
        names = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}
        parts = urlsplit(self.parent_origin)
        twin = names.get(parts.hostname or "")
        return [self.parent_origin, *([self.parent_origin.replace(str(parts.hostname), twin, 1)] if twin else [])]


def language(request: web.Request) -> str:
    """``de`` or ``en``, from ``?locale=``."""
    return "de" if request.query.get("locale", "en").lower().startswith("de") else "en"


def origin_of(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def page(frame: Frame, *, locale: str, title: str, body: str, script: str = "", leads_to: str = "") -> web.Response:
    """A whole page. ``title`` is escaped here, ``body`` by its author; ``leads_to`` is where its form may end."""
    nonce = secrets.token_urlsafe(16)
    targets = f"'self' {origin_of(leads_to)}" if leads_to else "'self'"
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        f"form-action {targets}; base-uri 'none'; frame-ancestors 'self' {' '.join(frame.parents)}"
    )
    run = f'<script nonce="{nonce}">{script}</script>' if script else ""
    html = (
        f'<!doctype html><html lang="{locale}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><style nonce="{nonce}">{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main>{run}</body></html>"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return web.Response(text=html, content_type="text/html", headers=headers)


def gone(frame: Frame, locale: str) -> web.Response:
    """The page for an address that is wrong or used up."""
    title = {"en": "This link is no longer valid", "de": "Dieser Link gilt nicht mehr"}[locale]
    text = {"en": "Go back and open it again.", "de": "Gehen Sie zurück und öffnen Sie ihn erneut."}[locale]
    answer = page(frame, locale=locale, title=title, body=f"<p>{text}</p>")
    answer.set_status(404)
    return answer
