"""What a file must look like to be taken, and what becomes of its name."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.attachments.attachment_types import ENDINGS, NAME_MAX, WrongContent, WrongType, check_content, safe_name


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


PNG = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + chunk(b"IDAT", b"pixels" * 900) + chunk(b"IEND")
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x12\x34" * 500 + b"\xff\xd9"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\nstartxref\n9\n%%EOF\n"
TEXT = "Grüße, 東京 😀\tERROR 500\r\n".encode()
ZIP = b"PK\x03\x04" + bytes(40) + b"PK\x05\x06" + bytes(18)
GOOD = {"image/png": PNG, "image/jpeg": JPEG, "application/pdf": PDF, "text/plain": TEXT}
BAD = {
    "a page that says it is a picture": ("image/png", b"<!doctype html><script>alert(1)</script>"),
    "a program that says it is a picture": ("image/png", b"MZ\x90\x00" + bytes(200)),
    "a signature and nothing else": ("image/png", PNG[:8]),
    "a picture that begins with another chunk": (
        "image/png",
        PNG[:8] + chunk(b"IDAT", bytes(13)) + chunk(b"IEND"),
    ),
    "a picture that is cut off": ("image/png", PNG[:-6]),
    "a picture with an archive behind it": ("image/png", PNG + ZIP),
    "a picture with a page behind it": ("image/png", PNG + b"<script>alert(1)</script>"),
    "a picture whose chunk claims four gigabytes": ("image/png", PNG[:33] + b"\xff\xff\xff\xffIDAT" + bytes(64)),
    "a photo with an archive inside its end": ("image/jpeg", JPEG[:-2] + ZIP + b"\xff\xd9"),
    "a photo without an end": ("image/jpeg", JPEG[:-2]),
    "a PNG that says it is a JPEG": ("image/jpeg", PNG),
    "a document with a page before it": ("application/pdf", b"<script>alert(1)</script>" + PDF),
    "a document without an end": ("application/pdf", PDF[:20]),
    "a document with an archive behind it": ("application/pdf", PDF + ZIP),
    "an archive that says it is text": ("text/plain", ZIP),
    "a document that says it is text": ("text/plain", PDF),
    "text with a NUL": ("text/plain", b"all is well\x00"),
    "text with an escape sequence for a terminal": ("text/plain", b"\x1b[2Jall is well"),
    "text in no encoding we read": ("text/plain", b"caf\xe9"),
    "text that ends in half a character": ("text/plain", "é".encode()[:1]),
    "nothing": ("text/plain", b""),
}


@pytest.mark.parametrize("media_type", GOOD)
def test_each_type_is_taken_when_it_is_what_it_says(media_type: str) -> None:
    check_content(media_type, io.BytesIO(GOOD[media_type]), len(GOOD[media_type]))


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_what_it_says_is_refused(case: str) -> None:
    media_type, content = BAD[case]
    with pytest.raises(WrongContent):
        check_content(media_type, io.BytesIO(content), len(content))


@pytest.mark.parametrize("media_type", GOOD)
def test_no_type_passes_for_another(media_type: str) -> None:
    for other in set(GOOD) - {media_type}:
        with pytest.raises(WrongContent):
            check_content(other, io.BytesIO(GOOD[media_type]), len(GOOD[media_type]))


def test_a_character_across_two_pieces_of_a_long_text_is_no_fault() -> None:
    long = b"x" + "é".encode() * 200_000
    check_content("text/plain", io.BytesIO(long), len(long))


@given(st.sampled_from(sorted(GOOD)), st.binary(max_size=400))
def test_whatever_comes_in_the_check_answers(media_type: str, content: bytes) -> None:
    try:
        check_content(media_type, io.BytesIO(content), len(content))
    except WrongContent:
        return
    assert content


@pytest.mark.parametrize(
    ("given_name", "media_type", "kept"),
    [
        ("plan.pdf", "application/pdf", "plan.pdf"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("..\\..\\windows\\system32\\cmd.exe", "text/plain", "cmd.txt"),
        ("photo.JPEG", "image/jpeg", "photo.jpeg"),
        ("page.html", "image/png", "page.png"),
        ("invoice.pdf.exe", "application/pdf", "invoice.pdf.pdf"),
        (".htaccess", "text/plain", "attachment.txt"),
        ("CON", "text/plain", "attachment.txt"),
        ("", "image/png", "attachment.png"),
        ('a"b\r\nSet-Cookie: x=1.txt', "text/plain", "a b Set-Cookie x=1.txt"),
        ("Größe 東京.png", "image/png", "Größe 東京.png"),
        ("\u202egnp.exe", "image/png", "gnp.png"),
    ],
)
def test_a_name_is_only_a_name(given_name: str, media_type: str, kept: str) -> None:
    assert safe_name(given_name, media_type) == kept


@given(st.text(max_size=300), st.sampled_from(sorted(ENDINGS)))
def test_no_name_leads_anywhere(name: str, media_type: str) -> None:
    kept = safe_name(name, media_type)
    assert 0 < len(kept) <= NAME_MAX
    assert not set(kept) & set('/\\:*?"<>|\r\n\x00')
    assert not kept.startswith(".")
    assert safe_name(kept, media_type) == kept


def test_a_type_we_do_not_take_is_refused() -> None:
    for media_type in ("image/svg+xml", "text/html", "application/zip", "application/octet-stream", ""):
        with pytest.raises(WrongType):
            safe_name("x", media_type)
