"""How large a test of the catalogue is: small inside ``./test``, its full number with ``CATALOGUE=full``."""

import os
import sys

FULL = os.environ.get("CATALOGUE") == "full"


def number(full: int, quick: int) -> int:
    """The count to use."""
    return full if FULL else quick


def say(line: str) -> None:
    """A figure, for who runs the catalogue (``pytest -s``)."""
    sys.stderr.write(f"\n{line}\n")
