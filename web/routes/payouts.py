"""Payouts: by line for finance and for the consultant, their schedule, and accounts held back."""

from typing import Annotated, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field

from billing.charges.command import State
from billing.payouts.models import PayoutLineRow, PayoutRequestRow, PayoutRow
from billing.payouts.schedule import chosen
from billing.payouts.service import PIECE, PayoutAccountState
from billing.payouts.sheet import header, sheet
from billing.payouts.store import payout_id as known_id
from core.db import Tx
from core.errors import NotFound
from core.ids import UserId
from core.money import Currency
from web.routes.finance import READERS, attachment
from web.routing import Access, Call, route
from web.schemas import Empty, Input, Output, Utc


class ScheduleOut(Output):
    """When an account is paid out."""

    interval: Literal["manual", "daily", "weekly", "monthly"]
    weekly_anchor: str | None
    monthly_anchor: int | None
    delay_days: int | None


class ScheduleIn(Input):
    """When you want to be paid: weekly on a weekday, monthly on a day, or only when you ask (manual)."""

    interval: Literal["manual", "weekly", "monthly"]
    weekly_anchor: Literal["monday", "tuesday", "wednesday", "thursday", "friday"] | None = None
    monthly_anchor: Annotated[int, Field(ge=1, le=28)] | None = None
    delay_days: Annotated[int, Field(ge=0, le=31)] = 14


class BalanceOut(Output):
    """What lies on an account; negative is carried into the next payouts."""

    currency: Currency
    amount_minor: int


class PayoutOut(Output):
    """A payout; ``lines_minor`` is the sum of its lines, its amount; null where it was asked for: it has none."""

    id: str
    consultant_name: str
    amount_minor: int
    currency: Currency
    status: str
    created_at: Utc
    arrives_at: Utc | None
    failure_code: str | None
    failure_message: str | None
    lines_minor: int | None


class PayoutsQuery(Input):
    """``cursor`` is what the page before gave as ``next_cursor``."""

    cursor: Annotated[str, Field(max_length=200)] | None = None


class PayoutsOut(Output):
    """A page of payouts, newest first."""

    items: list[PayoutOut]
    next_cursor: str | None


class PayoutLineOut(Output):
    """One movement inside a payout, and the call it came from."""

    id: str
    kind: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    charge_id: UUID | None
    call_id: UUID | None
    reference: str | None
    created_at: Utc


class PayoutDetailOut(Output):
    """A payout with every line."""

    payout: PayoutOut
    lines: list[PayoutLineOut]


class AccountOut(Output):
    """A consultant's account, as finance sees it."""

    consultant_id: UUID
    consultant_name: str
    account_id: str | None
    country: str | None
    can_receive: bool
    payouts_enabled: bool
    schedule: ScheduleOut | None
    wanted_schedule: ScheduleOut
    requirements_due: list[str]
    disabled_reason: str | None
    held_reason: str | None
    held_at: Utc | None
    balances: list[BalanceOut]
    release_asked: bool


class AccountsOut(Output):
    """Every account, held ones first."""

    items: list[AccountOut]


class AskedOut(Output):
    """A payout you asked for: on its way to Stripe, or refused there, then with its ``code``."""

    amount_minor: int
    currency: Currency
    asked_at: Utc
    refused: bool
    code: str | None


class AskedAllOut(Output):
    """What was asked for: a payout a currency."""

    items: list[AskedOut]


class OwnPayoutsOut(Output):
    """A page of what you were paid, newest first; what lies there, and when the next payout comes."""

    items: list[PayoutOut]
    next_cursor: str | None
    asked: list[AskedOut]
    balances: list[BalanceOut]
    schedule: ScheduleOut
    held_reason: str | None
    country: str | None
    payouts_enabled: bool
    requirements_due: list[str]


class HoldIn(Input):
    """Why this account is not paid out; the consultant reads it."""

    reason: Annotated[str, Field(min_length=3, max_length=500)]


class ReleaseIn(Input):
    """Why it may be paid out again."""

    note: Annotated[str, Field(min_length=3, max_length=500)]


class ReleasedOut(Output):
    """Whether it was released, or a second person was asked."""

    released: bool


