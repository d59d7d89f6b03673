"""Questions and matches: what is shown is stored, reproducible, and the same in every process within a second."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text

from core.errors import IllegalMove, Invalid, NotFound
from core.ids import QuestionId, UserId
from matching.consultants import consultant_store
from matching.questions import question_store
from matching.questions.match_views import result_of
from matching.ranking.explanation import PRIVATE_FEATURES
from matching.ranking.replay import replayed
from signaling.events import PresenceChanged
from tests.integration.matching import past
from tests.integration.matching.conftest import BUILT_IN, Market
from tests.integration.matching.past import Asked

KUBERNETES = "My k8s pods keep restarting"


async def shown(market: Market, customer: UserId, question: QuestionId, limit: int = 5) -> dict[str, Any]:
    async with market.db.begin() as tx:
        return await market.ranking.for_question(tx, customer, question, limit=limit)


def who(matches: list[dict[str, Any]]) -> list[UUID]:
    return [match["consultant"]["user_id"] for match in matches]


async def test_top_five_then_alternatives_that_exclude_them(market: Market) -> None:
    for n in range(12):
        await market.consultant("Kubernetes" if n % 2 else "Cats")
    away = await market.consultant("Kubernetes", status="away")
    customer = await market.customer()
    question = await market.question(customer, KUBERNETES)
    answer = await shown(market, customer, question)
    assert len(answer["matches"]) == len(answer["alternatives"]) == 5
    assert not set(who(answer["matches"])) & set(who(answer["alternatives"]))
    assert away not in who(answer["matches"])
    few = await shown(market, customer, question, limit=2)
    assert who(few["matches"]) == who(answer["matches"])[:2]


async def test_a_busy_consultant_is_an_alternative_never_a_match(market: Market) -> None:
    away = await market.consultant("Kubernetes", tags=("kubernetes",), status="in_meeting")
    cats = await market.consultant("Cats")
    customer = await market.customer()
    answer = await shown(market, customer, await market.question(customer, KUBERNETES))
    assert (who(answer["matches"]), who(answer["alternatives"])) == ([cats], [away])


async def test_a_preview_needs_no_account_and_stores_nothing(market: Market) -> None:
    anna = await market.consultant("Kubernetes", tags=("kubernetes",))
    async with market.db.begin() as tx:
        answer = await market.ranking.preview(tx, title=KUBERNETES, details="", language="en")
        assert who(answer["matches"]) == [anna]
        assert await tx.session.scalar(text("SELECT count(*) FROM question_match")) == 0


async def test_a_question_keeps_so_many_lists_and_every_ring(market: Market) -> None:
    question = await market.question(await market.customer(), KUBERNETES)

    async def keep(purpose: str, n: int) -> int:
        async with market.db.begin() as tx:
            return await question_store.keep_match(
                tx, question=question, purpose=purpose, model_version="one", inputs={"n": n}, results=[]
            )

    looked_at = [await keep("shown", n) for n in range(question_store.MOST_SHOWN + 3)]
    assert len(set(looked_at)) == question_store.MOST_SHOWN
    assert looked_at[-3:] == [looked_at[question_store.MOST_SHOWN - 1]] * 3
    assert await keep("ring", 1) != await keep("ring", 2)


async def test_a_score_can_be_computed_again_from_what_was_stored(market: Market) -> None:
    for n in range(8):
        await market.consultant(f"Kubernetes {'pods ' * n}", tags=("kubernetes",) if n % 2 else ())
    customer = await market.customer()
    question = await market.question(customer, KUBERNETES)
    await shown(market, customer, question)
    await shown(market, customer, question)  # a reload
    async with market.db.begin() as tx:
        [stored] = await question_store.matches_of(tx, question)
    assert stored.model_version == BUILT_IN.version
    again = replayed(stored.model_version, stored.inputs, stored.results, {BUILT_IN.version: BUILT_IN})
    assert [result_of(one) for one in again] == stored.results


async def test_what_somebody_answered_before_is_named_and_the_score_can_be_worked_out_from_the_answer(
    market: Market,
) -> None:
    anna, ben = await market.consultant("Advice"), await market.consultant("Advice")
    now = market.clock.now()
    before = [
        Asked(now - timedelta(days=5 * n), [{}], people=[anna], text="Why do k8s pods keep restarting?", stars=None)
        for n in range(1, 13)
    ]
    await past.write(market.db, before)
    customer = await market.customer()
    answer = await shown(market, customer, await market.question(customer, KUBERNETES))
    assert who(answer["matches"]) == [anna, ben]
    first, second = answer["matches"]
    assert {"code": "answered_similar", "params": {"count": 12}} in first["reasons"]
    assert {"code": "answered_lately", "params": {"count": 6, "days": 30}} in first["reasons"]
    assert "nothing_in_common" not in {each["code"] for each in first["concerns"]}
    assert "nothing_in_common" in {each["code"] for each in second["concerns"]}
    assert not {"answered_similar", "answered_lately"} & {each["code"] for each in second["reasons"]}
    for match in answer["matches"]:
        assert sum(map(worked_out, match["factors"])) == match["score_centi"]
        told = {each["name"] for factor in match["factors"] if factor["sum"] for each in factor["sum"]["weighed"]}
        assert "record" in told
        assert not told & PRIVATE_FEATURES, "when somebody works is theirs"
    delivered = [factor["contribution_centi"] for match in answer["matches"] for factor in match["factors"]][7::8]
    assert delivered[0] > delivered[1], "the memory counts"


def worked_out(factor: dict[str, Any]) -> int:
    """A factor's contribution, from nothing but what stands beside it."""
    if factor["sum"] is None:
        return int(factor["value"] * factor["weight"])
    total = 0.0
    for each in factor["sum"]["weighed"]:
        total += each["value"] * each["weight"]
    points = round((total - factor["sum"]["low"]) * factor["sum"]["scale"])
    return min(max(points, 0), 100 * factor["weight"])


