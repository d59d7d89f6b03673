"""What is written in a PDF of ours: its pieces of text in the order of drawing, letters beyond ASCII as ``?``."""

import re
import zlib
from base64 import a85decode

_STREAM = re.compile(rb"/Filter \[ /ASCII85Decode /FlateDecode \].*?stream\r?\n(.*?)~>\s*endstream", re.DOTALL)
_SHOWN = re.compile(rb"\(((?:[^()\\]|\\.)*)\) Tj")
_OTHER = re.compile(rb"\\\d{3}")  # a letter that is not ASCII has a number in its font


def texts(pdf: bytes) -> list[str]:
    """Every piece of text."""
    drawn = [zlib.decompress(a85decode(stream)) for stream in _STREAM.findall(pdf)]
    pieces = [_OTHER.sub(b"?", piece) for page in drawn for piece in _SHOWN.findall(page)]
    return [re.sub(rb"\\(.)", rb"\1", piece).decode("ascii", "replace") for piece in pieces]
