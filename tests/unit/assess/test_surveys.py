"""Surveys: what is no survey, what is said against a result, and what stays hidden."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.assess.surveys.counts import read_counts, write_counts
from chengmai.assess.surveys.model import read_survey
from chengmai.assess.surveys.problems import CountsInvalid, SurveyInvalid
from chengmai.assess.surveys.results import QuestionResult, hidden, results
from tests.unit.assess.surveys import EAST, SCALE, WEST, YES_NO, a_question, a_survey, counts


def result_of(table: str, **survey: Any) -> QuestionResult:
    made = read_survey(a_survey(**survey))
    return results(made, read_counts(made, table))[0]


def test_a_result_says_how_many_answered_and_how_sure_it_is() -> None:
    found = result_of(
        counts(("all", "q1", "yes", 320), ("all", "q1", "no", 80), ("all", "q1", "na", 25))
    )
    assert found.estimate is not None
    assert (found.n, found.unsure, found.estimate.population) == (400, 25, 8000)
    assert (round(found.estimate.low, 2), round(found.estimate.high, 2)) == (75.92, 83.54)
    assert found.doubts == ()


def test_a_small_sample_is_said_to_be_small() -> None:
    found = result_of(counts(("all", "q1", "yes", 40), ("all", "q1", "no", 40)))
    assert found.doubts == ("too_small", "too_wide")
    assert found.estimate is not None


def test_who_chose_to_answer_is_no_sample() -> None:
    table = counts(("all", "q1", "yes", 3000), ("all", "q1", "no", 1000))
    assert result_of(table, sampling="self_selected").doubts == ("self_selected",)


def test_fewer_answers_than_may_be_shown_give_nothing_at_all() -> None:
    found = result_of(counts(("all", "q1", "yes", 5), ("all", "q1", "no", 4)))
    assert (found.estimate, found.given, found.strata) == (None, {}, ())


def test_a_scale_gives_a_mean() -> None:
    table = counts(("all", "q1", "2", 100), ("all", "q1", "5", 100))
    found = result_of(table, questions=[a_question(options=SCALE)])
    assert found.estimate is not None
    assert (found.estimate.value, found.estimate.method) == (62.5, "t")


STRATA = {"strata": [EAST, WEST], "population": None}


def test_strata_are_weighted_and_a_missing_one_is_said() -> None:
    both = [("east", "q1", "yes", 200), ("east", "q1", "no", 200)]
    found = result_of(counts(*both, ("west", "q1", "yes", 100)), **STRATA)
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx(62.5)
    assert [part.n for part in found.strata] == [400, 100]
    assert "strata_missing" in result_of(counts(*both), **STRATA).doubts


def test_a_small_stratum_is_hidden_and_another_with_it() -> None:
    table = counts(("east", "q1", "yes", 400), ("west", "q1", "yes", 5), ("west", "q1", "no", 4))
    found = result_of(table, **STRATA)
    assert [part.n for part in found.strata] == [None, None]
    assert found.estimate is not None


@given(st.lists(st.integers(0, 60), max_size=12), st.integers(5, 30))
def test_what_is_hidden_cannot_be_worked_out_from_the_rest(sizes: list[int], smallest: int) -> None:
    out = hidden(sizes, smallest)
    shown = [size for index, size in enumerate(sizes) if index not in out]
    assert all(size == 0 or size >= smallest for size in shown)
    if out and any(shown):
        assert len(out) >= 2
        assert sum(sizes[index] for index in out) >= smallest


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"ends": "2018-05-01"}, "survey"),
        ({"questions": []}, "questions"),
        ({"questions": [a_question(), a_question()]}, "survey"),
        ({"questions": [a_question(options=YES_NO[1:])]}, "questions.0"),
        ({"questions": [a_question(options=[YES_NO[0], YES_NO[0]])]}, "questions.0"),
        ({"questions": [a_question(options=[*SCALE, {**SCALE[0], "id": "x", "points": 101}])]},
         "questions.0.options.5.points"),
        ({"strata": [EAST]}, "survey"),
        ({"strata": [EAST, WEST]} | {"population": 9000}, "survey"),
        ({"strata": [EAST, {**WEST, "population": None}], "population": None}, "survey"),
        ({"is_open": True}, "survey"),
        ({"smallest_cell": 1}, "smallest_cell"),
        ({"id": "a name with blanks"}, "id"),
        ({"colour": "red"}, "colour"),
    ],
)  # fmt: skip
def test_what_is_no_survey_says_where(wrong: dict[str, Any], where: str) -> None:
    with pytest.raises(SurveyInvalid) as caught:
        read_survey(a_survey(**wrong))
    assert caught.value.param == where


def test_what_is_no_json_is_refused() -> None:
    for text in ("{", "[]", "x" * 200_000, "[" * 50_000):
        with pytest.raises(SurveyInvalid):
            read_survey(text)


HEAD = "stratum,question,option,count\n"


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("", "line 1"),
        ("a,b\n", "line 1"),
        (HEAD, "line 2"),
        (HEAD + "all,q1,yes,1\nall,q1,maybe,1\n", "line 3"),
        (HEAD + "all,q1,yes,1\nall,q1,yes,1\n", "line 3"),
        (HEAD + "all,q1,yes,-1\n", "line 2"),
        (HEAD + "all,q1,yes,1.5\n", "line 2"),
        (HEAD + "all,q1,yes\n", "line 2"),
        (HEAD + "all,q1,yes,9000\n", "line 2"),
    ],
)
def test_counts_that_do_not_fit_say_which_line(table: str, line: str) -> None:
    with pytest.raises(CountsInvalid) as caught:
        read_counts(read_survey(a_survey()), table)
    assert caught.value.param == line


def test_counts_can_be_taken_back_as_they_are_given() -> None:
    survey = read_survey(a_survey(**STRATA))
    table = counts(("east", "q1", "yes", 4), ("west", "q1", "no", 7))
    known = read_counts(survey, table)
    again = read_counts(survey, write_counts(survey, known))
    assert {key: n for key, n in again.items() if n} == known


def test_a_survey_survives_the_way_through_json() -> None:
    survey = read_survey(a_survey(**STRATA))
    assert read_survey(json.dumps(survey.model_dump(mode="json"))) == survey
