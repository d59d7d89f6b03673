"""Coverage-guided fuzzing of everything in ``targets``: ``python -m tests.fuzz.coverage_guided TARGET -runs=1000000``.

Needs atheris (``pip install atheris``), which is not part of the environment: this runs for minutes, by hand.
"""

import sys

import atheris

with atheris.instrument_imports(include=["media", "signaling", "aioice"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Run until something breaks, or ``-runs`` is reached."""
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        sys.exit(f"Name what to fuzz: {', '.join(TARGETS)}")
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
