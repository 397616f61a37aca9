"""The state of a sign, tick by tick."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.kernel.instants import parse_us
from chengmai.packs.model import Band
from chengmai.vitals.bands import bands_at, bands_on, level_of
from chengmai.vitals.model import Crossing, Prediction, State
from chengmai.vitals.rules import (
    REARM_AFTER,
    Rule,
    event_kind,
    foresee,
    go_silent,
    is_stale,
    replay,
    standing_of,
    step,
    take,
    tell,
)
from tests.unit.vitals.builders import HOUR_US, SHANGHAI, a_band, a_rule

T0 = parse_us("2026-11-22T08:00:00Z")
values = st.floats(0, 200, allow_nan=False)
passes = st.lists(values, min_size=1, max_size=12)
debounces = st.integers(1, 3)


def tick(hour: int) -> int:
    return T0 + hour * HOUR_US


def after(readings: list[float], rule: Rule, state: State | None = None) -> State:
    state = state or State()
    for hour, value in enumerate(readings):
        state, _ = step(state, tick(hour), value, rule)
    return state


def levels(readings: list[float], rule: Rule) -> list[str]:
    return [after(readings[: n + 1], rule).told for n in range(len(readings))]


def test_bands_are_chosen_by_the_day_of_the_observation() -> None:
    old = a_band(above=75.0, until=date(2026, 2, 28))
    new = a_band(above=60.0, since=date(2026, 3, 1))
    assert bands_on([old, new], date(2026, 2, 28)) == (old,)
    assert bands_on([old, new], date(2026, 3, 1)) == (new,)


def test_the_day_of_an_observation_is_the_city_s_day() -> None:
    new = a_band(above=60.0, since=date(2026, 3, 1))
    late_evening_utc = parse_us("2026-02-28T16:30:00Z")
    assert bands_at([new], late_evening_utc, SHANGHAI) == (new,)
    assert bands_at([new], late_evening_utc - HOUR_US, SHANGHAI) == ()


def test_a_value_on_the_threshold_is_within() -> None:
    assert level_of(60.0, [a_band(above=60.0)]).level == "normal"
    assert level_of(60.1, [a_band(above=60.0)]).level == "act"
    assert level_of(49.7, [a_band(below=49.8)]).level == "act"


def test_the_worst_band_decides() -> None:
    bands = [a_band("watch", above=60.0), a_band("act", above=115.0)]
    assert level_of(130.0, bands).level == "act"


def test_hysteresis_holds_on_its_own_side_only() -> None:
    bands = [a_band(above=235.4, clear=233.0), a_band(below=198.0, clear=200.0)]
    assert level_of(199.0, bands, held="act", side="below").level == "act"
    assert level_of(199.0, bands, held="act", side="above").level == "normal"


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([50, 70, 56, 55], ["normal", "watch", "watch", "normal"]),
        ([50, 120, 105, 90, 50], ["normal", "act", "act", "watch", "normal"]),
    ],
)
def test_a_level_ends_past_its_clearing_value(readings: list[float], expected: list[str]) -> None:
    assert levels(readings, a_rule()) == expected


def test_raising_takes_so_many_ticks_in_a_row() -> None:
    rule = a_rule(raise_after=3)
    assert levels([50, 70, 70, 50, 70, 70, 70], rule)[-3:] == ["normal", "normal", "watch"]


def test_from_watch_to_act_takes_no_waiting() -> None:
    assert levels([50, 70, 70, 120], a_rule(raise_after=2))[-2:] == ["watch", "act"]


def test_clearing_takes_so_many_ticks_in_a_row_and_falls_to_the_worst_of_them() -> None:
    rule = a_rule(clear_after=2)
    assert levels([120, 70, 50, 50, 50], rule) == ["act", "act", "watch", "watch", "normal"]


def test_the_first_reading_is_taken_at_its_word() -> None:
    state, crossing = step(State(), tick(0), 130.0, a_rule(raise_after=3))
    assert crossing == Crossing("unknown", "act")
    assert state.known == "act"


def test_a_corrected_tick_counts_once_and_undoes_what_it_did() -> None:
    rule = a_rule()
    state = after([50.0, 130.0], rule)
    state, crossing = step(state, tick(1), 50.0, rule)
    assert crossing == Crossing("act", "normal")
    assert state == after([50.0, 50.0], rule)


def test_silence_is_unknown_and_one_reading_brings_the_sign_back() -> None:
    rule = a_rule(clear_after=3)
    state, crossing = tell(go_silent(after([120.0], rule), tick(9)), rule)
    assert crossing == Crossing("act", "unknown")
    state, crossing = step(state, tick(10), 50.0, rule)
    assert crossing == Crossing("unknown", "normal")


def test_ticks_from_before_the_silence_do_not_bring_it_back() -> None:
    rule = a_rule()
    state = go_silent(after([50.0, 50.0, 50.0], rule), tick(9))
    assert standing_of(take(state, tick(1), 120.0, rule), rule).level == "unknown"


def test_closed_ticks_change_nothing() -> None:
    rule = a_rule()
    state = after([50.0] * 6, rule)
    assert take(state, tick(1), 180.0, rule) == state


@given(passes, debounces, debounces)
def test_the_same_tick_twice_is_once(readings: list[float], up: int, down: int) -> None:
    rule = a_rule(raise_after=up, clear_after=down)
    state = after(readings, rule)
    again, crossing = step(state, tick(len(readings) - 1), readings[-1], rule)
    assert again == state
    assert crossing is None


@given(passes, values, debounces, debounces)
def test_a_wrong_first_value_of_a_tick_leaves_no_trace(
    readings: list[float], wrong: float, up: int, down: int
) -> None:
    rule = a_rule(raise_after=up, clear_after=down)
    state = after(readings[:-1], rule)
    last = tick(len(readings) - 1)
    corrected = take(take(state, last, wrong, rule), last, readings[-1], rule)
    assert standing_of(corrected, rule) == standing_of(after(readings, rule), rule)


@given(passes, debounces)
def test_a_silent_sign_is_never_normal(readings: list[float], down: int) -> None:
    rule = a_rule(clear_after=down)
    silent, _ = tell(go_silent(after(readings, rule), tick(99)), rule)
    assert silent.told == "unknown"
    assert standing_of(State(), rule).level == "unknown"


@given(st.lists(st.floats(55.001, 60.0), min_size=1, max_size=20), st.sampled_from([50.0, 70.0]))
def test_nothing_crosses_inside_the_hysteresis_band(inside: list[float], first: float) -> None:
    rule = a_rule()
    state, _ = step(State(), tick(0), first, rule)
    for hour, value in enumerate(inside, start=1):
        state, crossing = step(state, tick(hour), value, rule)
        assert crossing is None


@given(passes, debounces, debounces)
def test_a_replayed_past_stands_where_the_live_one_stood(
    readings: list[float], up: int, down: int
) -> None:
    rule = a_rule(raise_after=up, clear_after=down)
    live = after(readings, rule)
    replayed = replay([(tick(hour), value) for hour, value in enumerate(readings)], rule)
    assert standing_of(replayed, rule) == standing_of(live, rule)
    assert (replayed.base, replayed.trail, replayed.floor_us) == (
        live.base, live.trail, live.floor_us,
    )  # fmt: skip
    assert replayed.told == "unknown"


@pytest.mark.parametrize(
    ("newest", "tick_end", "stale"),
    [(None, 0, True), (0, None, True), (90, 90, False), (89, 99, True), (99, 89, True)],
)
def test_staleness_looks_at_the_reading_and_at_the_tick(
    newest: Any, tick_end: Any, stale: bool
) -> None:
    found = is_stale(newest_us=newest, tick_end_us=tick_end, now_us=100, stale_after_us=10)
    assert found == stale


@pytest.mark.parametrize(
    ("previous", "level", "known", "kind"),
    [
        ("normal", "act", "normal", "real"),
        ("normal", "watch", "normal", None),
        ("act", "watch", "act", "recovered"),
        ("watch", "normal", "watch", None),
        ("act", "unknown", "act", None),
        ("unknown", "normal", "act", "recovered"),
        ("unknown", "act", None, "real"),
        ("unknown", "normal", None, None),
    ],
)
def test_news_is_what_passes_the_level_that_opens(
    previous: Any, level: Any, known: Any, kind: str | None
) -> None:
    assert event_kind(Crossing(previous, level), known, "act") == kind


@given(st.lists(st.booleans(), max_size=30))
def test_a_prediction_is_told_once_an_episode(expected: list[bool]) -> None:
    memory, told = Prediction(), []
    for one in expected:
        memory, news = foresee(memory, expected=one)
        told.append(news)
        assert not news or one
    for first, second in _news_pairs(told):
        quiet = expected[first + 1 : second]
        longest = max(len(run) for run in "".join("x" if e else "." for e in quiet).split("x"))
        assert longest >= REARM_AFTER


def _news_pairs(told: list[bool]) -> list[tuple[int, int]]:
    at = [index for index, news in enumerate(told) if news]
    return list(pairwise(at))


def test_bands_without_a_clearing_value_end_at_the_threshold() -> None:
    band: Band = a_band(above=60.0)
    assert level_of(60.0, [band], held="act", side="above").level == "normal"


def test_each_tick_is_held_against_the_bands_of_its_own_day_in_any_order() -> None:
    rule = a_rule(
        bands=(
            a_band(above=75.0, until=date(2026, 11, 22)),
            a_band(above=60.0, since=date(2026, 11, 23)),
        )
    )
    for hour, level in ((0, "normal"), (24, "act"), (0, "normal"), (48, "act"), (24, "act")):
        assert rule.verdict(tick(hour), 70.0, State().base).level == level


@given(passes, values, debounces)
def test_a_value_that_is_known_leaves_the_state_as_it_is(
    readings: list[float], last: float, down: int
) -> None:
    rule = a_rule(clear_after=down)
    state = after([*readings, last], rule)
    assert take(state, tick(len(readings)), last, rule) is state
