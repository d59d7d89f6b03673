"""One value, one text (RFC 8785 for the types we use)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.proof.canonical import LARGEST, canonical

values = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def test_keys_are_sorted_nothing_is_spaced_and_text_is_itself() -> None:
    assert canonical({"b": [1, None, True], "a": "Zoë\n€"}) == '{"a":"Zoë\\n€","b":[1,null,true]}'


def test_keys_are_compared_as_browsers_compare_them() -> None:
    # RFC 8785, section 3.2.3: the emoji comes before the Hebrew ligature, because its first surrogate is smaller.
    assert list(json.loads(canonical({"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3}))) == [
        "\u20ac",
        "\U0001f600",
        "\ufb33",
    ]


def test_control_characters_are_written_as_the_rfc_says() -> None:
    assert canonical('\x08\t\n\x0c\r"\\\x01\x1f\x7f') == '"\\b\\t\\n\\f\\r\\"\\\\\\u0001\\u001f\x7f"'


@pytest.mark.parametrize("value", [1.5, 2**53, {1: 2}, {"a": b"x"}, float("nan"), "\ud800"])
def test_what_has_no_one_text_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - three kinds of it
        canonical(value)


@given(values)
def test_it_says_the_value_and_says_it_once(value: Any) -> None:
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text
