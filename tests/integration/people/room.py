"""The services of ``people`` alone, wired as in the product, with a cheap password hash."""

from dataclasses import dataclass, field
from typing import Any

from core.clock import FakeClock
from core.db import Database
from core.events import Event
from core.ids import UserId
from people import store
from people.accounts import AccountService, Registration
from people.blocks import BlockService
from people.consents import CURRENT, Agreement, ConsentService, needed_for
from people.origin import Origin
from people.passwords import Passwords
from people.profiles import ProfileService
from people.ratings import RatingService
from people.roles import Role
from people.tokens import TokenService

PASSWORD = "a walk in the rain"
HERE = Origin(ip_hash="here", request_id="request-1")


@dataclass
class Room:
    """One house with one room."""

    db: Database
    clock: FakeClock
    published: list[Event]
    tokens: TokenService
    profiles: ProfileService = field(default_factory=ProfileService)
    consents: ConsentService = field(default_factory=ConsentService)
    ratings: RatingService = field(default_factory=RatingService)
    blocks: BlockService = field(default_factory=BlockService)

    @property
    def accounts(self) -> AccountService:
        return AccountService(self.tokens, self.profiles, self.consents, Passwords(cost=4))

    async def register(self, email: str, role: Role = Role.CUSTOMER, **changes: Any) -> UserId:
        wish: dict[str, Any] = {
            "email": email,
            "password": PASSWORD,
            "role": role,
            "display_name": email.partition("@")[0].title(),
            "locale": "en",
            "time_zone": "Europe/Berlin",
            "agreements": tuple(Agreement(name, CURRENT[name]) for name in sorted(needed_for(role))),
        }
        await self.accounts.register(self.db, Registration(**{**wish, **changes}), HERE)
        async with self.db.begin() as tx:
            account = await store.account_by_email(tx, email.lower())
        assert account is not None
        return UserId(account.id)
