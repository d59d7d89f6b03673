"""Searches what the processes wrote for what must never be there: cards, secrets, tokens, persons, media addresses."""

import re
from collections.abc import Iterable
from pathlib import Path

import psycopg

from sandbox.cards import TEST_CARDS

# The numbers people type here are the sandbox's own: any digits of that length would also be ids and fractions.
CARDS = "|".join("[ -]?".join(card.number[at : at + 4] for at in range(0, 16, 4)) for card in TEST_CARDS)
# Card numbers with and without spaces, bearer tokens, Stripe's client secrets, SDP, candidates, e-mail addresses.
PATTERNS = {
    "card number": re.compile(CARDS),
    "token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    "client secret": re.compile(r"_secret_[A-Za-z0-9]{8,}"),
    "webhook secret": re.compile(r"\bwhsec_[A-Za-z0-9]{8,}"),
    "session description": re.compile(r"\bv=0\\?[rn]|a=candidate:|a=fingerprint:"),
    "e-mail address": re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}"),
}


def leaks(folder: Path, secrets: Iterable[str], persons: Iterable[str]) -> list[str]:
    """What was found, as ``file: what it is`` (never the thing itself, nor its line)."""
    wanted = {secret: "secret" for secret in secrets if len(secret) >= 8} | dict.fromkeys(persons, "person")
    found: list[str] = []
    for path in sorted(folder.rglob("*.log")):
        content = path.read_text(errors="replace")
        found += [f"{path.name}: {what}" for what, pattern in PATTERNS.items() if pattern.search(content)]
        found += [f"{path.name}: {what}" for text, what in wanted.items() if text in content]
    return found


def card_numbers_in(database_url: str) -> list[str]:
    """Every table with a row that holds a whole card number in any column."""
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables "
            "WHERE table_schema IN ('public', 'procrastinate') AND table_type = 'BASE TABLE'"
        ).fetchall()
        return [
            table
            for (table,) in tables
            if connection.execute(f"SELECT 1 FROM {table} t WHERE t::text ~ %s LIMIT 1", (CARDS,)).fetchone()  # noqa: S608 - names from the catalogue
        ]
