"""The oracle: what must have come of a call, from its script and the product rules alone (decisions.md 1 to 5).

It shares nothing with billing. A new kind of step brings one more rule here: a function that says what is wrong.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from tests.simulation import later_oracle
from tests.simulation.evidence import Found, Row, Story
from tests.simulation.later_oracle import half_up
from tests.simulation.script import (
    CURRENCIES,
    FIXED,
    LATE_S,
    SECURE,
    THRESHOLD_S,
    TICKS,
    WILLING,
    Call,
    Extend,
)
from tests.simulation.trouble import Trouble

_COMMISSION = Fraction(15, 100)
_HOUR_MS = 3_600_000
_THRESHOLD_MS = THRESHOLD_S * 1_000
_WINDOW = timedelta(minutes=10)
_LATE_MS = LATE_S * 1_000
_WRITTEN_MS = 1_100  # what was seen is written each second: so much more of a call may have passed
_ENDS = {"captured", "released", "abandoned", "uncollectable"}

Rule = Callable[[Call, Trouble, Story, Found], Iterator[str]]


def connected_ms(call: Call, ended_tick: int) -> int:
    """The time both sides were there and no pause was agreed, until the end; each stretch in whole milliseconds."""
    stretches = [
        (max(a, c), min(b, d, ended_tick)) for a, b in call.presence["customer"] for c, d in call.presence["consultant"]
    ]
    for begin, end in call.pauses:
        stretches = [
            piece for a, b in stretches for piece in ((a, min(b, begin)), (max(a, end), b)) if piece[0] < piece[1]
        ]
    return sum((b - a) * 1_000 // TICKS for a, b in stretches if a < b)


def seen_ms(story: Story) -> int:
    """The connected time of a call and of those that went on with it."""
    return sum(connected_ms(part.script, part.ended_tick) for part in story.parts if part.ended_tick is not None)


def seen_by(story: Story, at: datetime) -> int:
    """The same up to a moment."""
    found = 0
    for part in story.parts:
        if part.media_at is not None and part.ended_tick is not None:
            ticks = (at - part.media_at) // timedelta(microseconds=1) * TICKS // 1_000_000
            found += connected_ms(part.script, max(0, min(ticks, part.ended_tick)))
    return found


def cap_end_ms(charge: Row) -> int:
    """The connected time the cap pays for."""
    paid_ms: int = charge["cap_minor"] * _HOUR_MS // charge["rate_minor_per_hour"]
    return paid_ms + _THRESHOLD_MS if charge["policy"] == "after_threshold" else max(paid_ms, _THRESHOLD_MS)


def _enough_ms(found: Found) -> int:
    """From where on nobody comes back: the cap is used up, or the threshold reached without the late hold."""
    unsecured = found.charge["late_hold_ms"] is not None and _stood(found) is None
    return _THRESHOLD_MS if unsecured else cap_end_ms(found.charge)


def waits_until(story: Story, found: Found) -> datetime | None:
    """Until when both may come back after the last call; None when nobody may (decisions 2)."""
    until: datetime | None = None
    for part in story.parts:
        if part.ended_because == "connection_lost" and part.ended_at is not None:
            until = part.ended_at + _WINDOW
        elif part.ended_because != "no_show":
            until = None
    if until is None or story.lapsed or seen_ms(story) >= _enough_ms(found):
        return None
    given_up = story.parts[-1].given_up_at
    return until if given_up is None else min(until, given_up)


def due_minor(call: Call, connected: int, cap_minor: int) -> int:
    """What this much connected time costs under the rules, at a cap."""
    if connected < _THRESHOLD_MS:
        return 0
    counted = connected - (_THRESHOLD_MS if call.policy == "after_threshold" else 0)
    gross = min(half_up(Fraction(call.rate_minor_per_hour * counted, _HOUR_MS)), cap_minor)
    return gross if gross >= CURRENCIES[call.currency] else 0


def judge(call: Call, trouble: Trouble, story: Story, found: Found) -> list[str]:
    """Everything that is wrong; nothing for a call as it should be."""
    rules = RULES if call.owed else (*RULES, *later_oracle.RULES)
    return [f"{rule.__name__}: {wrong}" for rule in rules for wrong in rule(call, trouble, story, found)]


def it_has_an_end(_call: Call, _trouble: Trouble, _story: Story, found: Found) -> Iterator[str]:
    """Nothing is left open, here or at Stripe."""
    if found.charge["state"] not in _ENDS:
        yield f"the charge is {found.charge['state']}"
    for hold in found.holds:
        if hold["state"] not in {"captured", "released", "declined", "lapsed"}:
            yield f"hold {hold['n']} is {hold['state']}"
    for command in found.commands:
        if command["state"] not in {"done", "refused"} or command["due_at"] is not None:
            yield f"command {command['kind']} is {command['state']}"
    for intent in found.intents:
        if intent["status"] not in {"succeeded", "canceled", "requires_payment_method"}:
            yield f"Stripe still has an intent {intent['status']}"
    if found.unread_events:
        yield f"{found.unread_events} webhooks were never worked off"


def the_hold_stands_as_the_bank_says(call: Call, trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """A good card in good weather stands, a refused one never does; without a hold nobody unknown has media."""
    stood = _stood(found) is not None
    willing = call.card in {*WILLING, SECURE["succeeded"]}
    if stood and not willing:
        yield "a hold stands on a card that was refused"
    if willing and not (stood or call.late or trouble.on_the_money) and call.leaves_after_s is None:
        yield "a good card did not stand"
    if story.ended_tick is not None and not stood and not call.late:
        yield "media without a hold"
    if found.charge["state"] == "abandoned" and found.charge["captured_minor"]:
        yield "an abandoned charge took money"


def a_late_hold_stands_before_the_threshold_or_nothing_is_due(
    call: Call, trouble: Trouble, story: Story, found: Found
) -> Iterator[str]:
    """A trusted customer's hold comes at eight minutes, in time; without it the call ends at ten, not sooner, free."""
    if (found.charge["late_hold_ms"] is not None) != call.late:
        yield f"the hold comes {'at accept' if call.late else 'late'}"
    if not call.late or story.ended_tick is None:
        return
    connected, stood = seen_ms(story), _stood(found)
    if connected < _LATE_MS and (found.holds or found.intents):
        yield f"Stripe was asked, and the call ended after {connected} ms"
    if stood is not None:
        after = seen_by(story, stood["at"])
        if not _LATE_MS <= after < _THRESHOLD_MS + _WRITTEN_MS:
            yield f"the late hold stood after {after} ms"
    room_ms = 30_000 + trouble.media_late_s * 1_000
    unheld = stood is None and not trouble.on_the_money
    if unheld and call.card in WILLING and connected >= _LATE_MS + room_ms:
        yield "a good card did not stand"
    if unheld and connected > _THRESHOLD_MS + room_ms:
        yield f"went on without a hold for {connected} ms"
    if story.parts[-1].ended_because == "hold_missed" and (stood is not None or connected < _THRESHOLD_MS):
        yield f"ended without a hold after {connected} ms"


