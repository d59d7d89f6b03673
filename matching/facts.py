"""The facts matching hears from other rooms, by shape: signaling and billing are not imported here."""

from typing import Protocol

from core.ids import CallId, QuestionId, RequestId, UserId


class PresenceFact(Protocol):
    """What a change of presence tells."""

    @property
    def user_id(self) -> UserId:
        """Whose presence."""
        ...

    @property
    def status(self) -> str:
        """The new status."""
        ...


class CallFact(Protocol):
    """Any event that names a call."""

    @property
    def call_id(self) -> CallId:
        """Which call."""
        ...


class RequestedFact(CallFact, Protocol):
    """What is told of a call that goes on where another was lost."""

    @property
    def request_id(self) -> RequestId:
        """The request that led to the first of them."""
        ...


class CallEndFact(RequestedFact, Protocol):
    """What the end of a call tells."""

    @property
    def question_id(self) -> QuestionId:
        """What it was about."""
        ...

    @property
    def went_live(self) -> bool:
        """Whether both sides ever saw one another."""
        ...

    @property
    def reason(self) -> str:
        """Why it ended."""
        ...

    @property
    def absent(self) -> tuple[str, ...]:
        """The sides that were never seen."""
        ...


def stood_up(event: CallEndFact) -> bool:
    """Whether the customer was there, and whoever had accepted never came."""
    return event.reason == "no_show" and event.absent == ("consultant",)


class SettledFact(CallFact, Protocol):
    """What is told when the books of a call are closed."""

    @property
    def connected_ms(self) -> int:
        """How long both sides were connected."""
        ...

    @property
    def threshold_passed(self) -> bool:
        """Whether that was long enough to cost money."""
        ...


class RefundFact(CallFact, Protocol):
    """What is told when money went back, or came back because it could not be returned."""

    @property
    def refunded_minor(self) -> int:
        """All that has been given back of this call by now."""
        ...
