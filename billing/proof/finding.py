"""What a verification says, PURE: checks with a name, and findings as a code with figures, later put into words."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold; ``code`` names the sentence, ``said`` and ``found`` are what it compares.

    ``place`` is where: ``line 3``'s 3, or the name of a section or field.
    """

    code: str
    place: str
    said: Any = None
    found: Any = None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; it holds when nothing was found."""

    name: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return not self.findings