@route("GET", "/api/finance/payouts", access=READERS, query=PayoutsQuery, reply=PayoutsOut)
async def get_payouts(call: Call) -> PayoutsOut:
    """The payouts of all consultants, newest first."""
    query: PayoutsQuery = call.query
    async with call.house.db.begin() as tx:
        rows, following = await call.house.payouts.listed(tx, cursor=query.cursor)
        return PayoutsOut(items=await _payouts(call, tx, rows), next_cursor=following)


@route("GET", "/api/finance/payouts.csv", access=READERS, media_type="text/csv")
async def get_payouts_csv(call: Call) -> web.StreamResponse:
    """The same list as CSV, whole and streamed, safe to open in a spreadsheet."""
    async with call.house.db.begin() as tx:
        call.house.finance.exported(tx, call.user, "payouts.csv", {})
    return await _csv(call, None)


@route("GET", "/api/finance/payouts/{payout_id}", access=READERS, reply=PayoutDetailOut)
async def get_payout(call: Call) -> PayoutDetailOut:
    """One payout, line by line."""
    async with call.house.db.begin() as tx:
        return await _detail(call, tx, None)


@route("GET", "/api/finance/payout-accounts", access=READERS, reply=AccountsOut)
async def get_payout_accounts(call: Call) -> AccountsOut:
    """Every consultant's account: balance, schedule, what Stripe wants to know, and what is held."""
    async with call.house.db.begin() as tx:
        states = await call.house.payouts.states(tx)
        names = await call.house.profiles.names(tx, [UserId(state.consultant_id) for state in states])
    return AccountsOut(items=[_account(state, names.get(UserId(state.consultant_id), "")) for state in states])


@route("POST", "/api/finance/payout-accounts/{user_id}/hold", access=Access.FINANCE, body=HoldIn)
async def post_hold(call: Call) -> None:
    """Pay this consultant out no more until somebody releases the account."""
    body: HoldIn = call.body
    async with call.house.db.begin() as tx:
        await call.house.payouts.hold(tx, call.id("user_id"), body.reason, call.user)


@route(
    "POST", "/api/finance/payout-accounts/{user_id}/release", access=Access.FINANCE, body=ReleaseIn, reply=ReleasedOut
)
async def post_release(call: Call) -> ReleasedOut:
    """Let it be paid out again; above the limit a second person is asked."""
    body: ReleaseIn = call.body
    async with call.house.db.begin() as tx:
        return ReleasedOut(released=await call.house.payouts.release(tx, call.id("user_id"), call.user, body.note))


@route("GET", "/api/consultant/payouts", access=Access.CONSULTANT, query=PayoutsQuery, reply=OwnPayoutsOut)
async def get_own_payouts(call: Call) -> OwnPayoutsOut:
    """What you were paid, what lies there, and when it comes."""
    query: PayoutsQuery = call.query
    async with call.house.db.begin() as tx:
        try:
            state = await call.house.payouts.state(tx, call.user)
        except NotFound:
            return OwnPayoutsOut(
                items=[],
                next_cursor=None,
                asked=[],
                balances=[],
                schedule=ScheduleOut(interval="weekly", weekly_anchor="monday", monthly_anchor=None, delay_days=14),
                held_reason=None,
                country=None,
                payouts_enabled=False,
                requirements_due=[],
            )
        rows, following = await call.house.payouts.listed(tx, consultant=call.user, cursor=query.cursor)
        return OwnPayoutsOut(
            items=await _payouts(call, tx, rows),
            next_cursor=following,
            asked=[_asked(row) for row in await call.house.payouts_on_request.latest(tx, call.user)],
            balances=_balances(state),
            schedule=ScheduleOut.model_validate(state.wanted_schedule),
            held_reason=state.held_reason,
            country=state.country,
            payouts_enabled=state.payouts_enabled,
            requirements_due=list(state.requirements.get("due", [])),
        )


@route("POST", "/api/consultant/payouts", access=Access.CONSULTANT, body=Empty, reply=AskedAllOut)
async def post_own_payout(call: Call) -> AskedAllOut:
    """Pay out now what is available; for accounts that nothing leaves by itself."""
    return AskedAllOut(items=[_asked(row) for row in await call.house.payouts_on_request.ask(call.user)])


@route("GET", "/api/consultant/payouts.csv", access=Access.CONSULTANT, media_type="text/csv")
async def get_own_payouts_csv(call: Call) -> web.StreamResponse:
    """All you were paid as CSV, streamed, safe to open in a spreadsheet."""
    return await _csv(call, call.user)


