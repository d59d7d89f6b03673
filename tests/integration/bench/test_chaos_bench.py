"""R1: real processes, real kills, and not a cent astray. It takes minutes: with ``CATALOGUE=full`` only."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.gauge import FULL, say

ROOT = Path(__file__).parent.parent.parent.parent
SESSIONS, KILLS = 500, 200


@pytest.mark.timeout(1_800)
@pytest.mark.skipif(not FULL, reason="takes minutes; CATALOGUE=full runs it, ./bench chaos shows it")
def test_r1_killed_processes_cost_nobody_a_cent() -> None:
    code = "import sys; from tests.bench.chaos_bench import main; sys.exit(main(sys.argv[1:]))"
    wishes = ["--sessions", str(SESSIONS), "--kills", str(KILLS), "--lanes", "14", "--seed", "4", "--json"]
    command = [sys.executable, "-c", code, *wishes]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=1_700, check=False)
    say(f"R1: {done.stdout.strip()}")
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    wrong = [found[name] for name in ("double", "lost", "imbalance_minor", "unexplained")]
    assert wrong == [0, 0, 0, 0], done.stderr
    assert (found["sessions"], found["kills"]) == (SESSIONS, KILLS)
    assert found["captured_minor"] > 0, "somebody paid"
    assert found["recovered_s_max"] <= 30
