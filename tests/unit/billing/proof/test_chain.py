"""The evidence chain: whatever is changed shows, at the entry that was changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.proof.chain import Entry, body_of, genesis, link, stamp, verify

CHARGE = UUID("11111111-2222-3333-4444-555555555555")
START = datetime(2026, 11, 20, 9, 0, 0, 120, tzinfo=UTC)


def chain(length: int) -> list[Entry]:
    entries: list[Entry] = []
    previous = genesis(CHARGE)
    for n in range(1, length + 1):
        at, details = START + timedelta(seconds=n), {"n": n, "cause": "consultant_unseen"}
        body = body_of(at, "interval_closed", details)
        entry = Entry(CHARGE, n, at, "interval_closed", details, body, previous, link(previous, body))
        entries.append(entry)
        previous = entry.hash
    return entries


def test_the_hashes_are_those_anybody_computes() -> None:
    assert genesis(CHARGE) == "666ff6ccaa5b3c07feaa3a95d3a4bd2c46ac9e9abdb09ca9133528d3dc1e8952"  # by sha256sum
    [first, *_] = chain(1)
    assert first.body == (
        '{"at":"2026-11-20T09:00:01.000120Z","details":{"cause":"consultant_unseen","n":1},"kind":"interval_closed"}'
    )


def test_a_moment_is_written_in_utc_to_the_microsecond() -> None:
    berlin = timezone(timedelta(hours=1))
    assert stamp(datetime(2026, 11, 20, 10, 0, tzinfo=berlin)) == "2026-11-20T09:00:00.000000Z"


def test_an_untouched_chain_is_whole() -> None:
    assert verify([]) is None
    assert verify(chain(5)) is None


CHANGES: dict[str, Any] = {
    "at": START,
    "kind": "interval_opened",
    "details": {"n": 9},
    "body": "{}",
    "previous_hash": "0" * 64,
    "hash": "f" * 64,
    "charge_id": UUID(int=7),
}


@given(st.integers(1, 6), st.sampled_from(sorted(CHANGES)))
def test_a_changed_entry_is_where_it_breaks(n: int, field: str) -> None:
    if field == "charge_id":
        n = 1  # only the first entry builds on the charge's id
    entries = chain(6)
    entries[n - 1] = replace(entries[n - 1], **{field: CHANGES[field]})
    assert verify(entries) == n


@pytest.mark.parametrize("n", [1, 3, 6])
def test_an_entry_written_anew_with_its_hash_breaks_at_the_next(n: int) -> None:
    entries = chain(6)
    old = entries[n - 1]
    body = body_of(START, old.kind, {"n": 7})
    entries[n - 1] = replace(old, at=START, details={"n": 7}, body=body, hash=link(old.previous_hash, body))
    assert verify(entries) == (n + 1 if n < 6 else None)  # the last one's hash is in every receipt


@given(st.integers(1, 5))
def test_a_missing_entry_is_where_it_breaks(n: int) -> None:
    entries = chain(6)
    del entries[n - 1]
    assert verify(entries) == n
