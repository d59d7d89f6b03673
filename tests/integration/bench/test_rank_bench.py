"""The bench of ranking: every kind of change is timed, and every size has a process of its own."""

import os
import random

from matching.ranking.model import built_in
from tests.bench import rank_bench
from tests.bench.rank_bench import LOST_S, SEED, Stage, alone


async def test_profile_presence_rating_and_outcome_are_each_seen_when_asked_for_and_when_told(
    database_url: str,
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same market every time, no secret
    rank_bench.fill(database_url, 200, chance)
    stage = Stage(database_url, None, built_in("logistic-3"), chance)
    try:
        await stage.load(past=100)
        asked, told = await stage.visible(changes=2)
    finally:
        await stage.db.close()
    for worst in (asked, told):
        assert set(worst) == {"profile", "presence", "rating", "outcome"}
        assert all(0 < seconds < LOST_S for seconds in worst.values())


def test_what_is_measured_alone_shares_no_process_with_what_was_measured_before() -> None:
    assert len({os.getpid(), alone(os.getpid), alone(os.getpid)}) == 3
