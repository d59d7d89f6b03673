"""Passwords: whether one is strong enough, and bcrypt at a cost the event loop never feels."""

import asyncio

import bcrypt

from core.errors import Invalid

COST = 12
MAX_BYTES = 72  # bcrypt reads no further; silently ignoring the rest would accept wrong passwords
MIN_CHARACTERS = 10
MIN_DISTINCT = 4

# Long enough to pass the length rule, and still among the first guesses of every list.
_LIST = """
password12 password123 password1234 passwort12 passwort123 passwort1234 qwertyuiop qwertzuiop 1234567890
0123456789 0987654321 12345678910 123456789a 1q2w3e4r5t 1qaz2wsx3edc qwerty12345 qwertz12345 qwerty123456
iloveyou12 iloveyou123 letmein1234 welcome123 welcome1234 willkommen willkommen1 admin12345 administrator
changeme12 changeme123 football123 baseball123 sunshine123 princess123 trustno1trustno1 superman123
asdfghjkl1 asdfghjkl123 zxcvbnm123 abcdefghij abcd123456 abc1234567 1111111111 0000000000 secret1234
geheim1234 hallo12345 consultant consultant1 consultant123 p@ssword123 p@ssw0rd123 passw0rd123 password1!
"""
COMMON = frozenset(_LIST.split())


class WeakPassword(Invalid):
    """Choose a stronger password."""

    code = "weak_password"


def check_length(password: str) -> None:
    """Refuse what bcrypt would cut off (72 bytes of UTF-8)."""
    if len(password.encode()) > MAX_BYTES:
        raise WeakPassword(f"A password may be at most {MAX_BYTES} bytes long; this one is longer.", hint="too_long")


def check_strength(password: str, email: str) -> None:
    """Refuse a weak password with the hint that names what is wrong with it."""
    check_length(password)
    folded = password.casefold()
    address = email.casefold()
    if len(password) < MIN_CHARACTERS:
        raise WeakPassword(f"Use at least {MIN_CHARACTERS} characters; a short sentence is good.", hint="too_short")
    if folded in COMMON:
        raise WeakPassword("This password is among the first that are tried. Choose another.", hint="common")
    if folded in {address, address.partition("@")[0]} or address in folded:
        raise WeakPassword("Do not use your e-mail address as password.", hint="email")
    if len(set(folded)) < MIN_DISTINCT:
        raise WeakPassword("This repeats too few characters. Mix more of them.", hint="repetitive")


class Passwords:
    """Hashes and checks in a thread. Only tests pass another cost than the product's."""

    def __init__(self, cost: int = COST) -> None:
        self._cost = cost
        # Compared against when the account is unknown, so that both answers take the same time.
        self._nobody = bcrypt.hashpw(b"nobody has this password", bcrypt.gensalt(cost)).decode()

    async def hash(self, password: str) -> str:
        """The bcrypt hash of ``password`` (``$2b$…``)."""
        check_length(password)
        made = await asyncio.to_thread(bcrypt.hashpw, password.encode(), bcrypt.gensalt(self._cost))
        return made.decode()

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether ``password`` belongs to ``hashed``; with None the same work is done and the answer is no."""
        check_length(password)
        same = await asyncio.to_thread(bcrypt.checkpw, password.encode(), (hashed or self._nobody).encode())
        return same and hashed is not None
