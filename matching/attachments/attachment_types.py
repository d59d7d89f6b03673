"""What may be attached: the types, their limits, what a file's first and last bytes must say, and its name (no I/O)."""

import re
from collections.abc import Mapping
from typing import BinaryIO, Final

from core.errors import Invalid
from people.text import clean_line

MOST_BYTES: Final = 5 * 1024 * 1024
MOST_FILES: Final = 3
MOST_BYTES_OF_ONE: Final = 100 * 1024 * 1024  # of one customer, over all their questions
NAME_MAX: Final = 80
# Type → the ending its name gets, whatever ending it came with.
ENDINGS: Mapping[str, str] = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "application/pdf": "pdf",
    "text/plain": "txt",
}
_ALSO = {"jpg": {"jpeg"}, "txt": {"text", "log", "md", "csv"}}

_PNG = b"\x89PNG\r\n\x1a\n"
_TAIL = 64 * 1024 + 22  # as far from the end as an archive's directory may begin (PKWARE APPNOTE 4.3.16)
_ARCHIVE_END = b"PK\x05\x06"
_PDF_TAIL = 1024  # where readers look for %%EOF
_CHUNK = 64 * 1024
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


class WrongType(Invalid):
    """Attach a PNG or JPEG picture, a PDF or a plain text."""

    code = "attachment_type"


class WrongContent(Invalid):
    """The file is not what it says it is. Save it anew in its program and try again."""

    code = "attachment_content"


def ending_of(media_type: str) -> str:
    """The ending of a permitted type; raises WrongType for every other."""
    try:
        return ENDINGS[media_type]
    except KeyError:
        raise WrongType from None


def safe_name(name: str, media_type: str) -> str:
    """A name that is only a name: no folders, no hidden or reserved ones, one line, an ending that fits the type."""
    ending = ending_of(media_type)
    base = _FORBIDDEN.sub(" ", clean_line(name.replace("\\", "/").rpartition("/")[2]))
    stem, dot, suffix = base.rpartition(".")
    kept = suffix.lower() if dot and suffix.lower() in {ending, *_ALSO.get(ending, ())} else ending
    stem = stem if dot else base
    stem = " ".join(stem.split()).strip(". ")[: NAME_MAX - len(kept) - 1].strip(". ")
    if not stem or _RESERVED.fullmatch(stem):
        stem = "attachment"
    return f"{stem}.{kept}"


def check_content(media_type: str, file: BinaryIO, size: int) -> None:
    """Read the file's structure, never the whole of it at once; raises WrongContent when it is not of its type.

    A file that is two things at once (a picture with an archive behind it, a page in a PDF's clothes) is refused where
    its structure shows it; whatever slips through is only ever handed out as a download, never shown.
    """
    whole = {
        "image/png": _is_png,
        "image/jpeg": _is_jpeg,
        "application/pdf": _is_pdf,
        "text/plain": _is_text,
    }[media_type]
    if size <= 0 or not whole(file, size) or _ARCHIVE_END in _last(file, size, _TAIL):
        raise WrongContent


def _at(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def _last(file: BinaryIO, size: int, count: int) -> bytes:
    return _at(file, max(0, size - count), count)


def _is_png(file: BinaryIO, size: int) -> bool:
    """Signature, IHDR first, then chunk by chunk to IEND, which must be the end of the file (W3C PNG 5.2, 5.3)."""
    if _at(file, 0, 16) != _PNG + b"\x00\x00\x00\x0dIHDR":
        return False
    offset = len(_PNG)
    while offset + 12 <= size:
        head = _at(file, offset, 8)
        offset += 12 + int.from_bytes(head[:4], "big")
        if head[4:] == b"IEND":
            return offset == size
    return False


def _is_jpeg(file: BinaryIO, size: int) -> bool:
    """Start of image and a marker in front, end of image at the end (ITU T.81 B.1.1.3); cameras may pad with zeros."""
    return _at(file, 0, 3) == b"\xff\xd8\xff" and _last(file, size, _PDF_TAIL).rstrip(b"\x00").endswith(b"\xff\xd9")


def _is_pdf(file: BinaryIO, size: int) -> bool:
    """The header at the very first byte, though readers would search for it, and %%EOF near the end (ISO 32000-1)."""
    return re.match(rb"%PDF-[12]\.\d", _at(file, 0, 8)) is not None and b"%%EOF" in _last(file, size, _PDF_TAIL)


def _is_text(file: BinaryIO, size: int) -> bool:
    """UTF-8 without control characters, and none of the other types' first bytes."""
    if _at(file, 0, 5) == b"%PDF-":
        return False
    file.seek(0)
    rest = b""
    for _ in range(0, size, _CHUNK):
        piece = rest + file.read(_CHUNK)
        if _CONTROL.search(piece):
            return False
        try:
            piece.decode()
        except UnicodeDecodeError as error:
            # A character may be cut by the end of the piece, never by anything else.
            if error.reason != "unexpected end of data" or len(piece) - error.start > 3:  # noqa: PLR2004 - RFC 3629
                return False
            rest = piece[error.start :]
        else:
            rest = b""
    return not rest
