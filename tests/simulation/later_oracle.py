"""The oracle of what comes after a capture: refunds, disputes, payouts, from script and rules alone.

It shares nothing with billing. Rules of one call are in ``RULES`` and judged with the others of ``oracle``.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from tests.simulation.evidence import Account, Found, Played, Row, Story
from tests.simulation.later_script import AGREES, LIMIT_MINOR, NEVER, REFUSES, GiveBack, Keep
from tests.simulation.script import Call
from tests.simulation.trouble import Trouble

_MEANWHILE = timedelta(seconds=60)  # two transactions at once: which of them was first is not told by their clocks
_DECIDED = {"won", "lost", "warning_closed"}
_HAS_THE_MONEY = {"needs_response", "under_review", "lost"}
_ENDED_BADLY = {"rejected", "failed"}


def half_up(value: Fraction) -> int:
    """The nearest whole number, a half upwards."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


# ── what is expected of the books and the cases ──────────────────────────────────────────────────────────────────


def disputed_minor(dispute: Row) -> int:
    """What the bank holds, or has kept, of a dispute."""
    return -sum(line["amount"] for line in dispute["balance_transactions"])


def lost_share_minor(found: Found, dispute: Row) -> int:
    """The consultant's part of what is disputed: pro rata, and never more than refunds have left of it."""
    charge = next(one for one in found.stripe_charges if one["id"] == dispute["charge"])
    captured, fee = charge["amount_captured"], _fee(found, charge)
    gone = sum(
        part["share_minor"] or 0
        for part in found.later.parts
        if part["intent_id"] == charge["payment_intent"] and part["finished_at"] is not None
    )
    share = dispute["amount"] - half_up(Fraction(fee * dispute["amount"], captured))
    return max(0, min(share, captured - fee - gone))


def taken_back_minor(found: Found, dispute: Row) -> int:
    """What of the consultant's share is with us because of this dispute."""
    row = next((str(one["id"]) for one in found.later.disputes if one["provider_id"] == dispute["id"]), "")
    taken = sum(one["amount"] for one in found.later.reversals if one["metadata"].get("dispute_id") == row)
    return taken - sum(one["amount"] for one in found.later.returns if one["metadata"].get("dispute_id") == row)


def books(found: Found) -> dict[str, int]:
    """What each account of a call must hold, from Stripe's own lines and objects."""
    charge, later = found.charge, found.later
    lost = [one for one in later.stripe_disputes if one["status"] == "lost"]
    undecided = [one for one in later.stripe_disputes if one["status"] not in _DECIDED]
    with_us = sum(taken_back_minor(found, one) for one in later.stripe_disputes)
    lost_shares = sum(lost_share_minor(found, one) for one in lost)
    lost_commission = sum(disputed_minor(one) for one in lost) - lost_shares
    kept = found.application_fees_minor - sum(one["amount"] for one in later.fee_refunds) - lost_commission
    theirs = sum(line["net"] for line in later.their_lines)
    return {
        "stripe:clearing": sum(line["net"] for line in later.own_lines),
        "stripe:disputed": sum(disputed_minor(one) for one in undecided),
        "platform:commission": -kept,
        "platform:stripe_fees": sum(line["fee"] for line in later.own_lines),
        f"customer:{charge['customer_id']}:receivable": -_sent_back_minor(later.stripe_refunds),
        f"consultant:{charge['consultant_id']}:payable": lost_shares - with_us,
        f"connected:{charge['consultant_id']}:balance": theirs,
        f"connected:{charge['consultant_id']}:sent": -theirs,
    }


def explained_cases(story: Story, found: Found) -> set[str]:
    """The cases that what was played may open."""
    kinds: set[str] = set()
    if any(played.returned for played in story.later):
        kinds |= {"refund_failed", "credit_exceeds_invoice"}
    taken = [one for one in found.later.stripe_disputes if one["balance_transactions"]]
    if taken:
        kinds |= {"refund_refused", "return_refused"}
        kinds |= {"reverse_refused"} if story.paid_out else set()
    for played in story.later:
        words = [word for _, word in played.said]
        status = next((one["status"] for one in found.later.stripe_disputes if one["id"] == played.provider_id), "")
        if words or status in _DECIDED:  # a full refund ends what the bank only asked
            kinds.add("evidence_refused")
        if ("lost", "won") in pairwise(words):
            kinds.add("invoice_after_appeal")
    return kinds


# ── rules of one call ────────────────────────────────────────────────────────────────────────────────────────────


