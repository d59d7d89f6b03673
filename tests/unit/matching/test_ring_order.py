"""The ring order: value, bar, draws and the assignment of several who wait."""

from uuid import UUID

from matching.dispatch.ring_order import (
    BAR_GONE_S,
    EXPLORED_CONTACTS,
    Candidate,
    Standing,
    Waiting,
    bar,
    choice,
    delivery,
    draw,
    options,
    p_accept,
    plan,
)

ANNA, BEN, CARLA, DORA = (UUID(int=n) for n in range(1, 5))
FIRST, SECOND = UUID(int=101), UUID(int=102)
VETERAN = Standing(rings=125, accepted=100, contacts=100, successes=75, response_ms=5_000)


def one(user: UUID, fit: float, standing: Standing = VETERAN) -> Candidate:
    return Candidate(user, fit, standing)


def waiting(
    *candidates: Candidate,
    request: UUID = FIRST,
    waited_s: float = 0,
    wanted: int = 1,
    best_fit: float | None = None,
    chosen: UUID | None = None,
) -> Waiting:
    best = max((each.fit for each in candidates), default=0.0) if best_fit is None else best_fit
    return Waiting(request, waited_s, wanted, candidates, best, chosen)


def rung(*asked: Waiting) -> list[list[UUID]]:
    return [[each.user_id for each in chosen] for chosen in plan(asked)]


def test_a_newcomer_starts_at_the_prior_not_at_a_raw_mean() -> None:
    assert p_accept(Standing()) == 0.8
    assert delivery(Standing()) == 0.75
    assert p_accept(Standing(rings=1)) > 0.7, "one miss is not the end"
    assert delivery(Standing(contacts=1, successes=1)) < 0.85, "one success is not perfection"


def test_among_equals_the_one_who_answers_is_rung_first() -> None:
    shy = Standing(rings=100, accepted=60, contacts=60, successes=45, response_ms=5_000)
    assert rung(waiting(one(ANNA, 0.8, shy), one(BEN, 0.8))) == [[BEN]]


def test_a_ring_that_makes_the_customer_wait_costs_value() -> None:
    slow = Standing(rings=125, accepted=100, contacts=100, successes=75, response_ms=18_000)
    asked = waiting(one(ANNA, 0.8, slow), one(BEN, 0.8))
    assert choice(asked, asked.candidates[0]).ring_s > choice(asked, asked.candidates[1]).ring_s
    assert rung(asked) == [[BEN]]


def test_a_draw_is_the_same_wherever_it_is_drawn_and_ends_after_twenty_contacts() -> None:
    new = Standing(contacts=EXPLORED_CONTACTS - 1, successes=10)
    assert draw(FIRST, ANNA, new) == draw(FIRST, ANNA, new)
    assert draw(FIRST, ANNA, new) != draw(SECOND, ANNA, new)
    assert draw(FIRST, ANNA, Standing(contacts=EXPLORED_CONTACTS, successes=10)) is None


def test_newcomers_are_tried_now_and_then_and_not_always() -> None:
    first = sum(
        rung(waiting(one(ANNA, 0.8, Standing()), one(BEN, 0.8), request=UUID(int=n))) == [[ANNA]] for n in range(200)
    )
    assert 60 <= first <= 160


def test_a_poor_fit_is_not_rung_at_once_while_a_good_one_is_about_to_be_free() -> None:
    poor = one(ANNA, 0.3)
    assert rung(waiting(poor, best_fit=0.9)) == [[]]
    assert rung(waiting(poor, best_fit=0.9, waited_s=BAR_GONE_S)) == [[ANNA]]
    assert rung(waiting(poor)) == [[ANNA]], "nobody better is online: no reason to wait"


def test_the_bar_only_ever_sinks_and_is_gone_long_before_the_promise() -> None:
    steps = [bar(second) for second in range(121)]
    assert steps == sorted(steps, reverse=True)
    assert steps[20:] == [0.0] * 101


def test_the_customers_choice_is_rung_first_whatever_the_bar_says() -> None:
    assert rung(waiting(one(ANNA, 0.1), one(BEN, 0.9), chosen=ANNA)) == [[ANNA]]


def test_two_who_wait_are_served_together_for_the_best_of_both() -> None:
    both = [one(ANNA, 0.9), one(BEN, 0.85)]
    only = [one(ANNA, 0.9), one(BEN, 0.56)]
    assert rung(waiting(*both), waiting(*only, request=SECOND)) == [[BEN], [ANNA]]


def test_with_one_free_whoever_waits_longest_is_served() -> None:
    assert rung(waiting(one(ANNA, 0.9), waited_s=5), waiting(one(ANNA, 0.9), request=SECOND, waited_s=60)) == [
        [],
        [ANNA],
    ]


def test_nobody_gets_a_second_ring_before_everybody_has_a_first() -> None:
    two = waiting(one(ANNA, 0.9), one(BEN, 0.8), waited_s=70, wanted=2)
    new = waiting(one(ANNA, 0.9), one(BEN, 0.8), request=SECOND)
    assert [len(chosen) for chosen in rung(two, new)] == [1, 1]


def test_after_a_minute_two_different_ones_ring() -> None:
    [chosen] = rung(waiting(one(ANNA, 0.9), one(BEN, 0.8), one(CARLA, 0.7), waited_s=61, wanted=2))
    assert chosen == [ANNA, BEN]


def test_the_value_is_made_of_the_stored_figures() -> None:
    asked = waiting(one(ANNA, 0.9), one(DORA, 0.8, Standing()))
    for each in options(asked):
        kept = each.figures()
        again = kept["p_accept"] * kept["relative_fit"] * (kept["delivery"] if kept["draw"] is None else kept["draw"])
        assert kept["value"] == again - 0.01 * kept["ring_s"]