@route("GET", "/api/consultant/payouts/{payout_id}", access=Access.CONSULTANT, reply=PayoutDetailOut, owned="payout")
async def get_own_payout(call: Call) -> PayoutDetailOut:
    """One of your payouts, line by line."""
    async with call.house.db.begin() as tx:
        return await _detail(call, tx, call.user)


@route("PUT", "/api/consultant/payout-schedule", access=Access.CONSULTANT, body=ScheduleIn, reply=ScheduleOut)
async def put_schedule(call: Call) -> ScheduleOut:
    """Choose when you are paid."""
    body: ScheduleIn = call.body
    wanted = chosen(
        body.interval,
        weekly_anchor=body.weekly_anchor,
        monthly_anchor=body.monthly_anchor,
        delay_days=body.delay_days,
    )
    async with call.house.db.begin() as tx:
        await call.house.payouts.choose(tx, call.user, wanted)
    return ScheduleOut.model_validate(wanted.as_json())


async def _csv(call: Call, consultant: UserId | None) -> web.StreamResponse:
    answer = web.StreamResponse(headers=attachment("text/csv; charset=utf-8", "payouts.csv"))
    await answer.prepare(call.request)
    await answer.write(header().encode("utf-8-sig"))  # the mark tells Excel that it is UTF-8
    cursor: str | None = None
    while True:
        async with call.house.db.begin() as tx:
            rows, cursor = await call.house.payouts.listed(tx, consultant=consultant, cursor=cursor, limit=PIECE)
            names = await call.house.profiles.names(tx, {UserId(row.consultant_id) for row in rows})
        await answer.write(sheet(rows, names).encode())  # however slow the reader: no connection waits for them
        if cursor is None:
            break
    await answer.write_eof()
    return answer


async def _detail(call: Call, tx: Tx, consultant: UserId | None) -> PayoutDetailOut:
    try:
        payout_id = known_id(call.path["payout_id"])
    except ValueError:
        raise NotFound from None
    lines = await call.house.payouts.lines(tx, payout_id, consultant=consultant)
    row = await tx.session.get(PayoutRow, payout_id)
    assert row is not None
    [payout] = await _payouts(call, tx, [row])
    calls = await call.house.payouts.calls(tx, lines)
    return PayoutDetailOut(payout=payout, lines=[_line(line, calls) for line in lines])


async def _payouts(call: Call, tx: Tx, rows: list[PayoutRow]) -> list[PayoutOut]:
    names = await call.house.profiles.names(tx, [UserId(row.consultant_id) for row in rows])
    return [
        PayoutOut(
            **{name: getattr(row, name) for name in PayoutOut.model_fields if hasattr(row, name)},
            consultant_name=names.get(UserId(row.consultant_id), ""),
        )
        for row in rows
    ]


def _line(line: PayoutLineRow, calls: dict[UUID, tuple[UUID, str]]) -> PayoutLineOut:
    plain = {name: getattr(line, name) for name in PayoutLineOut.model_fields if hasattr(line, name)}
    call_id, reference = (None, None) if line.charge_id is None else calls[line.charge_id]
    return PayoutLineOut(**plain, call_id=call_id, reference=reference)


def _asked(row: PayoutRequestRow) -> AskedOut:
    return AskedOut(
        amount_minor=row.amount_minor,
        currency=Currency(row.currency),
        asked_at=row.asked_at,
        refused=row.state == State.REFUSED,
        code=(row.outcome or {}).get("code"),
    )


def _balances(state: PayoutAccountState) -> list[BalanceOut]:
    return [BalanceOut(currency=Currency(code), amount_minor=amount) for code, amount in state.balances.items()]


def _account(state: PayoutAccountState, name: str) -> AccountOut:
    return AccountOut(
        consultant_id=state.consultant_id,
        consultant_name=name,
        account_id=state.account_id,
        country=state.country,
        can_receive=state.can_receive,
        payouts_enabled=state.payouts_enabled,
        schedule=None if state.schedule is None else ScheduleOut.model_validate(state.schedule),
        wanted_schedule=ScheduleOut.model_validate(state.wanted_schedule),
        requirements_due=list(state.requirements.get("due", [])),
        disabled_reason=state.requirements.get("disabled_reason"),
        held_reason=state.held_reason,
        held_at=state.held_at,
        balances=_balances(state),
        release_asked=state.release_asked,
    )
