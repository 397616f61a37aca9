"""Results of a survey in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chengmai.assess.surveys.estimates import Estimate
from chengmai.assess.surveys.results import QuestionResult
from chengmai.web.cockpit.formats import NO_VALUE, Formats


@dataclass(frozen=True)
class ResultLine:
    """The result of a question or of a stratum of it; `is_hidden` says that too few answered to show it."""

    title: str
    value: str
    ends: str
    n: str
    is_hidden: bool


@dataclass(frozen=True)
class QuestionView:
    line: ResultLine
    indicator: str
    unit: str
    method: str
    population: str
    unsure: int
    doubts: tuple[str, ...]
    given: tuple[tuple[str, int, str], ...]
    strata: tuple[ResultLine, ...]


def question_views(found: Sequence[QuestionResult], formats: Formats) -> list[QuestionView]:
    """Return the results of all questions."""
    return [_question(one, formats) for one in found]


def _question(one: QuestionResult, formats: Formats) -> QuestionView:
    words, share = formats.words, one.question.is_share
    whole = sum(one.given.values())
    options = {option.id: words.pick(option.title) for option in one.question.options}
    people = one.estimate.population if one.estimate else None
    return QuestionView(
        line=_line(words.pick(one.question.title), one.estimate, one.n, share=share),
        indicator=one.question.indicator or "",
        unit=words("survey.share") if share else words("survey.mean"),
        method=one.estimate.method if one.estimate else "",
        population=NO_VALUE if people is None else formats.number(people, 0),
        unsure=one.unsure,
        doubts=tuple(words(f"assess.doubt.{doubt}") for doubt in one.doubts),
        given=tuple((options[o], n, f"{n / whole * 100:.1f}%") for o, n in one.given.items()),
        strata=tuple(
            _line(words.pick(part.stratum.title), part.estimate, part.n, share=share)
            for part in one.strata
        ),
    )


def _line(title: str, found: Estimate | None, n: int | None, *, share: bool) -> ResultLine:
    unit = "%" if share else ""
    if found is None:
        return ResultLine(title, NO_VALUE, "", NO_VALUE if n is None else str(n), n != 0)
    return ResultLine(
        title, f"{found.value:.1f}{unit}", f"{found.low:.1f}–{found.high:.1f}{unit}", str(n), False
    )
