"""``python -m app``: the operator's commands (``app.cli``)."""

import sys

from app.cli import main

sys.exit(main())
