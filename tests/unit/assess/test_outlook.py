"""Reports: periods, forecasts of short series, gaps and words, and that other data say the opposite."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.assess.frameworks.model import read_framework
from chengmai.assess.frameworks.service import board_of
from chengmai.assess.gazetteer import Gazetteer
from chengmai.assess.outlook.keeping import (
    promise_entity,
    promises_of,
    read_promise,
    settled,
)
from chengmai.assess.outlook.lines import lines
from chengmai.assess.outlook.meanings import advice_for, advised, meanings
from chengmai.assess.outlook.model import Meaning, Report, Subject, scores_of
from chengmai.assess.outlook.periods import Step, end_of, period_of, periods_of, step_of, written
from chengmai.assess.outlook.sayings import trend_in_words
from chengmai.assess.outlook.service import report_of
from chengmai.assess.outlook.subjects import subject_of
from chengmai.assess.outlook.trend import MODELS, back_test, forecasts, trend
from chengmai.assess.panel.columns import Columns, no_columns
from chengmai.assess.panel.model import Entry, Ref
from chengmai.assess.problems import GroupUnknown, PlaceUnknown, SubjectInvalid
from chengmai.assess.shipped import shipped_frameworks
from chengmai.web.cockpit.assess.report import spark
from tests.unit.assess.builders import NOW, a_country, a_frame, a_group, words

YEARS = range(2018, 2025)
CITIES = [f"P{p}C{c}" for p in (1, 2, 3) for c in (1, 2, 3)]


def meaning(code: str = "E01", better: str | None = "up", unit: str = "") -> Meaning:
    return Meaning(code, words(code), unit, better, "a ÷ b", "office", "S")  # type: ignore[arg-type]


def columns_of(series: dict[str, list[float]], code: str = "E01") -> Columns:
    made = []
    for place, values in series.items():
        for year, value in zip(YEARS, values, strict=False):
            on = date(year, 12, 31)
            ref = Ref(f"{place}-{year}-{code}", place, "survey", "office", on)
            made.append(Entry(ref, on, {code: value}, {}))
    return no_columns().replaced((), made)


def a_report(columns: Columns, place: str = "P1C1", *, better: str | None = "up") -> Report:
    day = Gazetteer(a_country()).on(NOW)
    known = columns.book.places.numbers
    subject = subject_of(day, a_frame(), known, place=place, group=None)
    return report_of(lines(columns, subject, [meaning(better=better)], NOW), subject, None, NOW)


@pytest.mark.parametrize(
    ("days", "step"),
    [
        ([date(2020, 12, 31), date(2021, 12, 30), date(2022, 12, 31)], "year"),
        ([date(2020, 3, 31), date(2020, 6, 30), date(2020, 9, 30)], "quarter"),
        ([date(2020, 1, 31), date(2020, 2, 29), date(2020, 3, 31)], "month"),
        ([date(2020, 1, 31)], "year"),
        ([date(2020, 1, 1), date(2020, 1, 15), date(2020, 1, 29)], "month"),
        ([date(2020, 1, 1), date(2020, 1, 8), date(2020, 1, 15)], "week"),
        ([date(2020, 1, 1) + timedelta(days=n) for n in range(50)], "day"),
        ([date(2020, 1, 1) + timedelta(days=n) for n in range(60)], "week"),
        ([date(2020, 1, 1) + timedelta(days=n) for n in range(300)], "month"),
    ],
)
def test_the_period_is_what_usually_lies_between_two_values(days: list[date], step: Step) -> None:
    assert step_of([day.toordinal() for day in days]) == step


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.sampled_from(get_args(Step)))
def test_a_day_lies_in_its_period(day: date, step: Step) -> None:
    number = period_of(day, step)
    assert end_of(number - 1, step) < day <= end_of(number, step)
    assert periods_of(np.array([day.toordinal()]), step).tolist() == [number]
    year = day.isocalendar().year if step == "week" else day.year
    assert written(number, step).startswith(str(year))


def test_models_give_what_they_say() -> None:
    rows = np.array([[1.0, 3.0, 5.0, 7.0]])
    assert forecasts(rows, "naive").tolist() == [[7, 7, 7]]
    assert forecasts(rows, "drift").tolist() == [[9, 11, 13]]
    ahead = forecasts(rows, "damped")[0]
    assert 7 < ahead[0] < ahead[1] < ahead[2] < 13
    assert ahead[2] - ahead[1] < ahead[1] - ahead[0]


@given(
    st.lists(st.floats(-100, 100), min_size=3, max_size=10),
    st.sampled_from(sorted(MODELS)),
)
def test_a_back_test_forecasts_from_what_was_known_then(values: list[float], model: str) -> None:
    errors = back_test(np.array([values]), model)[0]
    for origin in range(2, len(values)):
        said = forecasts(np.array([values[:origin]]), model)[0]
        for ahead, came in enumerate(values[origin : origin + 3]):
            assert errors[origin - 2, ahead] == pytest.approx(came - said[ahead])
        assert np.isnan(errors[origin - 2, len(values) - origin :]).all()


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0]])
def test_fewer_than_three_points_are_not_forecast(values: list[float]) -> None:
    assert trend(np.array(values), np.empty((0, 0)), None, None) is None


def test_three_points_alone_are_forecast_one_step_with_the_half_they_can_promise() -> None:
    found = trend(np.array([1.0, 2.0, 3.5]), np.empty((0, 0)), None, None)
    assert found is not None
    assert [step.ahead for step in found.steps] == [1]
    assert found.steps[0].covers == 0.5


def test_a_model_no_better_than_the_last_value_is_not_used() -> None:
    noise = np.array([5.0, 6.0, 5.0, 6.0, 5.0, 6.0, 5.0])
    found = trend(noise, np.empty((0, 0)), None, None)
    assert found is not None
    assert found.model == "naive"
    line = trend(np.arange(7.0), np.empty((0, 0)), None, None)
    assert line is not None
    assert line.model == "drift"
    assert line.own.error < line.own.naive_error


def test_intervals_hold_what_they_promise_over_many_series() -> None:
    random = np.random.default_rng(5)
    walks = np.cumsum(random.normal(0.5, 1, (300, 9)), axis=1)
    inside = []
    for index in range(100):
        found = trend(walks[index, :8], walks[100:, :8], None, None)
        assert found is not None
        first = found.steps[0]
        assert first.covers == 0.8
        inside.append(first.low <= walks[index, 8] <= first.high)
    assert 0.7 <= sum(inside) / len(inside) <= 0.9


def test_forecasts_of_shares_stay_between_nothing_and_all() -> None:
    found = trend(np.array([70.0, 80.0, 90.0, 99.0]), np.empty((0, 0)), 0.0, 100.0)
    assert found is not None
    assert all(0 <= step.low <= step.value <= step.high <= 100 for step in found.steps)


def test_a_gap_is_behind_the_median_and_urgent_when_it_gets_worse() -> None:
    series = {city: [50.0 + n] * 7 for n, city in enumerate(CITIES)}
    series["P1C1"] = [50, 49, 48, 47, 46, 45, 44]
    (line,) = a_report(columns_of(series)).lines
    assert (line.median, line.peers, line.ahead_of) == (54.5, 8, 8)
    assert line.is_urgent
    report = a_report(columns_of(series | {"P1C1": [30, 31, 32, 33, 34, 35, 36]}))
    assert (report.lines[0].is_gap, report.lines[0].is_urgent) == (True, False)
    assert "nothing that lags gets worse" in " ".join(s.en for s in report.sentences).lower()


def test_fewer_than_three_peers_give_no_median() -> None:
    series = {city: [50.0] * 3 for city in CITIES[:3]}
    (line,) = a_report(columns_of(series)).lines
    assert (line.median, line.against, line.is_gap) == (None, "unknown", False)


def test_an_indicator_without_a_direction_is_not_judged() -> None:
    series = {city: [50.0 + n] * 4 for n, city in enumerate(CITIES)}
    (line,) = a_report(columns_of(series), better=None).lines
    assert (line.against, line.course, line.ahead_of) == ("unknown", "unknown", 0)


@given(
    st.lists(
        st.lists(st.integers(-40, 40), min_size=5, max_size=5), min_size=len(CITIES), max_size=9
    )
)
def test_inverted_data_give_the_opposite_verdicts_words_and_colours(told: list[list[int]]) -> None:
    series = {city: [float(v) for v in values] for city, values in zip(CITIES, told, strict=True)}
    turned = {city: [-v for v in values] for city, values in series.items()}
    opposite = {"better": "worse", "worse": "better", "level": "level", "unknown": "unknown"}
    one, other = a_report(columns_of(series)), a_report(columns_of(turned))
    (a,), (b,) = one.lines, other.lines
    assert (b.against, b.course) == (opposite[a.against], opposite[a.course])
    assert a.is_gap == (b.against == "better")
    if a.against in ("better", "worse"):
        assert one.sentences[0] != other.sentences[0]
        swapped = one.sentences[0].zh.replace("领先", "¤").replace("落后：", "领先：", 1)
        assert swapped.split("：")[0].replace("¤", "落后") == other.sentences[0].zh.split("：")[0]
        classes = [next(c for c in ("is-good", "is-bad") if c in spark(line)) for line in (a, b)]
        assert sorted(classes) == ["is-bad", "is-good"]
        assert len(one.gaps) + len(other.gaps) == 1


def test_a_group_is_the_median_of_its_places_beside_those_outside() -> None:
    series = {city: [40.0 + 5 * n + y for y in range(7)] for n, city in enumerate(CITIES)}
    columns = columns_of(series)
    day = Gazetteer(a_country()).on(NOW)
    frame = a_frame(a_group("a", "P1"), a_group("b", "P2"), a_group("c", "P3"))
    subject = subject_of(day, frame, columns.book.places.numbers, place=None, group="a")
    assert (subject.level, len(subject.members), len(subject.peers)) == ("prefecture", 3, 6)
    report = report_of(lines(columns, subject, [meaning()], NOW), subject, None, NOW)
    (line,) = report.lines
    assert (line.value, line.counts[-1], line.median) == (51, 3, 73.5)
    assert line.trend is not None
    assert line.trend.series == 3
    assert line.is_gap


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({}, SubjectInvalid),
        ({"place": "P1", "group": "a"}, SubjectInvalid),
        ({"place": "zz"}, PlaceUnknown),
        ({"group": "zz"}, GroupUnknown),
        ({"group": "a", "level": "village"}, SubjectInvalid),
        ({"place": "P1", "peers": "zz"}, GroupUnknown),
    ],
)
def test_a_wrong_subject_is_refused(asked: dict[str, Any], problem: type[Exception]) -> None:
    day = Gazetteer(a_country()).on(NOW)
    with pytest.raises(problem):
        subject_of(day, a_frame(a_group("a", "P1")), (), **{"place": None, "group": None} | asked)


def test_a_suggestion_says_what_reaching_the_median_gives() -> None:
    framework = read_framework(
        '{"id":"f","zh":"体系","en":"f","from":"2020-01-01","source":"s","note_zh":"n","note_en":"n",'
        '"children":[{"id":"A","zh":"甲","en":"a","weight":40,"trust":"S","indicator":"E01"},'
        '{"id":"B","zh":"乙","en":"b","weight":60,"trust":"S","indicator":"E02"}]}'
    )
    series = {city: [50.0 + n] * 4 for n, city in enumerate(CITIES)}
    columns = columns_of(series)
    day = Gazetteer(a_country()).on(NOW)
    subject = subject_of(day, a_frame(), columns.book.places.numbers, place="P1C1", group=None)
    board = board_of(framework, columns, NOW)
    report = report_of(lines(columns, subject, [meaning()], NOW), subject, board, NOW)
    (found,) = report.suggestions
    assert (found.nodes, found.gain) == (("A",), Decimal("1.80"))  # 54.5 − 50, of 40 marks in 100
    assert found.advice == advice_for("E01")
    assert report.standing is not None
    assert (report.standing.total, report.standing.rank, report.standing.of) == (
        Decimal("20.00"),
        9,
        9,
    )


def test_advice_is_tied_to_indicators_of_the_catalogue_in_both_languages() -> None:
    known = {one.id for one in meanings(shipped_frameworks(), advised())}
    assert advised() <= known
    assert len(advised()) >= 80
    assert all(advice_for(one).zh and advice_for(one).en for one in [*advised(), "unheard-of"])


def test_a_kept_forecast_is_filled_with_what_came_and_scored() -> None:
    series = {city: [50.0 + n + y for y in range(7)] for n, city in enumerate(CITIES)}
    before = a_report(columns_of({city: values[:5] for city, values in series.items()}))
    before = replace(before, on=date(2023, 2, 1))
    promises = promises_of(before)
    assert [one.target for one in promises] == [date(y, 12, 31) for y in (2023, 2024, 2025)]
    for one in promises:
        again = read_promise(promise_entity(one))
        assert again == replace(one, entity_id=promise_entity(one)["id"])
    now = columns_of(series)
    kept = [settled(one, now, frozenset(["P1C1"]), NOW) for one in promises]
    assert [one.came for one in kept] == [55, 56, None]
    assert [one.is_inside for one in kept] == [True, True, None]
    found = scores_of(kept)
    assert found is not None
    assert (found.made, found.scored, found.inside, found.beaten) == (3, 2, 2, 2)
    assert found.relative is not None
    assert found.relative < 0.01


def test_a_forecast_of_a_group_is_filled_with_the_median_of_its_places() -> None:
    series = {city: [50.0 + n + y for y in range(7)] for n, city in enumerate(CITIES)}
    report = a_report(columns_of(series))
    promise = replace(promises_of(report)[0], target=date(2022, 12, 31))
    kept = settled(promise, columns_of(series), frozenset(CITIES), NOW)
    assert kept.came == 58


@pytest.mark.parametrize("wrong", [{"forecast": 5}, {"madeOn": "soon"}, {"period": "decade"}])
def test_an_entity_that_is_no_forecast_is_left_out(wrong: dict[str, object]) -> None:
    series = {city: [50.0 + y for y in range(7)] for city in CITIES}
    made = promise_entity(promises_of(a_report(columns_of(series)))[0])
    for term, value in wrong.items():
        name = next(name for name in made if name.endswith(f"/{term}"))
        made[name] = [{"type": "Property", "value": value}]
    assert read_promise(made) is None


def test_nothing_is_said_of_a_place_without_values() -> None:
    report = a_report(no_columns())
    assert (report.lines, report.sentences, report.suggestions) == ((), (), ())
    assert not math.isnan(len(promises_of(report)))


def test_places_of_another_level_are_no_peers() -> None:
    day = Gazetteer(a_country()).on(NOW)
    subject = subject_of(day, a_frame(), (), place="P1C1X1", group=None)
    assert isinstance(subject, Subject)
    assert len(subject.peers) == 35


def test_a_series_with_a_hole_says_how_many_periods_follow_it() -> None:
    columns = columns_of({"P1C1": [50.0 + y for y in range(7)]})
    hole = f"P1C1-{YEARS[-3]}-E01"
    (line,) = a_report(columns.replaced([hole], [])).lines
    assert (len(line.values), line.unbroken, line.trend) == (6, 2, None)
    assert trend_in_words(line).en.startswith("2 periods")


def test_a_score_of_few_marks_and_a_place_without_peers_are_not_made_to_look_like_more() -> None:
    report = a_report(columns_of({"P1C1": [50.0] * 7}))
    said = " ".join(one.en for one in report.sentences)
    assert not report.is_compared
    assert "no peers" in said
    assert "behind the median" not in said


def test_what_lags_with_an_unknown_course_is_not_said_not_to_get_worse() -> None:
    series = {city: [50.0 + n] * 7 for n, city in enumerate(CITIES)} | {"P1C1": [40.0] * 7}
    gone = [f"P1C1-{year}-E01" for year in YEARS[:-1]]
    said = a_report(columns_of(series).replaced(gone, [])).sentences
    assert any("seen to get worse (1 of unknown course)" in one.en for one in said)
    assert any("1 项走向未知" in one.zh for one in said)
