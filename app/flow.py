"""Read this first: what happens when something happened. One table, from a question to a receipt.

A customer posts a question and rings (``matching``); a consultant accepts (``OfferAccepted``); a call opens
(``CallOpened``) and money is held (``HoldPlaced``); media may start, and when both sides are seen the connected
time runs (``IntervalOpened``); it stops with the last packet (``IntervalClosed``). The call ends (``CallEnded``),
the media plane closes its books (``SessionClosed``), and the charge is captured or released (``ChargeSettled``).
Beside all this the outcome is written down, which matching learns from (``house.outcomes``).

Every handler runs in the publisher's own transaction, in the order of the table: either all of it happened or
none of it. Network calls never happen here; what needs one leaves a durable job.
"""

from billing.events import (
    CapReached,
    ChargeRefunded,
    ChargeSettled,
    HoldDeferred,
    HoldFailed,
    HoldPlaced,
    PayoutAccountChanged,
)
from core.events import Flow
from matching.events import OfferAccepted, OfferMissed, PromiseMissed, RequestClosed
from media.events import (
    IntervalClosed,
    IntervalOpened,
    MediaMoved,
    ParticipantSeen,
    ParticipantUnseen,
    SessionClosed,
)
from people.events import AccessRevoked, ConsultantProfileChanged, RatingGiven, UserBlocked
from signaling.events import (
    CallContinued,
    CallEnded,
    CallOpened,
    CallPaused,
    CallResumed,
    CallWentLive,
    PresenceChanged,
)
from web.context import House


def flow(house: House) -> Flow:
    """The table: event → handlers, in order."""
    return {
        # question → ring → accept
        ConsultantProfileChanged: (house.consultants.on_profile_changed,),
        PayoutAccountChanged: (
            house.profiles.on_payout_account_changed,
            house.presence.on_payout_account_changed,
        ),
        PresenceChanged: (house.consultants.on_presence,),
        OfferMissed: (house.presence.on_offer_missed,),
        RequestClosed: (),
        PromiseMissed: (house.credits.on_promise_missed,),  # given back of what is captured later (billing/credits)
        OfferAccepted: (house.outcomes.on_offer_accepted, house.calls.on_offer_accepted),
        # accept → hold → media
        CallOpened: (house.presence.on_call_opened, house.charges.on_call_opened, house.rescues.on_call_opened),
        HoldPlaced: (house.calls.on_hold_placed, house.requests.on_hold_placed),
        HoldDeferred: (house.calls.on_hold_placed,),  # a trusted customer: media first, the hold at 8:00
        HoldFailed: (house.calls.on_hold_failed,),
        # media → connected time → meter
        ParticipantSeen: (house.calls.on_participant_seen, house.meter.on_participant_seen),
        ParticipantUnseen: (house.calls.on_participant_unseen, house.meter.on_participant_unseen),
        IntervalOpened: (house.calls.on_interval_opened, house.meter.on_interval_opened),
        IntervalClosed: (house.calls.on_interval_closed, house.meter.on_interval_closed),
        MediaMoved: (house.calls.on_media_moved,),
        CallWentLive: (house.requests.on_call_went_live, house.outcomes.on_call_went_live),
        CallPaused: (house.sessions.on_call_paused,),
        CallResumed: (house.sessions.on_call_resumed,),
        CapReached: (house.calls.on_cap_reached,),
        # a lost call → both come back to it
        CallContinued: (
            house.requests.on_call_continued,
            house.presence.on_call_opened,
            house.rescues.on_call_continued,
        ),
        # the end → settlement; that of a lost call waits for both
        CallEnded: (
            house.presence.on_call_ended,
            house.requests.on_call_ended,
            house.charges.on_call_ended,
            house.sessions.on_call_ended,
            house.outcomes.on_call_ended,
        ),
        SessionClosed: (house.charges.on_session_closed,),
        ChargeSettled: (house.outcomes.on_charge_settled,),
        ChargeRefunded: (house.outcomes.on_charge_refunded,),
        # persons
        AccessRevoked: (house.calls.on_access_revoked, house.rescues.on_access_revoked),
        RatingGiven: (house.consultants.on_rating, house.outcomes.on_rating),
        UserBlocked: (house.consultants.on_blocked, house.calls.on_user_blocked, house.rescues.on_user_blocked),
    }
