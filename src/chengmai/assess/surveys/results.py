"""From counts to results: estimates with what is said against them, and what stays hidden. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chengmai.assess.surveys.estimates import Counted, Estimate, estimate
from chengmai.assess.surveys.model import EVERYBODY, Question, Stratum, Survey

Counts = Mapping[tuple[str, str, str], int]
"""How often an answer was given, by stratum, question and option."""


@dataclass(frozen=True)
class StratumResult:
    """The result of one stratum; without `n` it is hidden, since too few answered."""

    stratum: Stratum
    n: int | None
    estimate: Estimate | None


@dataclass(frozen=True)
class QuestionResult:
    """The result of a question. Without an estimate nobody answered, or too few to be shown.

    `n` are the answers that count, `unsure` those that do not; `given` says how often each was given and is
    empty where too few answered. `doubts` are of `assess.model.DOUBTS`.
    """

    question: Question
    n: int
    unsure: int
    estimate: Estimate | None
    doubts: tuple[str, ...]
    given: Mapping[str, int]
    strata: tuple[StratumResult, ...]


def results(survey: Survey, counts: Counts) -> tuple[QuestionResult, ...]:
    """Return the results of all questions."""
    return tuple(_result(survey, question, counts) for question in survey.questions)


def hidden(sizes: Sequence[int], smallest: int) -> frozenset[int]:
    """Return which of the groups stay hidden: those below `smallest`, and enough others.

    What one hidden group holds could be worked out from the whole and the others: with any hidden there are at
    least two, and at least `smallest` answers in them. A group that nobody answered from hides nothing.
    """
    out = {index for index, size in enumerate(sizes) if 0 < size < smallest}
    rest = sorted((size, index) for index, size in enumerate(sizes) if size and index not in out)
    while out and rest and (len(out) < 2 or sum(sizes[index] for index in out) < smallest):
        out.add(rest.pop(0)[1])
    return frozenset(out)


def _result(survey: Survey, question: Question, counts: Counts) -> QuestionResult:
    points = question.points()
    ids = survey.stratum_ids()
    given = {
        option.id: sum(counts.get((stratum, question.id, option.id), 0) for stratum in ids)
        for option in question.options
    }
    counted = [_counted(survey, stratum, question, counts) for stratum in ids]
    n, answers = sum(one.n for one in counted), sum(given.values())
    doubts = ["self_selected"] if survey.sampling == "self_selected" else []
    if answers < survey.smallest_cell or n < survey.smallest_cell:
        return QuestionResult(question, n, answers - n, None, (*doubts, "too_small"), {}, ())
    found = estimate(counted, is_share=question.is_share, population=survey.people)
    assert found is not None
    if any(one.n == 0 for one in counted) and _are_weighted(survey):
        doubts.append("strata_missing")
    if n < survey.min_sample:
        doubts.append("too_small")
    if found.width > survey.widest:
        doubts.append("too_wide")
    unsure = sum(count for option, count in given.items() if option not in points)
    strata = _strata(survey, question, counted)
    return QuestionResult(question, n, unsure, found, tuple(doubts), given, strata)


def _are_weighted(survey: Survey) -> bool:
    return any(one.population is not None for one in survey.strata)


def _strata(
    survey: Survey, question: Question, counted: Sequence[Counted]
) -> tuple[StratumResult, ...]:
    out = hidden([one.n for one in counted], survey.smallest_cell)
    return tuple(
        StratumResult(stratum, None, None)
        if index in out
        else StratumResult(stratum, one.n, estimate([one], is_share=question.is_share))
        for index, (stratum, one) in enumerate(zip(survey.strata, counted, strict=False))
    )


def _counted(survey: Survey, stratum: str, question: Question, counts: Counts) -> Counted:
    people = next((one.population for one in survey.strata if one.id == stratum), None)
    if stratum == EVERYBODY and not survey.strata:
        people = survey.population
    made: dict[float, int] = {}
    for option, points in question.points().items():
        number = counts.get((stratum, question.id, option), 0)
        made[points] = made.get(points, 0) + number
    return Counted(people, made)
