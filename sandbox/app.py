"""The sandbox's application: which address is answered by what, and its start and end."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from sandbox.admin import Admin
from sandbox.api import Api
from sandbox.bank import Bank
from sandbox.courier import Courier
from sandbox.idempotency import Keys
from sandbox.misbehaviour import Rules
from sandbox.pages import card_form
from sandbox.pages.authenticate import Authenticate
from sandbox.pages.card_form import CardForm
from sandbox.pages.layout import Frame
from sandbox.pages.onboarding import Onboarding
from sandbox.store import Store
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class Options:
    """How a sandbox is started; without ``webhook_url`` events are only listed, without ``state`` nothing is kept."""

    public_url: str
    parent_origin: str
    webhook_url: str | None = None
    webhook_secret: str = "whsec_sandbox"  # noqa: S105 # a simulator's default, no secret
    state: Path | None = None


def build(options: Options) -> web.Application:
    """Everything, wired by hand."""
    store, rules = Store(options.state), Rules()
    courier = Courier(store, rules, url=options.webhook_url, secret=options.webhook_secret)
    world = World(store, public_url=options.public_url.rstrip("/"), announce=courier.announce)
    keys = Keys(store)
    frame = Frame(parent_origin=options.parent_origin.rstrip("/"))
    app = web.Application(client_max_size=256 * 1024)
    api = Api(world, store, keys, rules, courier)
    admin = Admin(store, keys, rules, courier)
    bank = Bank(world, store, courier)
    card, secure = CardForm(world, store, courier, frame), Authenticate(world, store, courier, frame)
    onboarding = Onboarding(world, store, courier, frame)
    app.add_routes(
        [
            web.route("*", "/v1/{tail:.*}", api.handle),
            web.get(card_form.PATH, card.show),
            web.post(card_form.PATH, card.submit),
            web.get("/_sandbox/authenticate/{intent}", secure.show),
            web.post("/_sandbox/authenticate/{intent}", secure.answer),
            web.get("/_sandbox/onboard/{account}", onboarding.show),
            web.post("/_sandbox/onboard/{account}", onboarding.complete),
            web.get("/_sandbox/state", admin.state),
            web.get("/_sandbox/misbehave", admin.misbehaviours),
            web.post("/_sandbox/misbehave", admin.misbehave),
            web.delete("/_sandbox/misbehave", admin.behave),
            web.post("/_sandbox/age-keys", admin.age_keys),
            web.post("/_sandbox/tamper", admin.tamper),
            web.post("/_sandbox/forget", admin.forget),
            web.post("/_sandbox/lapse/{intent}", bank.lapse),
            web.post("/_sandbox/dispute/{intent}", bank.dispute),
            web.post("/_sandbox/dispute/{dispute}/decide", bank.decide),
            web.post("/_sandbox/refund/{refund}/fail", bank.fail_refund),
            web.post("/_sandbox/restrict/{account}", bank.restrict),
            web.post("/_sandbox/renew-card/{method}", bank.renew_card),
            web.post("/_sandbox/depart/{account}", bank.depart),
            web.post("/_sandbox/topup", bank.top_up),
            web.post("/_sandbox/payout/{account}", bank.pay_out),
            web.post("/_sandbox/payout/{payout}/settle", bank.settle_payout),
            web.post("/_sandbox/payout/{payout}/fail", bank.fail_payout),
            web.post("/_sandbox/payout/{payout}/cancel", bank.cancel_payout),
            web.get("/healthz", _alive),
        ]
    )

    async def life(_app: web.Application) -> AsyncIterator[None]:
        await courier.start()
        yield
        await courier.stop()
        store.close()

    app.cleanup_ctx.append(life)
    return app


async def _alive(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})
