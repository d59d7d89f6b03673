"""Passwords: which are refused, with which hint, and what bcrypt is asked to do."""

import pytest

from people.passwords import COST, Passwords, WeakPassword, check_length, check_strength


@pytest.mark.parametrize(
    ("password", "hint"),
    [
        ("password1", "too_short"),
        ("password123", "common"),
        ("Passwort123", "common"),
        ("anna@example.com", "email"),
        ("my anna@example.com", "email"),
        ("aaaaaaaaaaaa", "repetitive"),
        ("x" * 73, "too_long"),
        ("ä" * 37, "too_long"),
    ],
)
def test_a_weak_password_is_refused_with_the_hint_that_names_its_weakness(password: str, hint: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        check_strength(password, "anna@example.com")
    assert refused.value.details["hint"] == hint


@pytest.mark.parametrize("password", ["a walk in the rain", "Tr0ub4dor&3x", "köln-am-rhein", "y" * 3 + "abcdefg" * 9])
def test_a_strong_password_is_taken(password: str) -> None:
    check_strength(password, "anna@example.com")


def test_seventy_two_bytes_fit_and_seventy_three_do_not() -> None:
    check_length("ab" * 36)
    with pytest.raises(WeakPassword):
        check_length("ab" * 36 + "c")


def test_the_products_cost_is_twelve() -> None:
    assert COST == 12


async def test_a_hash_is_bcrypt_and_matches_its_password_alone() -> None:
    passwords = Passwords(cost=4)
    hashed = await passwords.hash("a walk in the rain")
    assert hashed.startswith("$2b$04$")
    assert await passwords.matches("a walk in the rain", hashed)
    assert not await passwords.matches("a walk in the sun", hashed)


async def test_nobodys_password_matches_nothing_not_even_itself() -> None:
    assert not await Passwords(cost=4).matches("nobody has this password", None)
