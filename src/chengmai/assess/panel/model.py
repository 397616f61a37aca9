"""A value where it came from, and what one source says of one place on one day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from chengmai.assess.model import Code, Line, Record
from chengmai.assess.reasons import Said

SHEET_TYPE = "IndicatorSheet"
MOST_IN_SHEET = 500


def _no_truth(value: object) -> object:
    if isinstance(value, bool):
        raise Said("true、false 不是数字", "true and false are no numbers")
    return value


Number = Annotated[
    Annotated[float, Field(ge=-1e300, le=1e300, allow_inf_nan=False)], BeforeValidator(_no_truth)
]


class Told(Record):
    """A value with what it was worked out from."""

    value: Number
    numerator: Number | None = None
    denominator: Number | None = None
    sample: Annotated[int, Field(gt=0, le=2_000_000_000)] | None = None


class Sheet(Record):
    """What one source says of one place on one day: values by indicator, all with the same evidence."""

    id: Code
    place: Code
    on: date
    evidence: Line
    source: Line
    source_date: date
    values: Annotated[dict[Code, Number | Told], Field(min_length=1, max_length=MOST_IN_SHEET)]

    @field_validator("values", mode="after")
    @classmethod
    def _whole(cls, values: dict[str, float | Told]) -> dict[str, float | Told]:
        return dict(sorted(values.items()))


@dataclass(frozen=True, slots=True)
class Ref:
    """The record that a value is of: its entity, and who says so."""

    entity_id: str
    place: str
    evidence: str
    source: str
    source_date: date


@dataclass(frozen=True, slots=True)
class Point:
    """One value with its day and its record; the parts it was worked out from where they are known."""

    place: str
    indicator: str
    on: date
    value: float
    ref: Ref
    numerator: float | None = None
    denominator: float | None = None
    sample: int | None = None

    @property
    def source(self) -> str:
        """Who says so."""
        return self.ref.source

    @property
    def source_date(self) -> date:
        """Of which day the source is."""
        return self.ref.source_date


Parts = tuple[float | None, float | None, int | None]


@dataclass(frozen=True)
class Entry:
    """What a record brings to the columns."""

    ref: Ref
    on: date
    values: Mapping[str, float]
    parts: Mapping[str, Parts]
