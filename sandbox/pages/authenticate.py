"""The 3-D Secure page: the customer says yes or no to a hold, or to saving a card."""

import json
from html import escape
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from sandbox.body import read_object
from sandbox.courier import Courier
from sandbox.errors import ApiError
from sandbox.money import written
from sandbox.pages.layout import POST, Frame, gone, language, page
from sandbox.pages.texts import CARD, SECURE
from sandbox.resources import payment_intents, setup_intents
from sandbox.store import Obj, Store
from sandbox.world import World

_SCRIPT = """
const S = %s;
const status = document.querySelector('[role=status]'), buttons = document.querySelectorAll('button');
const listener = window.opener || (window.parent !== window ? window.parent : null);
const tell = (outcome, message) => {
  if (!listener) { if (S.back) window.location.assign(S.back + outcome); return; }
  const saved = {type: outcome === 'succeeded' ? 'card.saved' : 'card.declined', setup_intent_id: S.id, message};
  const done = {type: 'authentication.done', payment_intent_id: S.id, outcome};
  post(listener, S.setup ? saved : done);
  if (window.opener) window.close();
};
buttons.forEach((button) => button.addEventListener('click', async () => {
  buttons.forEach((other) => { other.disabled = true; });
  status.textContent = S.texts.working;
  try {
    const answer = await fetch(window.location.pathname, {method: 'POST',
      headers: {'Content-Type': 'application/json'}, body: JSON.stringify({outcome: button.value})});
    if (!answer.ok) throw new Error(String(answer.status));
    const result = await answer.json();
    const message = S.texts[result.outcome];
    status.textContent = message;
    tell(result.outcome, message);
  } catch {
    status.textContent = S.texts.error;
    buttons.forEach((other) => { other.disabled = false; });
  }
}));
"""
_OUTCOMES = {"succeeded", "failed"}


class Authenticate:
    """Asks, and tells the bank what the customer said."""

    def __init__(self, world: World, store: Store, courier: Courier, frame: Frame) -> None:
        self._world = world
        self._store = store
        self._courier = courier
        self._frame = frame

    async def show(self, request: web.Request) -> web.Response:
        """GET: the question."""
        locale = language(request)
        intent = self._intent(request)
        if intent is None or intent["status"] != "requires_action":
            return gone(self._frame, locale)
        texts = SECURE[locale]
        is_setup = intent["object"] == "setup_intent"
        shown = {name: texts[name] for name in ("working", "error", "succeeded", "failed")}
        if is_setup:
            shown["succeeded"] = CARD[locale]["saved"]
        facts = {
            "id": intent["id"],
            "setup": is_setup,
            "parents": self._frame.parents,
            "back": _back(intent),
            "texts": shown,
        }
        amount = ""
        if not is_setup:
            amount = f"<p>{escape(texts['amount'])} <strong>{_amount(intent, locale)}</strong></p>"
        return page(
            self._frame,
            locale=locale,
            title=texts["title"],
            body=(
                f"<p>{escape(texts['intro'])}</p>{amount}"
                '<div class="row">'
                f'<button class="main" type="button" value="succeeded">{escape(texts["pass"])}</button>'
                f'<button type="button" value="failed">{escape(texts["fail"])}</button></div>'
                '<p role="status"></p>'
            ),
            script=POST + _SCRIPT % json.dumps(facts).replace("<", "\\u003c"),
        )

    async def answer(self, request: web.Request) -> web.Response:
        """POST ``{outcome: succeeded | failed}``; said twice, the first word counts."""
        intent = self._intent(request)
        outcome = (await read_object(request)).get("outcome")
        if intent is None or not isinstance(outcome, str) or outcome not in _OUTCOMES:
            raise web.HTTPNotFound(text="No such intent, or no such outcome: succeeded or failed.")
        if intent["status"] == "requires_action":
            self._settle(intent, passed=outcome == "succeeded")
            self._world.catch_up()
            self._store.flush()
            self._courier.dispatch()
        stands = intent["status"] in {"requires_capture", "succeeded"}
        return web.json_response({"outcome": "succeeded" if stands else "failed", "status": intent["status"]})

    def _settle(self, intent: Obj, *, passed: bool) -> None:
        if intent["object"] == "setup_intent":
            if passed:
                setup_intents.succeed(self._world, intent)
            else:
                setup_intents.fail(self._world, intent, setup_intents.AUTHENTICATION_FAILED)
        elif passed:
            try:
                payment_intents.authorize(self._world, intent, None)
            except ApiError:
                return  # the bank said no after all; the intent carries its answer
        else:
            payment_intents.fail(self._world, intent, payment_intents.AUTHENTICATION_FAILED, None)

    def _intent(self, request: web.Request) -> Obj | None:
        intent_id = request.match_info["intent"]
        return self._store.find("payment_intent", intent_id) or self._store.find("setup_intent", intent_id)


def _back(intent: dict[str, Any]) -> str | None:
    """Where a customer who came with the whole window goes, up to the outcome."""
    url = intent["next_action"]["redirect_to_url"]["return_url"]
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return None
    facts = {intent["object"]: intent["id"], "redirect_status": ""}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(facts)}"


def _amount(intent: Obj, locale: str) -> str:
    return escape(written(intent["amount"], intent["currency"], "," if locale == "de" else "."))