def the_time_is_what_was_seen(_call: Call, _trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """Billed time is observed time, to the millisecond."""
    expected = seen_ms(story)
    counted = sum(interval["duration_ms"] for interval in found.intervals)
    if counted != expected:
        yield f"{counted} ms were noted, {expected} ms were seen"
    if found.charge["connected_ms"] is not None and found.charge["connected_ms"] != expected:
        yield f"{found.charge['connected_ms']} ms are on the bill, {expected} ms were seen"
    if any(interval["open"] for interval in found.intervals):
        yield "an interval is still open"


def the_cap_is_what_was_agreed(call: Call, trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """The cap grows by an extension that the bank granted, once for each, and by nothing else."""
    asked_for = [hold for hold in found.holds if hold["purpose"] == "call"]
    names = {str(hold["id"]) for hold in asked_for}
    reserved = [intent["amount"] for intent in _reserved(found) if intent["metadata"]["hold_id"] in names]
    late = sum(row["to_minor"] - row["from_minor"] for row in found.raises if row["state"] == "late")
    if not call.cap_minor <= found.charge["cap_minor"] <= max(call.cap_minor, sum(reserved) - late):
        yield f"the cap is {found.charge['cap_minor']}, agreed were {call.cap_minor}, Stripe reserved {reserved}"
    clicked = {row["client_key"] for row in (*asked_for[1:], *found.raises)}
    if len(clicked) > story.clicks:
        yield f"{len(clicked)} extensions for {story.clicks} clicks"
    asked = [step for step in call.steps if isinstance(step, Extend)]
    fair = not trouble.on_the_money and len(asked) == 1 and story.clicks == 1
    if fair and (asked[0].card or call.card) in WILLING and found.charge["cap_minor"] == call.cap_minor:
        yield "a good card extended nothing"


def a_raise_is_one_the_bank_offers(call: Call, _trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """Our holds are as large as Stripe's, only a card that offers it is raised, and no more is granted than clicked."""
    held = {intent["metadata"]["hold_id"]: intent["amount"] for intent in _reserved(found)}
    for hold in found.holds:
        amount = held.get(str(hold["id"]), hold["amount_minor"])
        if hold["amount_minor"] != amount:
            yield f"hold {hold['n']} is {hold['amount_minor']}, Stripe's {amount}"
    if found.raises and call.card == FIXED and not any(isinstance(step, Extend) and step.card for step in call.steps):
        yield "a raise on a card that allows none"
    for one in found.raises:
        before = [each for each in found.raises if each["hold_id"] == one["hold_id"] and each["n"] < one["n"]]
        if any(each["state"] != "granted" for each in before):
            yield "a hold that once was not raised is asked again"
        if one["state"] == "asked":
            yield "a raise nobody has answered"
        if one["state"] == "granted" and not story.clicks:
            yield "a raise nobody clicked for"


def the_amount_is_right(call: Call, _trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """Captured is what the rules say for the time seen, or nothing; a bank that lets a hold go can only lower it."""
    captured, charge = found.charge["captured_minor"], found.charge
    unsecured = call.late and _stood(found) is None
    if story.ended_tick is None or charge["state"] == "abandoned" or unsecured:
        expected = 0
    else:
        expected = due_minor(call, seen_ms(story), charge["cap_minor"])
    if captured != expected and not (story.lapsed and captured < expected):
        yield f"{captured} were captured, {expected} were due"
    if captured < expected and not found.cases:
        yield "less than due was captured, and there is no case"
    if captured and charge["state"] == "captured" and captured != charge["gross_minor"]:
        yield f"the bill says {charge['gross_minor']}, captured were {captured}"
    if captured == 0 and charge["state"] == "captured":
        yield "captured nothing"
    held = sum(intent["amount"] for intent in _reserved(found))
    if not captured <= min(charge["cap_minor"], held):
        yield f"{captured} captured, cap {charge['cap_minor']}, held {held}"


def stripe_took_it_once(_call: Call, _trouble: Trouble, _story: Story, found: Found) -> Iterator[str]:
    """One intent a hold, one capture a hold, the same sums on both sides."""
    names = [intent["metadata"]["hold_id"] for intent in found.intents]
    if len(names) != len(set(names)):
        yield "two intents for one hold"
    taken = {intent["id"]: intent["amount_received"] for intent in found.intents if intent["amount_received"]}
    ours = {hold["provider_id"]: hold["captured_minor"] for hold in found.holds if hold["captured_minor"]}
    if taken != ours:
        yield f"Stripe took {taken}, we noted {ours}"
    if sum(taken.values()) != found.charge["captured_minor"]:
        yield f"Stripe took {sum(taken.values())}, the charge says {found.charge['captured_minor']}"
    captures = [one for one in found.stripe_charges if one["captured"]]
    if len(captures) != len(taken):
        yield f"{len(captures)} captures for {len(taken)} holds"


def commission_and_share_are_split(_call: Call, _trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """15 % half up stays with us, the rest is the consultant's, at Stripe as in our figures."""
    captured, charge = found.charge["captured_minor"], found.charge
    commission = half_up(captured * _COMMISSION)
    if not story.lapsed and found.application_fees_minor != commission:
        yield f"Stripe kept {found.application_fees_minor} for us, {commission} is the commission"
    if found.consultant_net_minor != captured - found.application_fees_minor:
        yield f"the consultant got {found.consultant_net_minor} of {captured}"
    if charge["gross_minor"] is not None and charge["commission_minor"] + charge["net_minor"] != charge["gross_minor"]:
        yield "commission and share do not make the gross"


def the_books_are_stripes(call: Call, _trouble: Trouble, _story: Story, found: Found) -> Iterator[str]:
    """Every account to the cent: what is owed is what a bank or a dispute left, and clearing is Stripe's balance."""
    books, expected = found.books, later_oracle.books(found)
    if call.owed:
        expected["platform:credits"] = sum(one["amount"] for one in found.later.stripe_refunds)
    for account in sorted(expected | books):
        if books.get(account, 0) != expected.get(account, 0):
            yield f"{account} holds {books.get(account, 0)}, should hold {expected.get(account, 0)}"


def a_credit_is_given_back_once_and_borne_by_the_house(
    call: Call, _trouble: Trouble, _story: Story, found: Found
) -> Iterator[str]:
    """What is owed from before comes back, up to our part of what is captured, and neither side gives of it."""
    charge = found.charge
    expected = min(sum(call.owed), found.application_fees_minor) if charge["state"] == "captured" else 0
    if not call.owed:
        if charge["credited_minor"]:
            yield f"{charge['credited_minor']} credited, and nothing was owed"
        return
    given = sum(one["amount"] for one in found.later.stripe_refunds)
    if (charge["credited_minor"], given) != (expected, expected):
        yield f"{charge['credited_minor']} credited, Stripe gave {given} back, {expected} were to be"
    if charge["refunded_minor"] or any(one["transfer_reversal"] for one in found.later.stripe_refunds):
        yield "the consultant gave something back"
    for kind in ("credit_set", "credit_issued"):
        told = sum(event["details"].get("amount_minor", 0) for event in found.timeline if event["kind"] == kind)
        told += sum(event["details"].get("gross_minor", 0) for event in found.timeline if event["kind"] == kind)
        if told != expected:
            yield f"{kind} is told of {told}"


def nothing_is_unexplained(_call: Call, _trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """No case where nothing happened that a person must look at."""
    allowed = {"uncollectable", "holds_do_not_cover"} if story.lapsed else set()
    allowed |= later_oracle.explained_cases(story, found)
    for case in found.cases:
        if case["kind"] not in allowed:
            yield f"case {case['kind']} {case['details']}"
    if found.charge["state"] == "uncollectable" and not story.lapsed:
        yield "uncollectable, though every hold stood"


def it_is_told_once(_call: Call, _trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """The evidence has every fact once; a mark comes again only after an interval whose end took time back.

    (The meter goes by the clock until an absence is noticed: a mark in those seconds is passed again later.)
    """
    kinds = [event["kind"] for event in found.timeline]
    if kinds.count("call_ended") > len(story.parts) or kinds.count("call_continued") != len(story.parts) - 1:
        yield f"{len(story.parts)} calls, {kinds.count('call_ended')} ends, {kinds.count('call_continued')} goings on"
    for kind in ("price_agreed", "settled", "captured", "released", "abandoned", "uncollectable"):
        if kinds.count(kind) > 1:
            yield f"{kind} is told {kinds.count(kind)} times"
    for kind in ("threshold_in_2_min", "threshold_in_30_s", "threshold_passed", "hold_due", "hold_missed"):
        told = [position for position, other in enumerate(kinds) if other == kind]
        for first, second in pairwise(told):
            if "interval_closed" not in kinds[first:second]:
                yield f"{kind} is told again, and no time was taken back"
    raised = [str(event["details"]) for event in found.timeline if event["kind"] == "hold_raised"]
    if len(raised) != len(set(raised)):
        yield "a raise is told twice"
    for kind in ("hold_placed", "hold_captured", "hold_released", "authentication_needed"):
        told = [event["details"]["n"] for event in found.timeline if event["kind"] == kind]
        if len(told) != len(set(told)):
            yield f"{kind} is told twice for a hold"


def the_cap_ends_no_call_early(_call: Call, trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """A call that ended at its cap had used it up; a few seconds are the time in which an absence is noticed."""
    if story.parts[-1].ended_because != "cap_reached" or found.charge["connected_ms"] is None:
        return
    end = cap_end_ms(found.charge)
    blind_ms = 4_000 + trouble.media_late_s * 1_000 + trouble.crashes * (trouble.down_s * 1_000 + 4_000)
    if found.charge["connected_ms"] < end - blind_ms:
        yield f"ended at the cap after {found.charge['connected_ms']} of {end} ms"


def nothing_is_taken_while_the_bill_may_be_looked_at(
    call: Call, _trouble: Trouble, _story: Story, found: Found
) -> Iterator[str]:
    """The window that was agreed lies between the end and the capture; a bill is waived by no one but a person."""
    if found.charge["review_window_s"] != call.review_s:
        yield f"the window is {found.charge['review_window_s']} s"
    ends = [event["at"] for event in found.timeline if event["kind"] == "call_ended"]
    for event in found.timeline:
        if event["kind"] == "hold_captured" and event["at"] < ends[-1] + timedelta(seconds=call.review_s):
            yield f"captured {event['at'] - ends[-1]} after the end"
    if found.charge["waived"]:
        yield "the bill was waived"


def it_is_settled_in_a_minute(call: Call, trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """Without trouble, money is taken or released within 60 s of the end; what a bank let go is collected for days.

    The end of a lost call is when nobody may come back any more. What may be looked at first is taken within 60 s of
    that.
    """
    closed_at = story.parts[-1].closed_at
    if trouble.on_the_money or story.lapsed or closed_at is None or found.charge["settled_at"] is None:
        return
    late = found.charge["settled_at"] - max(closed_at, waits_until(story, found) or closed_at)
    window = call.review_s if found.charge["gross_minor"] else 0
    if late > timedelta(seconds=60 + window):
        yield f"settled {late} after the end"


def a_lost_call_waits_for_both(_call: Call, _trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """For ten minutes, or until a side is done; who comes back by then is let in, and nobody afterwards."""
    until, settling_at = waits_until(story, found), found.charge["settling_at"]
    if until is not None and settling_at is not None and settling_at < until:
        yield f"settled at {settling_at}, both could come back until {until}"
    since: datetime | None = None
    talked, enough_ms = 0, _enough_ms(found)
    for part, following in zip(story.parts, [*story.parts[1:], None], strict=True):
        talked += 0 if part.ended_tick is None else connected_ms(part.script, part.ended_tick)
        since = part.ended_at if part.ended_because == "connection_lost" else since
        if following is not None and (
            since is None or following.began_at is None or following.began_at - since >= _WINDOW
        ):
            yield f"somebody came back at {following.began_at} to what was lost at {since}"
        for at, why in part.refusals:
            over = since is None or at - since >= _WINDOW or part.given_up_at is not None
            closing = why == "closing" and (part.closed_at is None or at <= part.closed_at)
            if not (over or closing or story.lapsed or talked >= enough_ms):
                yield f"somebody was refused at {at} ({why}), lost at {since}"


def _stood(found: Found) -> Row | None:
    """The evidence that the first hold stood."""
    told = (event for event in found.timeline if event["kind"] == "hold_placed" and event["details"]["n"] == 1)
    return next(told, None)


def _reserved(found: Found) -> list[Row]:
    """The intents the bank granted, in the order of our holds."""
    granted = {one["payment_intent"] for one in found.stripe_charges if one["status"] == "succeeded"}
    order = {str(hold["id"]): hold["n"] for hold in found.holds}
    intents = [intent for intent in found.intents if intent["id"] in granted]
    return sorted(intents, key=lambda intent: order.get(intent["metadata"]["hold_id"], 0))


RULES: tuple[Rule, ...] = (
    it_has_an_end,
    the_hold_stands_as_the_bank_says,
    a_late_hold_stands_before_the_threshold_or_nothing_is_due,
    the_time_is_what_was_seen,
    the_cap_is_what_was_agreed,
    a_raise_is_one_the_bank_offers,
    the_amount_is_right,
    stripe_took_it_once,
    commission_and_share_are_split,
    the_books_are_stripes,
    a_credit_is_given_back_once_and_borne_by_the_house,
    nothing_is_unexplained,
    it_is_told_once,
    the_cap_ends_no_call_early,
    nothing_is_taken_while_the_bill_may_be_looked_at,
    it_is_settled_in_a_minute,
    a_lost_call_waits_for_both,
)
