"""Text that people typed: brought into one form, never interpreted. Markup stays the characters it is made of."""

import unicodedata

_KEPT = {"\n", "\t"}
# Characters that reorder or hide what stands beside them: a name must look like what it is.
_DIRECTIONAL = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: str) -> str:
    """NFC, line feeds as line ends, no control or direction-override characters, no blank edges."""
    unified = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (c for c in unified if c in _KEPT or (unicodedata.category(c) not in {"Cc", "Cs"} and c not in _DIRECTIONAL))
    return "".join(kept).strip()


def clean_line(text: str) -> str:
    """The same for a single line: every run of white space becomes one space."""
    return " ".join(clean(text).split())


def clean_tag(text: str) -> str:
    """A tag as it is stored and compared: one line, lower case, without a leading ``#``."""
    return clean_line(text).lstrip("#").strip().lower()