async def test_several_processes_agree(market: Market) -> None:
    twin = market.twin()
    crowd = [await market.consultant(f"Kubernetes {'pods ' * (n % 3)}") for n in range(12)]
    customer = await market.customer()
    question = await market.question(customer, KUBERNETES)
    assert await shown(market, customer, question) == await shown(twin, customer, question)
    await twin.presence(crowd[0], "offline")
    await market.presence(crowd[1], "away")
    assert await shown(market, customer, question) == await shown(twin, customer, question)
    late = market.twin()
    assert await shown(late, customer, question) == await shown(market, customer, question)


async def test_a_change_that_is_rolled_back_is_never_learned(market: Market) -> None:
    anna = await market.consultant("Kubernetes")
    customer = await market.customer()
    question = await market.question(customer, KUBERNETES)

    async def change_and_fail() -> None:
        async with market.db.begin() as tx:
            await market.consultants.on_presence(tx, PresenceChanged(user_id=anna, status="offline"))
            await market.consultants.refresh(tx)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change_and_fail()
    assert who((await shown(market, customer, question))["matches"]) == [anna]


async def test_a_commit_that_overtakes_an_older_transaction_hides_nothing(market: Market) -> None:
    anna, ben = await market.consultant("Kubernetes"), await market.consultant("Kubernetes")
    customer = await market.customer()
    question = await market.question(customer, KUBERNETES)
    async with market.db.begin() as slow:
        await market.consultants.on_presence(slow, PresenceChanged(user_id=anna, status="offline"))
        await market.presence(ben, "offline")  # begins later, commits first
        assert who((await shown(market, customer, question))["matches"]) == [anna]
    assert who((await shown(market, customer, question))["matches"]) == []


async def test_a_change_of_presence_is_notified(market: Market, database_url: str) -> None:
    anna = await market.consultant()
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listener:
        await listener.execute("LISTEN consultant")
        await market.presence(anna, "away")
        async with asyncio.timeout(20):
            notice = await anext(listener.notifies())
    assert notice.payload == str(anna)


async def test_three_slow_answers_lower_the_availability_factor(market: Market) -> None:
    anna = await market.consultant("Kubernetes")
    customer = await market.customer()
    question = await market.question(customer, KUBERNETES)

    async def availability() -> int:
        [match] = (await shown(market, customer, question))["matches"]
        return next(part["value"] for part in match["factors"] if part["factor"] == "availability")

    seen = [await availability()]
    async with market.db.begin() as tx:
        await consultant_store.answered(tx, anna, 2_000, accepted=True)
    seen.append(await availability())
    for _ in range(3):
        async with market.db.begin() as tx:
            await consultant_store.answered(tx, anna, 19_000, accepted=True)
    seen.append(await availability())
    assert seen[1] > seen[0] > seen[2]


async def test_tags_are_read_out_of_the_question_unless_given(market: Market) -> None:
    await market.consultant(tags=("Opera Singing",))
    customer = await market.customer()
    async with market.db.begin() as tx:
        read = await market.questions.post(
            tx, customer, title="Where can I learn opera singing with Docker?", details="", language="en"
        )
        assert read.tags == ["opera singing", "docker"]
        given = await market.questions.post(
            tx, customer, title="Where can I learn?", details="", language="en", tags=["  #Chess "]
        )
        assert given.tags == ["chess"]


async def test_a_question_is_its_owners_alone_and_has_limits(market: Market) -> None:
    customer = await market.customer()
    question = await market.question(customer)
    with pytest.raises(NotFound):
        await shown(market, UserId(uuid4()), question)
    for title in ("short", " " * 20, "x" * 141):
        with pytest.raises(Invalid):
            await market.question(customer, title)
    async with market.db.begin() as tx:
        row = await market.questions.edit(tx, customer, question, title="Another question entirely")
        assert row.title == "Another question entirely"
        await market.questions.withdraw(tx, customer, question)
        with pytest.raises(IllegalMove):
            await market.questions.edit(tx, customer, question, title="Too late for this one")


async def test_the_directory_finds_by_text_and_by_presence(market: Market) -> None:
    anna = await market.consultant("Kubernetes operations")
    ben = await market.consultant("Cats", status="offline")
    async with market.db.begin() as tx:
        assert [card["user_id"] for card in (await market.consultants.search(tx, text="kubernetes"))[0]] == [anna]
        everybody, more = await market.consultants.search(tx, limit=1)
        assert ([card["user_id"] for card in everybody], more) == ([anna], True)
        assert [card["user_id"] for card in (await market.consultants.search(tx, online=True))[0]] == [anna]
        assert [card["user_id"] for card in (await market.consultants.search(tx, text="cat"))[0]] == [ben]
        assert await market.consultants.online_count(tx) == 1
