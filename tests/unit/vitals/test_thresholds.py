"""Thresholds of a city: laid over those of the pack by day, refused, tried on the past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.packs.model import Band
from chengmai.packs.reader import read_packs, shipped_packs
from chengmai.vitals import signs_of
from chengmai.vitals.bands import bands_on, bound_of
from chengmai.vitals.model import Sign
from chengmai.vitals.thresholds.file import read_thresholds
from chengmai.vitals.thresholds.model import BandKey, Change
from chengmai.vitals.thresholds.overlay import bands_with, changed_sign, check_change
from chengmai.vitals.thresholds.problems import (
    ThresholdFileInvalid,
    ThresholdFixed,
    ThresholdInvalid,
)
from chengmai.vitals.thresholds.trying import Tally, Trial, tally_of, try_change
from tests.unit.vitals.builders import HOUR_US, SHANGHAI, a_band, a_pack, a_spec

DAY = date(2026, 11, 22)
WATCH = BandKey(level="watch", side="above")
OWN = (
    a_band("watch", above=60.0, clear=55.0, trust="C", until=date(2027, 12, 31)),
    a_band("watch", above=50.0, clear=45.0, trust="C", since=date(2028, 1, 1)),
    a_band("act", above=115.0, clear=100.0, trust="S"),
)


def a_change(value: float | None = 80.0, *, days: int = 1, **more: Any) -> Change:
    known: dict[str, Any] = {
        "id": f"thr_{days}_{value}",
        "sign": "environment/pm25",
        "key": WATCH,
        "value": value,
        "from_on": DAY + timedelta(days=days),
        "reason": "the valley is different",
    }
    return Change.model_validate(known | more)


def a_sign(bands: Sequence[Band] = OWN) -> Sign:
    return signs_of([a_pack(a_spec(bands=bands))])[0]


def in_force(bands: Sequence[Band], on: date, level: str = "watch") -> list[float]:
    return [bound_of(band) for band in bands_on(bands, on) if band.level == level]


def test_a_change_holds_from_its_day_and_leaves_the_days_before() -> None:
    made = bands_with(OWN, [a_change(80.0, days=1)])
    assert in_force(made, DAY) == [60.0]
    assert in_force(made, DAY + timedelta(days=1)) == [80.0]
    assert in_force(made, date(2028, 6, 1)) == [80.0]
    assert in_force(made, DAY + timedelta(days=1), "act") == [115.0]


def test_a_changed_threshold_is_the_citys_own_and_says_so() -> None:
    (made,) = (b for b in bands_with(OWN, [a_change()]) if bound_of(b) == 80.0)
    assert made.trust == "C"
    assert "the valley is different" in made.source.en


def test_giving_a_threshold_back_brings_the_packs_own_of_that_day() -> None:
    made = bands_with(OWN, [a_change(80.0, days=1), a_change(None, days=10)])
    assert in_force(made, DAY + timedelta(days=9)) == [80.0]
    assert in_force(made, DAY + timedelta(days=10)) == [60.0]
    assert in_force(made, date(2028, 6, 1)) == [50.0]


def test_of_two_changes_from_one_day_the_later_decision_holds() -> None:
    made = bands_with(OWN, [a_change(80.0), a_change(90.0)])
    assert in_force(made, DAY + timedelta(days=2)) == [90.0]


@given(
    st.lists(st.tuples(st.integers(1, 60), st.one_of(st.none(), st.floats(61, 110))), max_size=6)
)
def test_a_level_has_one_threshold_on_every_day_whatever_was_changed(
    asked: list[tuple[int, float | None]],
) -> None:
    changes = [a_change(value, days=days) for days, value in asked]
    made = bands_with(OWN, changes)
    first = min((days for days, _ in asked), default=99)
    for n in range(-30, 70):
        on = DAY + timedelta(days=n)
        assert len(in_force(made, on)) == 1
        if n < first:
            assert in_force(made, on) == [60.0]


@pytest.mark.parametrize("days", [0, -1, -400])
def test_a_change_of_the_past_is_refused(days: int) -> None:
    with pytest.raises(ThresholdInvalid, match="levels of the past stay"):
        check_change(a_sign().spec, a_change(days=days), DAY)


def test_a_threshold_of_a_standard_is_not_the_citys_to_change() -> None:
    key = BandKey(level="act", side="above")
    with pytest.raises(ThresholdFixed) as problem:
        check_change(a_sign().spec, a_change(120.0, key=key), DAY)
    assert "GB 3095-2026" in problem.value.detail


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"value": 120.0}, "value"),
        ({"value": 80.0, "clear": 90.0}, "clear"),
        ({"key": BandKey(level="watch", side="below")}, "threshold"),
    ],
)
def test_a_threshold_that_will_not_do_is_refused_with_the_field(
    more: dict[str, Any], param: str
) -> None:
    with pytest.raises(ThresholdInvalid) as problem:
        check_change(a_sign().spec, a_change(**more), DAY)
    assert problem.value.param == param
    assert problem.value.fix


def test_hours_a_level_and_cases_are_counted() -> None:
    spec = a_sign().spec
    values = [40, 70, 70, 40, 120, 120, 40, 70]
    ticks = [(i * HOUR_US, float(v)) for i, v in enumerate(values)]
    tally = tally_of(spec, spec.bands[::2], ticks, SHANGHAI)
    assert tally == Tally(normal=3, watch=3, act=2, unknown=0, cases=1)


def test_silence_is_counted_as_unknown_and_not_as_normal() -> None:
    spec = a_sign().spec
    ticks = [(0, 40.0), (10 * HOUR_US, 40.0)]
    assert tally_of(spec, spec.bands, ticks, SHANGHAI).unknown == 9


def test_a_trial_shows_both_sets_of_thresholds_on_the_same_past() -> None:
    sign, change = a_sign(), a_change(80.0)
    ticks = [(i * HOUR_US, value) for i, value in enumerate([40.0, 70.0, 70.0, 90.0])]
    trial = try_change(
        sign.spec,
        changed_sign(sign, [change]).spec,
        change.from_on,
        {"east": ticks, "silent": []},
        SHANGHAI,
    )
    assert (trial.now.watch, trial.then.watch) == (3, 1)
    assert [area.area for area in trial.areas] == ["east"]
    assert Trial.from_json(trial.to_json()) == trial


FILE = """
[[change]]
sign = "environment/pm25"
threshold = "watch-above"
value = 80
from = 2026-01-01
reason = "the valley is different"
"""


def test_the_file_of_a_city_is_laid_over_the_pack(tmp_path: Path) -> None:
    path = tmp_path / "thresholds.toml"
    path.write_text(FILE)
    changes = read_thresholds(path, [a_sign()])
    made = changed_sign(a_sign(), changes)
    assert in_force(made.spec.bands, date(2025, 12, 31)) == [60.0]
    assert in_force(made.spec.bands, DAY) == [80.0]


def test_without_a_file_nothing_is_changed(tmp_path: Path) -> None:
    assert read_thresholds(tmp_path / "thresholds.toml", [a_sign()]) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[change", "not TOML"),
        ("[[changes]]\n", "changes"),
        (FILE.replace("pm25", "pm26"), "there is no sign environment/pm26"),
        (FILE.replace("watch-above", "worry-above"), "level"),
        (FILE.replace("watch-above", "watch"), "no threshold such as"),
        (FILE.replace("watch-above", "act-above"), "GB 3095-2026"),
        (FILE.replace("80", '"high"'), "value"),
        (FILE.replace("80", "nan"), "value"),
        (FILE.replace("80", "200"), "watch at 200"),
        (FILE + "colour = 1\n", "colour"),
        (FILE + FILE.replace("80", "300"), "change 2"),
    ],
)
def test_a_wrong_file_is_refused_with_its_entry(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "thresholds.toml"
    path.write_text(text)
    with pytest.raises(ThresholdFileInvalid) as problem:
        read_thresholds(path, [a_sign()])
    assert said in problem.value.detail
    assert "thresholds.toml" in problem.value.detail
    assert problem.value.fix


def test_the_example_of_the_document_is_a_file_that_is_taken(tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "build" / "vitals.md"
    path = tmp_path / "thresholds.toml"
    path.write_text("[[change]]" + page.read_text().split("```text\n[[change]]")[1].split("```")[0])
    changes = read_thresholds(path, signs_of(read_packs([shipped_packs()])))
    assert [change.value for change in changes] == [90, None]
