"""The forms every file of a pack shares: frozen, unknown keys refused, durations as ISO 8601 text."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from chengmai.kernel.instants import parse_duration
from chengmai.kernel.problems import Problem


class Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_duration(value)
    except Problem as problem:
        raise ValueError(f"{problem.detail}; {problem.fix}") from None


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
