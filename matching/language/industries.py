"""Industries: the field of work a tag belongs to, so that a neighbour of the asked tag counts for something (PURE)."""

from collections.abc import Iterable
from typing import Final

INDUSTRIES: Final[dict[str, tuple[str, ...]]] = {
    "software": (
        "android", "angular", "apache kafka", "api design", "ci/cd", "css", "django", "docker", "ios", "java",
        "javascript", "python", "react", "rust", "sql", "postgresql", "wordpress", "ux design",
    ),
    "operations": (
        "aws", "azure", "docker", "kubernetes", "linux", "networking", "security", "terraform", "ci/cd", "postgresql",
    ),
    "data": ("data analysis", "machine learning", "excel", "sql", "python"),
    "law": (
        "company formation", "contract law", "copyright", "data protection", "employment law", "family law",
        "immigration", "inheritance law", "patents", "property law", "tenancy law", "trademarks", "traffic law",
    ),
    "finance": (
        "accounting", "crypto tax", "insurance", "investing", "mortgage", "pricing", "startup funding", "tax", "excel",
    ),
    "business": (
        "career coaching", "company formation", "google ads", "marketing", "pricing", "project management", "sales",
        "seo", "startup funding", "writing",
    ),
    "health": ("fitness", "mental health", "nutrition", "parenting"),
    "home": ("cooking", "dog training", "gardening", "solar power", "mortgage", "property law"),
    "creative": ("photography", "piano", "ux design", "writing", "guitar"),
    "languages": ("english", "french", "german", "spanish", "writing"),
    "leisure": ("travel", "photography", "cooking", "gardening", "fitness"),
}  # fmt: skip
_BITS: Final = {name: 1 << n for n, name in enumerate(INDUSTRIES)}
_OF_TAG: Final = {
    tag: sum(_BITS[name] for name, tags in INDUSTRIES.items() if tag in tags)
    for tag in {tag for tags in INDUSTRIES.values() for tag in tags}
}


def industries_of(tags: Iterable[str]) -> int:
    """The industries of some tags as bits of one word; 0 when none is known."""
    found = 0
    for tag in tags:
        found |= _OF_TAG.get(tag, 0)
    return found
