"""A small chaos run: real processes, real kills, and not a cent astray. The full number is `./bench chaos`."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent.parent


def test_r1_killed_processes_cost_nobody_a_cent() -> None:
    code = "import sys; from tests.bench.chaos_bench import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "--sessions", "8", "--kills", "4", "--lanes", "4", "--seed", "3", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    wrong = [found[name] for name in ("double", "lost", "imbalance_minor", "unexplained")]
    assert wrong == [0, 0, 0, 0], done.stderr
    assert (found["sessions"], found["kills"]) == (8, 4)
    assert found["captured_minor"] > 0, "somebody paid"
    assert found["recovered_s_max"] <= 30
