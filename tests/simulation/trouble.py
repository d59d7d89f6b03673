"""What goes wrong, PURE: Stripe's misbehaviour, dead lines, killed and stalled processes, late and lost messages."""

from dataclasses import dataclass, replace

KINDS = ("timeout_after_success", "error_500", "error_500_after_success", "rate_429", "lock_409", "down")


@dataclass(frozen=True, slots=True)
class Rule:
    """A misbehaviour of Stripe's: what, at which operation, how often."""

    kind: str
    operation: str
    times: int


@dataclass(frozen=True, slots=True)
class Outage:
    """The line to Stripe is dead from ``at_s`` for ``span_s``."""

    at_s: float
    span_s: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """Everything that goes wrong around the calls; chances are per occasion."""

    rules: tuple[Rule, ...] = ()
    outages: tuple[Outage, ...] = ()
    crash: float = 0.0
    crashes: int = 0
    down_s: float = 5.0  # how long a killed process stays away
    absences: tuple[Outage, ...] = ()  # both workers are killed, and stay away so long
    stall: float = 0.0
    workers: int = 2
    webhooks: float = 1.0  # how many of the events are delivered at all
    copies: int = 1
    exactly: bool = False  # every event in exactly ``copies``, not up to so many
    late_s: float = 0.0
    media_late_s: float = 0.0
    media_twice: float = 0.0
    jumps: tuple[tuple[float, float], ...] = ()  # the wall clock is set: when, by how much

    @property
    def on_the_money(self) -> bool:
        """Whether anything may keep a hold from standing, or its standing from being noticed in time."""
        return bool(self.rules or self.outages or self.crashes or self.absences or self.stall)

    def with_more(self, other: "Trouble") -> "Trouble":
        """This, and what goes wrong later on top of it."""
        return replace(
            self,
            rules=self.rules + other.rules,
            outages=self.outages + other.outages,
            absences=self.absences + other.absences,
            crashes=self.crashes + other.crashes,
            stall=max(self.stall, other.stall),
        )
