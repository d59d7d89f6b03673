"""The facts billing hears from other rooms, by shape: media and signaling are not imported here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from core.db import Tx
from core.ids import CallId, RequestId, UserId


class AboutCall(Protocol):
    """Any event that names a call."""

    @property
    def call_id(self) -> CallId:
        """The call."""
        ...


class Between(AboutCall, Protocol):
    """A call begins between these two."""

    @property
    def customer_id(self) -> UserId:
        """Who pays."""
        ...

    @property
    def consultant_id(self) -> UserId:
        """Who is paid."""
        ...


class Opened(Between, Protocol):
    """A call exists; the prices are those the customer consented to."""

    @property
    def reference(self) -> str:
        """The reference people see."""
        ...

    @property
    def rate_minor_per_hour(self) -> int:
        """The price of an hour."""
        ...

    @property
    def max_rate_minor_per_hour(self) -> int:
        """The dearest hour the customer agreed to."""
        ...

    @property
    def currency(self) -> str:
        """Its currency, lower case."""
        ...

    @property
    def cap_minor(self) -> int:
        """The most the customer allows."""
        ...

    @property
    def terms_version(self) -> str:
        """The terms they consented to."""
        ...

    @property
    def consented_at_iso(self) -> str:
        """When."""
        ...


class Continued(Between, Protocol):
    """A call begins that goes on where another was lost."""

    @property
    def continues_call_id(self) -> CallId:
        """The call that was lost."""
        ...


class Ended(AboutCall, Protocol):
    """A call is over for good."""

    @property
    def reason(self) -> str:
        """Why."""
        ...


class Counting(AboutCall, Protocol):
    """Connected time runs."""

    @property
    def n(self) -> int:
        """The number of the interval within its call."""
        ...

    @property
    def started_at(self) -> datetime:
        """Since when."""
        ...


class Counted(Counting, Protocol):
    """Connected time of an interval is final."""

    @property
    def duration_ms(self) -> int:
        """How long, monotonic."""
        ...

    @property
    def cause(self) -> str:
        """Why it ended."""
        ...


class SideSeen(AboutCall, Protocol):
    """Media of one side arrives (again)."""

    @property
    def role(self) -> str:
        """Which side: ``customer`` or ``consultant``."""
        ...

    @property
    def at(self) -> datetime:
        """Since when."""
        ...


class SideUnseen(AboutCall, Protocol):
    """Media of one side stopped arriving."""

    @property
    def role(self) -> str:
        """Which side: ``customer`` or ``consultant``."""
        ...

    @property
    def last_packet_at(self) -> datetime:
        """When it was last seen."""
        ...


class PromiseBroken(Protocol):
    """Nobody was there for a customer within the promise: they are owed this."""

    @property
    def request_id(self) -> RequestId:
        """The request it was promised for."""
        ...

    @property
    def customer_id(self) -> UserId:
        """Who is owed."""
        ...

    @property
    def amount_minor(self) -> int:
        """How much."""
        ...

    @property
    def currency(self) -> str:
        """Its currency, lower case."""
        ...


class Blocked(Protocol):
    """Two persons are kept apart from now on."""

    @property
    def blocker_id(self) -> UserId:
        """Who wished so."""
        ...

    @property
    def blocked_id(self) -> UserId:
        """The other."""
        ...


class Revoked(Protocol):
    """Sockets of a user must close; ``disabled``, of no family, means that the account is gone."""

    @property
    def user_id(self) -> UserId:
        """Whose."""
        ...

    @property
    def family_id(self) -> str | None:
        """The sign-in; None is every one."""
        ...

    @property
    def reason(self) -> str:
        """Why."""
        ...


class Observed(Protocol):
    """What the media plane has written down of calls so far; the wiring says who answers."""

    async def __call__(self, tx: Tx, call_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Connected milliseconds of each call, by a clock that only goes forward; a call never seen is left out."""
        ...
