"""``./bench claims`` in small: several processes, one of them killed, nobody rung twice, no question lost."""

from argparse import Namespace
from pathlib import Path

from tests.bench.claims_bench import FORBIDDEN, measure

SMALL = Namespace(
    claims=150, processes=3, kill=1, consultants=40, rate=40.0, limit_s=90.0, seed=2, durable=False, json=True
)


def test_killed_processes_neither_ring_twice_nor_lose_a_question(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)  # PostgreSQL's own user must reach its cluster
    found = measure(SMALL, tmp_path)
    assert found["killed"] == 1
    assert {name: found[name] for name in FORBIDDEN} == dict.fromkeys(FORBIDDEN, 0)
    assert found["claims"] >= found["requests"]
