"""Shapes shared by several routes: strict input, plain output, lists with a cursor."""

from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from core.money import Currency


class Input(BaseModel):
    """Base of what a client sends: unknown fields are refused, with their name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Output(BaseModel):
    """Base of what we answer; read from objects as well as from values."""

    model_config = ConfigDict(from_attributes=True, frozen=True, json_schema_serialization_defaults_required=True)


class Empty(Input):
    """A command that needs nothing but its address."""


Utc = Annotated[datetime, AfterValidator(lambda at: at.astimezone(UTC))]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2200, 1, 1))]
Line = Annotated[str, StringConstraints(min_length=1, max_length=140)]
DisplayName = Annotated[str, StringConstraints(min_length=1, max_length=60)]
TimeZone = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class ConsultantCard(Output):
    """A consultant as customers see them; ``rating`` is None before the first one."""

    user_id: UUID
    display_name: str
    headline: str
    biography: str
    tags: list[str]
    languages: list[str]
    time_zone: str
    rate_minor_per_hour: int
    currency: Currency
    rating: float | None
    rating_count: int
    response_s: int | None
    status: str
