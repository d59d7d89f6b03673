"""Misbehaviour on demand: rules that tests set at ``/_sandbox/misbehave``, each used up after ``times``."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sandbox.errors import invalid


class Kind(StrEnum):
    """What goes wrong."""

    DECLINE = "decline"  # the bank says no (decline_code)
    AUTHENTICATE = "authenticate"  # 3-D Secure is asked for
    CAPTURE_EXPIRES = "capture_expires"  # a capture finds the authorization lapsed; the intent is canceled
    CAPTURE_REFUSED = "capture_refused"  # a capture is refused for good, and the authorization stands
    REFUSED = "refused"  # a 400: nothing is done, and the same request will be refused again
    TIMEOUT_AFTER_SUCCESS = "timeout_after_success"  # the work is done, then the line goes dead
    ERROR_500 = "error_500"  # nothing is done, and the key remembers the 500
    ERROR_500_AFTER_SUCCESS = "error_500_after_success"  # the work is done, and the key remembers a 500
    RATE_429 = "rate_429"  # before the idempotency layer
    LOCK_409 = "lock_409"  # another request holds the object
    KEY_401 = "key_401"  # our API key is not accepted: nothing is looked at, nothing done
    DOWN = "down"  # no answer, nothing done
    SLOW = "slow"  # answers after delay_ms
    WEBHOOK_DUPLICATE = "webhook_duplicate"
    WEBHOOK_LATE = "webhook_late"  # after delay_ms
    WEBHOOK_REORDERED = "webhook_reordered"  # after the next event
    WEBHOOK_LOST = "webhook_lost"  # never delivered; only /v1/events knows it


ALIASES = {"3ds": Kind.AUTHENTICATE, "three_d_secure": Kind.AUTHENTICATE}


@dataclass(slots=True)
class Rule:
    """``where`` is an operation (``payment_intents.capture``), a path prefix, an event type's beginning, or empty."""

    kind: Kind
    where: str = ""
    times: int = 1
    decline_code: str = "generic_decline"
    delay_ms: int = 1_000

    def matches(self, names: tuple[str, ...]) -> bool:
        """Whether one of these names begins with ``where``."""
        return any(name.startswith(self.where) for name in names)


class Rules:
    """The rules in force, oldest first."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def add(self, given: dict[str, Any]) -> Rule:
        """A rule from its JSON: ``kind``, and one of operation, path_prefix, event, and numbers."""
        fields = {"kind", "operation", "path_prefix", "event", "times", "decline_code", "delay_ms"}
        unknown = given.keys() - fields
        if unknown:
            raise invalid(f"Unknown fields: {', '.join(sorted(unknown))}; known are {', '.join(sorted(fields))}.")
        name = str(given.get("kind"))
        if name not in {*Kind, *ALIASES}:
            raise invalid(f"Unknown kind {name!r}; known are {', '.join(Kind)}.", "kind")
        rule = Rule(
            kind=ALIASES.get(name) or Kind(name),
            where=str(given.get("operation") or given.get("path_prefix") or given.get("event") or ""),
            times=int(given.get("times", 1)),
            decline_code=str(given.get("decline_code", "generic_decline")),
            delay_ms=int(given.get("delay_ms", 1_000)),
        )
        self._rules.append(rule)
        return rule

    def take(self, kinds: set[Kind], *names: str) -> Rule | None:
        """Use up one time of the first rule of these kinds that matches."""
        for rule in self._rules:
            if rule.kind in kinds and rule.matches(names):
                rule.times -= 1
                if rule.times <= 0:
                    self._rules.remove(rule)
                return rule
        return None

    def clear(self) -> None:
        """Behave again."""
        self._rules.clear()

    def listed(self) -> list[dict[str, Any]]:
        """The rules in force, as JSON."""
        return [{"kind": rule.kind, "where": rule.where, "times": rule.times} for rule in self._rules]
