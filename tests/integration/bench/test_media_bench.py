"""The media bench brings real media through a real server process, and says all it promises."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent.parent
PROMISED = {
    "calls", "seconds", "packets", "cpu_cores", "us_per_packet", "calls_per_core", "loss", "p50_ms", "p99_ms",
    "dead_directions", "wrong_samples", "rss_mb", "rtcp", "profile", "generator_cores", "generator_saturated", "nacks",
}  # fmt: skip


def test_two_calls_pass_through_and_are_counted() -> None:
    code = "import sys; from tests.bench.media_bench import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "--calls", "2", "--seconds", "1", "--loss", "0.05", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=60, check=True)
    found = json.loads(done.stdout)
    assert found.keys() >= PROMISED
    assert found["packets"] > 200
    assert found["dead_directions"] == found["wrong_samples"] == 0
    assert found["nacks"] > 0, "what is dropped is asked for again"
    assert found["repeated"] > 0, "and comes"
