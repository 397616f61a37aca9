"""A survey: whom it asks what, and what must be so for its result to count. No personal data anywhere."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from chengmai.assess.model import Code, Line, Named, OptionalCode
from chengmai.assess.reasons import Said, first_wrong, not_json
from chengmai.assess.surveys.problems import SurveyInvalid
from chengmai.kernel.texts import Text

MOST_CHARACTERS = 100_000
Mode = Literal["online", "phone", "street", "post", "panel"]
Sampling = Literal["random", "self_selected"]
People = Annotated[int, Field(gt=0, le=2_000_000_000)]
ShortCode = Annotated[Code, Field(max_length=20)]
TinyCode = Annotated[Code, Field(max_length=8)]
EVERYBODY = "all"
"""The one stratum of a survey without strata."""


class Option(Named):
    """An answer. `points` of 0…100 are what it counts; None is "do not know" and counts nowhere."""

    id: TinyCode
    points: Annotated[float, Field(ge=0, le=100)] | None = None


class Question(Named):
    """A question with one answer. `indicator` is what its result is the value of."""

    id: TinyCode
    options: Annotated[tuple[Option, ...], Field(min_length=2, max_length=11)]
    indicator: OptionalCode = None

    @property
    def is_share(self) -> bool:
        """Whether the result is a share: the only points are 0 and 100."""
        return {one.points for one in self.options} <= {0, 100, None}

    def points(self) -> dict[str, float]:
        """Return the points of the answers that count, by id."""
        return {one.id: one.points for one in self.options if one.points is not None}

    @model_validator(mode="after")
    def _answerable(self) -> Self:
        _once(
            (one.id for one in self.options),
            f"问题 {self.id} 的答案",
            f"question {self.id} has the answer",
        )
        if len(set(self.points().values())) < 2:
            raise Said(
                f"问题 {self.id} 的答案至少要有两种不同的分",
                f"question {self.id} needs answers of at least two different points",
            )
        return self


class Stratum(Named):
    """A part of the population that is counted apart, for example a community."""

    id: ShortCode
    population: People | None = None


class Survey(Named):
    """A survey. `is_open` says that anybody may answer on the public page: then nobody drew a sample."""

    id: ShortCode
    place: Code
    begins: date
    ends: date
    """The last day on which it is answered."""
    mode: Mode
    sampling: Sampling
    is_open: bool = False
    population: People | None = None
    strata: Annotated[tuple[Stratum, ...], Field(max_length=50)] = ()
    questions: Annotated[tuple[Question, ...], Field(min_length=1, max_length=10)]
    min_sample: Annotated[int, Field(ge=2, le=1_000_000)] = 100
    widest: Annotated[float, Field(gt=0, le=50)] = 5
    """Half of the widest interval in points with which a result counts."""
    smallest_cell: Annotated[int, Field(ge=5, le=1000)] = 10
    """Fewer answers than these are not shown apart (k-anonymity, GB/T 37964-2019; unverified)."""
    source: Line

    @property
    def people(self) -> int | None:
        """How many people it speaks of; None where nobody says."""
        known = [one.population for one in self.strata if one.population is not None]
        if self.strata and len(known) == len(self.strata):
            return sum(known)
        return self.population

    def stratum_ids(self) -> list[str]:
        """Return the strata; `all` where there are none."""
        return [one.id for one in self.strata] or [EVERYBODY]

    def is_running(self, day: date) -> bool:
        """Return whether it is answered on a day."""
        return self.begins <= day <= self.ends

    def asks_the_same(self, other: Survey) -> bool:
        """Return whether answers to this survey are answers to `other`."""
        return (
            self.stratum_ids() == other.stratum_ids()
            and [(q.id, [o.id for o in q.options]) for q in self.questions]
            == [(q.id, [o.id for o in q.options]) for q in other.questions]
            and self.is_open == other.is_open
        )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.ends < self.begins:
            raise Said(
                f"{self.id} 的截止日早于起始日",
                f"{self.id} ends before it begins",
            )
        _once((one.id for one in self.questions), "问题", "there is question")
        _once((one.id for one in self.strata), "分层", "there is stratum")
        _once((q.indicator for q in self.questions if q.indicator), "指标", "there is indicator")
        if len(self.strata) == 1:
            raise Said("只有一个分层等于没有：请删去", "one stratum is none: leave it out")
        if self.is_open and (self.mode != "online" or self.sampling != "self_selected"):
            raise Said(
                "公开调查的 mode 是 online、sampling 是 self_selected：谁愿意谁作答",
                "an open survey is online and self_selected: whoever wants to answers it",
            )
        known = [one.population for one in self.strata]
        if any(one is None for one in known) and any(one is not None for one in known):
            raise Said(
                "各分层要么都填人口，要么都不填", "all strata say their population or none does"
            )
        if self.population is not None and self.people != self.population:
            raise Said(
                f"各分层共 {self.people} 人，调查写的是 {self.population} 人",
                f"the strata have {self.people} people, the survey {self.population}",
            )
        return self


def _once(ids: object, zh: str, what: str) -> None:
    seen: set[object] = set()
    for one in ids:  # type: ignore[attr-defined]
        if one in seen:
            raise Said(f"{zh}“{one}”重复", f"{what} {one} twice")
        seen.add(one)


def read_survey(text: str) -> Survey:
    """Return a survey from its JSON package; raises `SurveyInvalid` with what is wrong where."""
    if len(text) > MOST_CHARACTERS:
        why = Text(
            zh=f"超过 {MOST_CHARACTERS} 个字符",
            en=f"it is longer than {MOST_CHARACTERS} characters",
        )
        raise SurveyInvalid(why, "survey")
    try:
        return Survey.model_validate(json.loads(text))
    except ValidationError as error:
        where, why = first_wrong(error)
        raise SurveyInvalid(why, where or "survey") from None
    except (ValueError, RecursionError) as error:
        raise SurveyInvalid(not_json(error), "survey") from None
