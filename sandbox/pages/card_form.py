"""The card form, for an iframe in the checkout: it stands where Stripe's hosted fields will stand."""

import hmac
import json
import re
from html import escape

from aiohttp import web

from sandbox.body import read_object
from sandbox.cards import BY_NUMBER, INCORRECT_NUMBER, TEST_CARDS
from sandbox.courier import Courier
from sandbox.errors import ApiError
from sandbox.pages.layout import POST, Frame, gone, language, page
from sandbox.pages.texts import CARD, DECLINES_DE
from sandbox.resources import payment_methods, setup_intents
from sandbox.store import Obj, Store
from sandbox.world import Request, World

PATH = "/_sandbox/card-form"
_SCRIPT = """
const S = %s;
const form = document.querySelector('form'), number = document.querySelector('input');
const status = document.querySelector('[role=status]'), buttons = document.querySelectorAll('button');
const tell = (type, message) => window.parent !== window
  && post(window.parent, {type, setup_intent_id: S.id, message});
const busy = (on) => buttons.forEach((button) => { button.disabled = on; });
number.addEventListener('input', () => {
  number.value = number.value.replace(/\\D/g, '').slice(0, 19).replace(/(.{4})(?=.)/g, '$1 ');
  number.removeAttribute('aria-invalid');
});
document.querySelectorAll('[data-number]').forEach((button) => button.addEventListener('click', () => {
  number.value = button.dataset.number;
  form.requestSubmit();
}));
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  busy(true);
  status.textContent = S.texts.working;
  try {
    const answer = await fetch(S.path, {method: 'POST', headers: {'Content-Type': 'application/json'},
      body: JSON.stringify({setup_intent: S.id, client_secret: S.secret, number: number.value, locale: S.locale})});
    if (!answer.ok) throw new Error(String(answer.status));
    const result = await answer.json();
    if (result.authenticate_url) { window.location.assign(result.authenticate_url); return; }
    status.textContent = result.message;
    if (result.status === 'succeeded') { tell('card.saved', result.message); return; }
    number.setAttribute('aria-invalid', 'true');
    tell('card.declined', result.message);
  } catch {
    status.textContent = S.texts.error;
  }
  busy(false);
});
"""


class CardForm:
    """Shows the test cards and confirms the SetupIntent with the one chosen."""

    def __init__(self, world: World, store: Store, courier: Courier, frame: Frame) -> None:
        self._world = world
        self._store = store
        self._courier = courier
        self._frame = frame

    async def show(self, request: web.Request) -> web.Response:
        """GET: the form; a wrong ``client_secret`` sees nothing."""
        locale = language(request)
        secret = request.query.get("client_secret", "")
        intent = self._intent(request.query.get("setup_intent", ""), secret)
        if intent is None:
            return gone(self._frame, locale)
        texts = CARD[locale]
        facts = {
            "id": intent["id"],
            "secret": secret,
            "locale": locale,
            "parents": self._frame.parents,
            "path": PATH,
            "texts": {"working": texts["working"], "error": texts["error"]},
        }
        return page(
            self._frame,
            locale=locale,
            title=texts["title"],
            body=_body(texts),
            script=POST + _SCRIPT % json.dumps(facts).replace("<", "\\u003c"),
        )

    async def submit(self, request: web.Request) -> web.Response:
        """POST: save the card, refuse it, or send the customer to 3-D Secure."""
        given = await read_object(request)
        intent = self._intent(str(given.get("setup_intent", "")), str(given.get("client_secret", "")))
        if intent is None:
            raise web.HTTPNotFound(text="No such setup intent.")
        locale = "de" if given.get("locale") == "de" else "en"
        answer = self._confirm(intent, re.sub(r"\D", "", str(given.get("number", ""))), locale)
        self._store.flush()
        self._courier.dispatch()
        return web.json_response(answer)

    def _intent(self, intent_id: str, secret: str) -> Obj | None:
        found = self._store.find("setup_intent", intent_id)
        if found is None or not hmac.compare_digest(found["client_secret"].encode(), secret.encode()):
            return None
        return found

    def _confirm(self, intent: Obj, number: str, locale: str) -> dict[str, str]:
        if intent["status"] == "succeeded":  # a second click after the first one worked
            return {"status": "succeeded", "message": CARD[locale]["saved"]}
        card = BY_NUMBER.get(number)
        if card is None:
            message = DECLINES_DE["incorrect_number"] if locale == "de" else INCORRECT_NUMBER.message
            return {"status": "declined", "message": message}
        method = payment_methods.make(self._world, card)
        try:
            setup_intents.confirm_with(self._world, intent, Request(params={"payment_method": method["id"]}))
        except ApiError as error:
            code = error.body.get("decline_code") or "generic_decline"
            english = str(error.body["message"])
            return {"status": "declined", "message": DECLINES_DE.get(code, english) if locale == "de" else english}
        if intent["status"] == "requires_action":
            url = f"/_sandbox/authenticate/{intent['id']}?locale={locale}"
            return {"status": "requires_action", "message": "", "authenticate_url": url}
        return {"status": "succeeded", "message": CARD[locale]["saved"]}


def _body(texts: dict[str, str]) -> str:
    items = "".join(
        f'<li><button type="button" data-number="{_grouped(card.number)}">'
        f"<span>{_grouped(card.number)}</span><span>{escape(texts[card.behaviour.value])}</span></button></li>"
        for card in TEST_CARDS
    )
    return (
        f"<p>{escape(texts['intro'])}</p>"
        f'<form novalidate><label for="number">{escape(texts["number"])}</label>'
        '<input id="number" name="number" inputmode="numeric" autocomplete="off" maxlength="23" '
        'placeholder="4242 4242 4242 4242" aria-describedby="status">'
        f'<button class="main" type="submit">{escape(texts["save"])}</button></form>'
        '<p id="status" role="status"></p>'
        f'<h2 id="cards">{escape(texts["cards"])}</h2><ul aria-labelledby="cards">{items}</ul>'
    )


def _grouped(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
