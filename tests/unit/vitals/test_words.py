"""The sentence that says why."""

from __future__ import annotations

from datetime import date
from typing import Any

from chengmai.kernel.instants import parse_us
from chengmai.kernel.texts import Text
from chengmai.vitals.rules import Rule, replay, standing_of
from chengmai.vitals.words import reason, silence
from tests.unit.vitals.builders import HOUR_US, SHANGHAI, a_band, a_spec

T0 = parse_us("2026-11-22T08:00:00Z")


def why(*values: float, **more: Any) -> Text:
    spec = a_spec(**more)
    rule = Rule.of(spec, SHANGHAI)
    ticks = [(T0 + hour * HOUR_US, value) for hour, value in enumerate(values)]
    return reason(spec, rule, *ticks[-1], standing_of(replay(ticks, rule), rule))


def test_it_names_value_unit_threshold_source_and_date() -> None:
    said = why(72.34, bands=(a_band(since=date(2026, 3, 1)),))
    assert said.en == (
        "72.3 µg/m³ is above the act threshold of 60 µg/m³ (GB 3095-2026, in force from 2026-03-01)."
    )
    assert said.zh == "72.3 µg/m³，高于处置阈值 60 µg/m³（GB 3095-2026，2026-03-01 起施行）。"


def test_thresholds_from_memory_and_by_choice_are_marked() -> None:
    for trust in ("M", "C"):
        said = why(72.0, bands=(a_band(trust=trust),))
        assert "待核验" in said.zh
        assert "to be verified" in said.en
    assert "待核验" not in why(72.0, bands=(a_band(trust="S"),)).zh


def test_a_normal_value_says_where_the_limit_is() -> None:
    assert "watch is above 60" in why(42.0).en


def test_a_value_held_by_hysteresis_says_where_it_ends() -> None:
    said = why(70.0, 57.0)
    assert "55 µg/m³" in said.zh
    assert "55 µg/m³" in said.en


def test_waiting_is_said_on_the_way_up_and_down() -> None:
    assert "1/3" in why(50.0, 70.0, raise_after=3).zh
    assert "1 of 3" in why(70.0, 50.0, clear_after=3).en


def test_low_sides_are_called_below() -> None:
    assert "below" in why(10.0, bands=(a_band(below=15.0),)).en


def test_a_day_without_a_threshold_says_so() -> None:
    assert "没有生效的阈值" in why(10.0, bands=(a_band(until=date(2020, 1, 1)),)).zh


def test_silence_says_since_when_in_the_city_s_time() -> None:
    said = silence(a_spec(), T0, SHANGHAI)
    assert "2026-11-22 16:00" in said.zh
    assert "3 h" in said.en
    assert silence(a_spec(), None, SHANGHAI).zh.endswith("没有数据不等于正常。")
