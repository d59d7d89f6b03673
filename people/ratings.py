"""Ratings: one to five stars, once per call and side, for calls that are over."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from core.db import Tx
from core.errors import Conflict, Invalid
from core.ids import CallId, UserId, new_id
from people import store
from people.events import RatingGiven
from people.models import Rating
from people.text import clean

MAX_STARS = 5


@dataclass(frozen=True, slots=True)
class RatingSummary:
    """How a person was rated; ``average`` has one decimal and is None before the first rating."""

    count: int
    average: Decimal | None


class AlreadyRated(Conflict):
    """You have already rated this call."""

    code = "already_rated"


class RatingService:
    """Takes ratings. Who took part in which call is ``signaling``'s knowledge: the route brings it."""

    async def give(
        self, tx: Tx, *, call_id: CallId, rater_id: UserId, ratee_id: UserId, stars: int, comment: str = ""
    ) -> None:
        """Store the rating of an ended call; the caller has checked that both took part in it."""
        if not 1 <= stars <= MAX_STARS:
            raise Invalid(f"Give 1 to {MAX_STARS} stars.")
        if rater_id == ratee_id:
            raise Invalid("You cannot rate yourself.")
        rating = Rating(
            id=new_id(),
            call_id=call_id,
            rater_id=rater_id,
            ratee_id=ratee_id,
            stars=stars,
            comment=clean(comment),
            created_at=tx.now,
        )
        if not await store.add_rating(tx, rating):
            raise AlreadyRated
        await tx.publish(RatingGiven(call_id=call_id, rater_id=rater_id, ratee_id=ratee_id, stars=stars))

    async def summary(self, tx: Tx, user: UserId) -> RatingSummary:
        """How often and how well this person was rated."""
        count, stars = await store.rating_totals(tx, user)
        average = (Decimal(stars) / count).quantize(Decimal("0.1"), ROUND_HALF_UP) if count else None
        return RatingSummary(count, average)
