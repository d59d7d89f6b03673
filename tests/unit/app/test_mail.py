"""Letters: their envelope, the two languages of their words, and the folder that stands in for a relay."""

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing.mails.outbox import Kind
from billing.mails.wording import WORDS
from core.errors import Refused
from core.mail import FolderMailer, Letter, message_of

LETTER = Letter(
    key="receipt:1",
    to="anna@example.com",
    subject="Ihr Beleg: 16,50\u00a0€",
    text="Guten Tag\n",
    language="de",
    at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
)


def test_the_envelope_is_the_same_for_the_same_fact_and_asks_for_no_answer() -> None:
    message = message_of(LETTER, "House <no-reply@example.com>", "https://example.com")
    again = message_of(replace(LETTER, text="another"), "House <no-reply@example.com>", "https://example.com")
    other = message_of(replace(LETTER, key="receipt:2"), "House <no-reply@example.com>", "https://example.com")
    assert message["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert (message["Auto-Submitted"], message["Date"]) == ("auto-generated", "Fri, 20 Nov 2026 09:30:00 +0000")


def test_nothing_can_be_smuggled_into_the_envelope() -> None:
    for to in ("a@example.com\nBcc: b@example.com", "a@example.com, b@example.com", "=?utf-8?q?b?=@example.com"):
        with pytest.raises(Refused):
            message_of(replace(LETTER, to=to), "House <no-reply@example.com>", "https://example.com")
    with pytest.raises(ValueError, match="linefeed"):
        message_of(replace(LETTER, subject="x\r\nBcc: b@example.com"), "House <n@example.com>", "https://example.com")


async def test_a_folder_keeps_each_letter_once(tmp_path: Path) -> None:
    mailer = FolderMailer(tmp_path / "mails", "House <no-reply@example.com>", "https://example.com")
    for _ in range(2):
        await mailer.send(LETTER)
    [file] = (tmp_path / "mails").iterdir()
    read = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert (file.name, read["Subject"]) == ("receipt-1.eml", LETTER.subject)


def test_both_languages_have_every_letter_with_the_same_figures() -> None:
    assert set(WORDS["en"]) == set(WORDS["de"])
    for key, text in WORDS["en"].items():
        assert set(re.findall(r"\{(\w+)", text)) == set(re.findall(r"\{(\w+)", WORDS["de"][key])), key
    for kind in Kind:
        assert {f"{kind}.subject", f"{kind}.text"} <= set(WORDS["en"])