def what_finance_gave_back_went_back_once(_call: Call, _trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """Each click that was taken is one refund of that amount; above the limit, only after a second person's yes."""
    later = found.later
    asked = {played.key: played for played in story.later if isinstance(played.deed, GiveBack)}
    rows = {row["key"]: row for row in later.refunds}
    for key in rows.keys() - {key for key, played in asked.items() if played.accepted_at is not None}:
        yield f"a refund of {rows[key]['amount_minor']} that nobody was told of"
    for key, played in asked.items():
        row = rows.get(key)
        for at, code in played.refusals:
            if not _stood_in_the_way(story, found, played, at, code):
                yield f"a refund of {played.amount_minor} was refused ({code}), and nothing stood in its way"
        if played.accepted_at is None:
            continue
        if row is None:
            yield f"a refund of {played.amount_minor} was taken on and is not there"
            continue
        if (row["amount_minor"], row["currency"]) != (played.amount_minor, found.charge["currency"]):
            yield f"asked for {played.amount_minor}, the refund is {row['amount_minor']} {row['currency']}"
        yield from _decided(found, played, row)
        yield from _sent(found, played, row)
    ours = {str(part["id"]) for part in later.parts}
    for refund in later.stripe_refunds:
        if refund["metadata"].get("part_id") not in ours:
            yield f"Stripe gave back {refund['amount']} for no refund of ours"


def nothing_goes_back_beyond_the_capture(_call: Call, _trouble: Trouble, _story: Story, found: Found) -> Iterator[str]:
    """Of each capture at most all of it, by refunds and banks together; the bill says how much that was."""
    later = found.later
    given = [one for one in later.stripe_refunds if one["status"] == "succeeded"]
    for charge in found.stripe_charges:
        back = sum(one["amount"] for one in given if one["charge"] == charge["id"])
        lost = [one for one in later.stripe_disputes if one["charge"] == charge["id"] and one["status"] == "lost"]
        back += sum(disputed_minor(one) for one in lost)
        if back > charge["amount_captured"]:
            yield f"{back} went back of {charge['amount_captured']}"
    if found.charge["refunded_minor"] != sum(one["amount"] for one in given):
        yield f"the bill says {found.charge['refunded_minor']}, given back were {sum(one['amount'] for one in given)}"


def the_commission_goes_back_with_it(_call: Call, _trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """Pro rata of each capture, on running totals; the shares are what is left of each part."""
    later = found.later
    returned = any(played.returned for played in story.later)
    for charge in found.stripe_charges:
        if not charge["captured"]:
            continue
        fee = _fee(found, charge)
        names = {one["id"] for one in later.fees if one["originating_transaction"] == charge["id"]}
        back = sum(one["amount"] for one in later.fee_refunds if one["fee"] in names)
        given = sum(one["amount"] for one in later.stripe_refunds if one["charge"] == charge["id"])
        due = half_up(Fraction(fee * given, charge["amount_captured"]))
        if back != due and not returned:
            yield f"{back} of {fee} commission went back for {given} of {charge['amount_captured']}, {due} is due"
        booked = [part for part in later.parts if part["intent_id"] == charge["payment_intent"]]
        if sum(part["commission_minor"] or 0 for part in booked) != back:
            yield f"{back} of the commission went back, we booked {[part['commission_minor'] for part in booked]}"
    for part in later.parts:
        if part["state"] == "done" and part["commission_minor"] + part["share_minor"] != part["amount_minor"]:
            yield "commission and share do not make the part"
    if not returned:
        for row in later.refunds:
            parts = [part for part in later.parts if part["refund_id"] == row["id"]]
            if row["state"] == "done" and sum(part["commission_minor"] for part in parts) != row["commission_minor"]:
                yield f"{row['commission_minor']} of commission were shown before"


def a_dispute_is_followed_to_its_end(_call: Call, _trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """Our row says what the bank says; the share is with whom it belongs to; the evidence went out once."""
    rows = {row["provider_id"]: row for row in found.later.disputes}
    if len(rows) != len(found.later.disputes) or rows.keys() != {one["id"] for one in found.later.stripe_disputes}:
        yield f"{len(found.later.stripe_disputes)} disputes, {len(found.later.disputes)} were heard of"
        return
    refused = any(case["kind"] == "reverse_refused" for case in found.cases)
    for dispute in found.later.stripe_disputes:
        row, status = rows[dispute["id"]], dispute["status"]
        if row["status"] != status or (row["closed_at"] is not None) != (status in _DECIDED):
            yield f"the bank says {status}, we say {row['status']}"
        if row["amount_minor"] != dispute["amount"]:
            yield f"{dispute['amount']} are disputed, we say {row['amount_minor']}"
        fees = sum(line["fee"] for line in dispute["balance_transactions"])
        if (row["withdrawn_minor"], row["fee_minor"]) != (disputed_minor(dispute), fees):
            yield f"the bank holds {disputed_minor(dispute)} and took {fees}, we say {row['withdrawn_minor']}"
        held = status in _HAS_THE_MONEY and disputed_minor(dispute) > 0
        due, there = lost_share_minor(found, dispute) if held else 0, taken_back_minor(found, dispute)
        if there != due and not (refused and there == 0):
            yield f"{there} of the share were taken back ({status}), {due} should be"
        answered = dispute["evidence_details"]["submission_count"]
        played = next(one for one in story.later if one.provider_id == dispute["id"])
        if answered > 1 or (answered and not played.answered):
            yield f"the evidence was handed in {answered} times"
        if played.answered and not answered and status not in _DECIDED:
            yield "the evidence was not handed in"


def the_papers_say_what_went_back(_call: Call, _trouble: Trouble, story: Story, found: Found) -> Iterator[str]:
    """One invoice of what was captured; one credit note for each part that went back, and for each lost dispute."""
    later = found.later
    bills = [row["gross_minor"] for row in later.invoices if row["kind"] == "invoice"]
    if bills != ([found.charge["captured_minor"]] if found.charge["captured_minor"] else []):
        yield f"invoices of {bills}"
    due = {part["id"]: part["amount_minor"] for part in later.parts if part["commission_minor"] is not None}
    for row in later.disputes:
        words = [word for played in story.later if played.provider_id == row["provider_id"] for _, word in played.said]
        if row["status"] == "lost" or "lost" in words[:-1]:
            due[row["id"]] = row["amount_minor"]
    notes = [row for row in later.invoices if row["kind"] == "credit_note"]
    said = {row["refund_id"]: row["gross_minor"] for row in notes}
    heard_late = {row["id"] for row in later.disputes if row["status"] != "lost"}  # an appeal overtook the first word
    exceeds = any(case["kind"] == "credit_exceeds_invoice" for case in found.cases)
    if len(said) != len(notes) or said.keys() - due.keys() or due.keys() - said.keys() - heard_late:
        yield f"{len(notes)} credit notes for {len(due)} things given back"
    elif not exceeds and any(amount != due[name] for name, amount in said.items()):
        yield f"credit notes of {sorted(said.values())}, given back were {sorted(due.values())}"


def what_came_after_is_told_once(_call: Call, _trouble: Trouble, _story: Story, found: Found) -> Iterator[str]:
    """Each fact once in the evidence, one letter for a refund that went out."""
    later = found.later
    kinds = [event["kind"] for event in found.timeline]
    booked = sum(part["commission_minor"] is not None for part in later.parts)
    failed = sum(part["state"] == "failed" for part in later.parts)
    for kind, due in (("refund_requested", len(later.refunds)), ("refunded", booked), ("refund_failed", failed)):
        if kinds.count(kind) != due:
            yield f"{kind} is told {kinds.count(kind)} times, {due} is right"
    for row in later.refunds:
        letters = [mail for mail in later.mails if mail["subject_id"] == str(row["id"])]
        if len(letters) != 1 and row["state"] == "done":
            yield f"{len(letters)} letters about a refund"
        if letters and row["state"] not in {"done", "failed"}:
            yield f"a letter about a refund that is {row['state']}"


RULES = (
    what_finance_gave_back_went_back_once,
    nothing_goes_back_beyond_the_capture,
    the_commission_goes_back_with_it,
    a_dispute_is_followed_to_its_end,
    the_papers_say_what_went_back,
    what_came_after_is_told_once,
)


# ── rules of the account ─────────────────────────────────────────────────────────────────────────────────────────


def judge_account(played: Sequence[Played], account: Account) -> list[str]:
    """Everything that is wrong with the consultant's account, over all calls."""
    rules = (a_payout_is_the_sum_of_its_lines, the_account_is_stripes, it_is_held_as_finance_says, nothing_is_left)
    return [f"{rule.__name__}: {wrong}" for rule in rules for wrong in rule(played, account)]


def a_payout_is_the_sum_of_its_lines(_played: Sequence[Played], account: Account) -> Iterator[str]:
    """Each payout once, as Stripe says it stands; what is inside of it is what it is, each line with its call."""
    rows = {row["id"]: row for row in account.payouts}
    if rows.keys() != {one["id"] for one in account.stripe_payouts}:
        yield f"{len(account.stripe_payouts)} payouts, {len(rows)} were heard of"
        return
    for payout in account.stripe_payouts:
        row = rows[payout["id"]]
        if [row[name] for name in ("amount_minor", "currency", "status")] != [
            payout[name] for name in ("amount", "currency", "status")
        ]:
            yield f"a payout of {payout['amount']} is {payout['status']}, we say {row['amount_minor']} {row['status']}"
        inside = [line for line in account.taken.get(payout["id"], []) if line["source"] != payout["id"]]
        ours = {line["id"]: line for line in account.payout_lines if line["payout_id"] == payout["id"]}
        if ours.keys() != {line["id"] for line in inside}:
            yield f"a payout of {len(inside)} lines, we have {len(ours)}"
            continue
        if inside and not payout["amount"] == sum(line["net"] for line in inside) == row["lines_minor"]:
            yield f"a payout of {payout['amount']} whose lines are {row['lines_minor']}"
        for line in inside:
            mine = ours[line["id"]]
            if mine["net_minor"] != line["net"]:
                yield f"a line of {line['net']} is {mine['net_minor']}"
            if mine["charge_id"] != account.charge_of.get(line["source"]):
                yield f"a line of a payout ({line['type']} {line['net']}) does not name its call"
    failed = sorted(one["id"] for one in account.stripe_payouts if one["status"] in {"failed", "canceled"})
    told = sorted(case["details"].get("payout", "") for case in account.cases if case["kind"] == "payout_failed")
    if failed != told:
        yield f"{len(failed)} payouts came back, {len(told)} cases"


def the_account_is_stripes(_played: Sequence[Played], account: Account) -> Iterator[str]:
    """Balance and what went to the bank, in each currency to the cent; what is missing is carried, never forgotten."""
    codes = {line["currency"] for line in account.lines} | {code for _, code in account.books}
    for code in sorted(codes):
        holds = sum(line["net"] for line in account.lines if line["currency"] == code)
        gone = [one for one in account.stripe_payouts if one["status"] not in {"failed", "canceled"}]
        bank = sum(one["amount"] for one in gone if one["currency"] == code)
        said = {name.rpartition(":")[2]: held for (name, other), held in account.books.items() if other == code}
        expected = {"balance": holds, "bank": bank, "sent": -holds - bank}
        if any(said.get(name, 0) != held for name, held in expected.items()):
            yield f"{code}: the books say {said}, Stripe {expected}"
    for line in account.strange:
        yield f"Stripe moved {line['net']} ({line['type']}) for no call"


def it_is_held_as_finance_says(played: Sequence[Played], account: Account) -> Iterator[str]:
    """A held account is released by nobody alone who may not; Stripe's schedule is the one that is wanted."""
    for keep in (one for one in played if isinstance(one.deed, Keep)):
        asked = account.approvals
        word = keep.deed.second if isinstance(keep.deed, Keep) else ""
        if len(asked) > 1 or (asked and keep.answered):
            yield "a release was asked for, and done"
        agreed = any(row["approved"] for row in asked)
        if agreed and word != AGREES:
            yield "released without a yes"
        held = keep.at is not None and not (keep.answered or agreed)
        if (account.row["held_at"] is not None) != held:
            yield f"the account is {'not ' if held else ''}held"
        wanted = {"interval": "manual"} if held else {"interval": "weekly", "weekly_anchor": "monday", "delay_days": 14}
        schedule = account.stripe["settings"]["payouts"]["schedule"]
        if keep.at is not None and any(schedule.get(name) != value for name, value in wanted.items()):
            yield f"Stripe's schedule is {schedule}"
    told = any(one["status"] == "failed" for one in account.stripe_payouts)
    if told and account.row["payouts_enabled"] != account.stripe["payouts_enabled"]:
        yield f"the account is {'not ' if account.row['payouts_enabled'] else ''}paid out, we say otherwise"


def nothing_is_left(_played: Sequence[Played], account: Account) -> Iterator[str]:
    """No job, nothing that Stripe should still be told, no case nobody can explain."""
    if account.jobs:
        yield f"{account.jobs} jobs are left"
    if account.row["schedule_due_at"] is not None:
        yield "Stripe was never told a schedule"
    for case in account.cases:
        if case["kind"] != "payout_failed":
            yield f"case {case['kind']} {case['details']}"


# ── parts of rules ───────────────────────────────────────────────────────────────────────────────────────────────


def _fee(found: Found, charge: Row) -> int:
    return sum(one["amount"] for one in found.later.fees if one["originating_transaction"] == charge["id"])


def _sent_back_minor(refunds: Iterable[Row]) -> int:
    return sum(one["amount"] for one in refunds if one["status"] == "failed")


def _stood_in_the_way(story: Story, found: Found, played: Played, at: datetime, code: str) -> bool:
    """Whether a refund could be refused for this reason at that moment."""
    later = found.later
    others = [row for row in later.refunds if row["key"] != played.key and row["requested_at"] <= at + _MEANWHILE]
    if code == "refund_too_large":
        gone = sum(row["amount_minor"] for row in others)
        gone += sum(one.amount_minor for one in story.later if any(word == "lost" for _, word in one.said))
        return played.amount_minor > found.charge["captured_minor"] - gone
    if code == "refund_pending":
        return any(row["finished_at"] is None or row["finished_at"] >= at - _MEANWHILE for row in others)
    if code == "disputed":
        return any(
            row["opened_at"] <= at + _MEANWHILE and (row["closed_at"] is None or row["closed_at"] >= at - _MEANWHILE)
            for row in later.disputes
        )
    return False


def _decided(found: Found, played: Played, row: Row) -> Iterator[str]:
    """Four eyes."""
    deed, later = played.deed, found.later
    assert isinstance(deed, GiveBack)
    asked = [one for one in later.approvals if one["subject_id"] == row["id"]]
    counted, unsure = row["amount_minor"], False
    for other in later.refunds:
        if other["id"] == row["id"] or other["requested_at"] > row["requested_at"]:
            continue
        finished = other["finished_at"]
        over = other["state"] in _ENDED_BADLY and finished is not None and finished <= row["requested_at"]
        counted += 0 if over else other["amount_minor"]
        unsure = unsure or (finished is not None and abs(finished - row["requested_at"]) < _MEANWHILE)
    if len(asked) != (counted > LIMIT_MINOR) and not unsure:
        yield f"{counted} in all, and {len(asked)} second persons were asked"
    if not asked:
        return
    [approval] = asked
    if approval["decided_by"] == approval["asked_by"]:
        yield "whoever asked decided"
    said = {True: AGREES, False: REFUSES, None: NEVER}[approval["approved"]]
    if said != deed.second and not (said == NEVER and played.unheard):
        yield f"the second person {deed.second}, written is {said}"
    if row["state"] not in {AGREES: {"done", "failed"}, REFUSES: {"rejected"}, NEVER: {"awaiting"}}[said]:
        yield f"the second person {said}, the refund is {row['state']}"
    if said != AGREES and any(part["refund_id"] == row["id"] for part in later.parts):
        yield "it was sent without a second person"


def _sent(found: Found, played: Played, row: Row) -> Iterator[str]:
    """What Stripe has of a refund's parts."""
    if row["state"] in {"awaiting", "rejected"}:
        return
    later = found.later
    parts = [part for part in later.parts if part["refund_id"] == row["id"]]
    if sum(part["amount_minor"] for part in parts) != row["amount_minor"]:
        yield f"a refund of {row['amount_minor']} has parts of {[part['amount_minor'] for part in parts]}"
    states = {part["state"] for part in parts}
    if row["state"] != ("done" if states == {"done"} else "failed") or not states <= {"done", "failed"}:
        yield f"a refund whose parts are {sorted(states)} is {row['state']}"
    for part in parts:
        made = [one for one in later.stripe_refunds if one["metadata"].get("part_id") == str(part["id"])]
        if len(made) > 1:
            yield f"{part['amount_minor']} were given back {len(made)} times"
        status = made[0]["status"] if made else None
        if part["state"] == "done" and not (
            made and status == "succeeded" and made[0]["amount"] == part["amount_minor"]
        ):
            yield f"a part is done, Stripe says {status}"
        if part["state"] == "failed" and made and not (status == "failed" and made[0]["id"] in played.returned):
            yield f"a part has failed, Stripe says {status}"
        if part["state"] == "failed" and not made and not _bank_had_it(found, part):
            yield f"{part['amount_minor']} were not given back, and no bank had the money"


def _bank_had_it(found: Found, part: Row) -> bool:
    """Whether a dispute kept this capture from being refunded."""
    return any(
        one["payment_intent"] == part["intent_id"] and one["balance_transactions"]
        for one in found.later.stripe_disputes
        if part["finished_at"] is not None and one["created"] <= part["finished_at"].timestamp()
    )
