"""Text that people typed: brought into one form, never interpreted. Markup stays the characters it is made of."""

import re
import unicodedata

_KEPT = {"\n", "\t"}
_LINE_END = re.compile("\r\n|[\r\u2028\u2029]")
# Characters that reorder or hide what stands beside them: a name must look like what it is.
_DIRECTIONAL = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# No width at all, and no part in any script or emoji (as the joiners U+200C and U+200D have): they only make two names
# differ that look the same, or one that looks like none.
_INVISIBLE = set("\u00ad\u200b\u2060\ufeff")


def clean(text: str) -> str:
    """NFC, line feeds as line ends, no control, direction or invisible characters, no blank edges."""
    unified = unicodedata.normalize("NFC", _LINE_END.sub("\n", text))
    return "".join(c for c in unified if c in _KEPT or not _hidden(c)).strip()


def _hidden(character: str) -> bool:
    control = unicodedata.category(character) in {"Cc", "Cs"}
    return control or character in _DIRECTIONAL or character in _INVISIBLE


def clean_line(text: str) -> str:
    """The same for a single line: every run of white space becomes one space."""
    return " ".join(clean(text).split())


def clean_tag(text: str) -> str:
    """A tag as it is stored and compared: one line, lower case, without a leading ``#``."""
    return clean_line(text).lstrip("#").strip().lower()
