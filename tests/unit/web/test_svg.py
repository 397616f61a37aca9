"""Drawings: scales and ticks by their algebra, charts and maps by what they contain."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from chengmai.kernel.texts import Text
from chengmai.web.cockpit.svg.chart import chart
from chengmai.web.cockpit.svg.citymap import (
    CLUSTER_ABOVE,
    RANK,
    city_map,
    fit,
    gather,
    positions,
    shape,
)
from chengmai.web.cockpit.svg.draw import element, number
from chengmai.web.cockpit.svg.plot import WIDE, ChartData, Threshold, value_span
from chengmai.web.cockpit.svg.scale import Span, linear, ticks, time_ticks
from chengmai.web.cockpit.svg.series import runs, thin
from chengmai.web.cockpit.svg.sparkline import sparkline
from chengmai.web.cockpit.views import AbnormalPlace, BaseMap, ForecastPoint, Point
from tests.unit.web.builders import SHANGHAI, formats
from tests.unit.web.fake_signs import NOW, SIGNS, card

HOUR = timedelta(hours=1)
finite = st.floats(-1e6, 1e6, allow_nan=False)


def points(*values: float | None) -> tuple[Point, ...]:
    start = NOW - HOUR * (len(values) - 1)
    return tuple(Point(start + HOUR * n, value) for n, value in enumerate(values))


def data(**more: object) -> ChartData:
    made = ChartData(NOW - 24 * HOUR, NOW + 12 * HOUR, NOW, points(*range(10, 34)))
    return replace(made, **more)  # type: ignore[arg-type]


def drawn(what: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(what))


def classes(tree: ElementTree.Element) -> list[str]:
    return [part.get("class", "") for part in tree.iter()]


@given(finite, finite, st.integers(2, 12))
def test_ticks_are_round_ascending_and_inside(a: float, b: float, about: int) -> None:
    span = Span(min(a, b), max(a, b))
    if span.length < 1e-3:
        return
    values, decimals = ticks(span, about)
    slack = span.length * 1e-6
    assert values == sorted(values)
    assert all(span.low - slack <= value <= span.high + slack for value in values)
    assert len(values) <= about + 1
    assert all(abs(value - round(value, decimals)) <= slack for value in values)


@given(finite, finite)
def test_a_scale_maps_ends_onto_ends(low: float, high: float) -> None:
    scale = linear(Span(min(low, high), max(low, high) + 1), 300, 10)
    assert scale(min(low, high)) == pytest.approx(300)
    assert scale(max(low, high) + 1) == pytest.approx(10)


def test_time_ticks_stand_on_round_local_hours() -> None:
    found, step = time_ticks(NOW - 24 * HOUR, NOW, SHANGHAI, 6)
    assert step == 6 * HOUR
    assert [at.astimezone(SHANGHAI).hour for at in found] == [18, 0, 6, 12]


def test_daily_ticks_stay_at_midnight_across_a_clock_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 23, tzinfo=berlin)
    found, _ = time_ticks(start, start + timedelta(days=4), berlin, 8)
    days = [at for at in found if at.astimezone(berlin).hour == 0]
    assert len({at.astimezone(berlin).date() for at in days}) == len(days) == 5


def test_a_series_is_broken_where_it_was_silent() -> None:
    series = [*points(1, 2, 3), Point(NOW + 6 * HOUR, 4.0), Point(NOW + 7 * HOUR, None)]
    assert [[p.value for p in run] for run in runs(series)] == [[1, 2, 3], [4.0]]


@given(st.lists(finite, min_size=1, max_size=400), st.integers(4, 60))
def test_thinning_keeps_the_extremes_and_the_last_point(values: list[float], most: int) -> None:
    series = points(*values)
    kept = thin(series, most)
    assert {min(values), max(values)} <= {p.value for p in kept}
    assert kept[-1] is series[-1]
    assert [p.at for p in kept] == sorted(p.at for p in kept)
    assert len(kept) <= most + 2 or len(series) <= most


def test_an_element_escapes_what_it_is_given() -> None:
    made = element("text", "<b>&", aria_label='"><script>', x=1.04, y=None)
    assert made == '<text aria-label="&#34;&gt;&lt;script&gt;" x="1">&lt;b&gt;&amp;</text>'


def test_coordinates_are_short() -> None:
    assert [number(v) for v in (1.0, 2.345, -0.04, 10)] == ["1", "2.3", "0", "10"]


def test_the_chart_draws_past_future_and_thresholds_in_words() -> None:
    ahead = tuple(ForecastPoint(NOW + HOUR * n, 30, 25, 35) for n in range(1, 13))
    limits = (Threshold(40, "act", "Act: above 40"),)
    made = drawn(chart(data(forecast=ahead, thresholds=limits), WIDE, formats(), "%", "In words."))
    assert made.get("aria-label") == "In words."
    assert {"c-line", "c-forecast", "c-interval", "c-threshold is-act", "c-now"} <= set(
        classes(made)
    )
    assert "Act: above 40" in [part.text for part in made.iter()]


def test_a_far_threshold_does_not_flatten_the_chart() -> None:
    far = data(thresholds=(Threshold(5000, "act", "far"),))
    assert value_span(far).high < 100
    assert "c-threshold is-act" not in classes(drawn(chart(far, WIDE, formats(), "", "d")))


def test_silence_is_hatched() -> None:
    gap = data(points=(*points(1, 2, 3), *(Point(NOW + HOUR * n, 1.0) for n in (8, 9, 10))))
    assert "c-silence" in classes(drawn(chart(gap, WIDE, formats(), "", "d")))


def test_a_chart_without_data_is_still_a_chart() -> None:
    assert "c-line" not in classes(drawn(chart(data(points=()), WIDE, formats(), "", "d")))


def test_labels_of_near_thresholds_do_not_lie_on_each_other() -> None:
    near = tuple(Threshold(30 + n / 10, "watch", f"line {n}") for n in range(3))
    made = drawn(chart(data(thresholds=near), WIDE, formats(), "", "d"))
    heights = sorted(
        float(p.get("y", 0)) for p in made.iter() if p.get("class", "").startswith("c-label")
    )
    assert all(b - a >= 15.9 for a, b in pairwise(heights))


def test_a_sparkline_shows_expected_range_line_and_level() -> None:
    found = classes(drawn(sparkline(card(SIGNS[0], 0, NOW), NOW)))
    assert {"c-expected", "c-line", "c-dot is-act"} <= set(found)


def test_a_sparkline_of_nothing_is_empty() -> None:
    empty = replace(card(SIGNS[0], 0, NOW), recent=())
    assert len(classes(drawn(sparkline(empty, NOW)))) == 1


def place(level: str, at: tuple[float, float] = (121.4, 31.2)) -> AbnormalPlace:
    return AbnormalPlace("vital", "urn:x", Text(zh="甲", en="A"), "East", level, at)  # type: ignore[arg-type]


def test_each_level_has_a_shape_of_its_own() -> None:
    assert len({str(shape(level, 0, 0)).split("class")[0] for level in RANK}) == 4


@given(st.lists(st.tuples(st.floats(-179, 179), st.floats(-84, 84)), min_size=1, max_size=20))
def test_a_map_shows_every_place_inside_its_frame(where: list[tuple[float, float]]) -> None:
    view = fit(where, 560, 430)
    for position in where:
        x, y = view.xy(position)
        assert -1 <= x <= 561
        assert -1 <= y <= 431


def test_a_map_without_anything_is_a_graticule() -> None:
    made = drawn(city_map(BaseMap(), (), formats(), lambda _: "/"))
    assert "map-grid" in classes(made)


@pytest.mark.parametrize(
    ("kind", "geometry", "drawn_as"),
    [
        ("river", "LineString", "river"),
        ("spire", "LineString", "road"),
        ("", "Polygon", "district"),
    ],
)
def test_a_shape_of_unknown_kind_is_drawn_by_its_geometry(
    kind: str, geometry: str, drawn_as: str
) -> None:
    line = [[121.3, 31.2], [121.4, 31.3], [121.3, 31.2]]
    shaped = {"type": geometry, "coordinates": [line] if geometry == "Polygon" else line}
    base = BaseMap(({"type": "Feature", "properties": {"kind": kind}, "geometry": shaped},))
    assert f"map-{drawn_as}" in classes(drawn(city_map(base, (), formats(), lambda _: "/")))


def test_the_worst_mark_lies_on_top() -> None:
    view = fit([(121.4, 31.2)], 560, 430)
    marks = gather([place("act"), place("unknown"), place("watch")], view)
    assert [mark.place.level for mark in marks] == ["unknown", "watch", "act"]


def test_too_many_marks_are_gathered_and_counted_by_the_worst() -> None:
    many = [place("watch") for _ in range(CLUSTER_ABOVE)] + [place("act")]
    marks = gather(many, fit([(121.4, 31.2)], 560, 430))
    assert [(mark.place.level, mark.count) for mark in marks] == [("act", CLUSTER_ABOVE + 1)]


def test_positions_are_found_in_any_geometry() -> None:
    geometry = {
        "type": "GeometryCollection",
        "geometries": [
            {"type": "Point", "coordinates": [1, 2]},
            {"type": "MultiPolygon", "coordinates": [[[[3, 4], [5, 6], [3, 4]]]]},
        ],
    }
    assert set(positions(geometry)) == {(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)}
    assert list(positions(None)) == []
