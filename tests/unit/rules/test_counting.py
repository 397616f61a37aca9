"""Counting, duration and recovery against a plain reading of their definition."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chengmai.rules.counting import Counters, Episode, Reading, Timing, episodes, taken
from chengmai.rules.judging import News, State, judged, state_json, state_of

END = 60
_HALF = 0.5


def brute(readings: Sequence[Reading], timing: Timing, now: int) -> list[Episode]:
    """Find every episode by trying each instant in turn, as the definition is written."""
    found: list[Episode] = []
    turned, fired = -1, None
    while True:
        mine = [one for one in readings if one.at_us > turned]
        test = _fires if fired is None else _is_over
        at = next((t for t in range(turned + 1, now + 1) if test(mine, timing, t)), None)
        if at is None:
            return found if fired is None else [*found, Episode(fired)]
        if fired is None:
            fired = at
        else:
            found.append(Episode(fired, at))
            fired = None
        turned = at


def _fires(mine: Sequence[Reading], timing: Timing, t: int) -> bool:
    if timing.for_us:
        return _lasts(mine, timing, t, timing.for_us, "holds")
    if not any(one.at_us == t and one.holds for one in mine):
        return False
    if timing.within_us is None:
        return True
    inside = [one for one in mine if one.holds and t - timing.within_us < one.at_us <= t]
    return len(inside) >= timing.count


def _is_over(mine: Sequence[Reading], timing: Timing, t: int) -> bool:
    if timing.recovers_us:
        return _lasts(mine, timing, t, timing.recovers_us, "recovers")
    return any(one.at_us == t and one.recovers for one in mine)


def _lasts(mine: Sequence[Reading], timing: Timing, t: int, length: int, what: str) -> bool:
    """Return whether at every instant of [t - length, t) some reading speaks and says so."""
    for step in range(2 * length):
        instant = t - length + step * _HALF
        spoken = [one for one in mine if one.at_us <= instant]
        if not spoken or not getattr(spoken[-1], what):
            return False
        if timing.silent_us is not None and instant > spoken[-1].at_us + timing.silent_us:
            return False
    return True


lengths = st.integers(1, 12)
timings = st.one_of(
    st.builds(Timing),
    st.builds(Timing, count=st.integers(2, 4), within_us=lengths),
    st.builds(Timing, for_us=lengths),
).flatmap(
    lambda one: st.builds(
        Timing,
        count=st.just(one.count),
        within_us=st.just(one.within_us),
        for_us=st.just(one.for_us),
        recovers_us=st.integers(0, 6),
        silent_us=st.none() | st.integers(1, 8),
    )
)
series = st.dictionaries(
    st.integers(0, END), st.sampled_from(["holds", "recovers", "neither", "both"]), max_size=25
).map(
    lambda found: [
        Reading(at, said in ("holds", "both"), said in ("recovers", "both"))
        for at, said in sorted(found.items())
    ]
)


@given(series, timings)
@settings(max_examples=600, deadline=None)
@example([Reading(0, True, False), Reading(5, False, True)], Timing(for_us=5))
def test_episodes_are_those_of_the_definition(readings: list[Reading], timing: Timing) -> None:
    now = END + 15

    _, found = episodes(readings, timing, now)

    assert found == brute(readings, timing, now)


@given(series, timings, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_the_order_of_arrival_does_not_matter_within_the_time_for_late_ones(
    readings: list[Reading], timing: Timing, random: object
) -> None:
    shuffled = list(readings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    timing = Timing(
        timing.count,
        timing.within_us,
        timing.for_us,
        timing.recovers_us,
        timing.silent_us,
        late_us=10 * END,
    )
    state = State()
    active: dict[str, bool] = {}
    for reading in shuffled:
        result = judged(state, timing, reading, END + 15)
        state = state_of(state_json(result.state))
        for news in result.news:
            active[news.firing] = news.turn in ("fired", "resumed")

    told = [Episode(one.start_us, one.end_us) for one in state.told]
    assert told == brute(readings, timing, END + 15)
    assert sum(active.values()) == sum(one.end_us is None for one in told)


@given(series, timings)
@settings(max_examples=300, deadline=None)
def test_readings_one_by_one_with_the_clock_tell_each_turn_once(
    readings: list[Reading], timing: Timing
) -> None:
    state = State()
    told: list[News] = []
    for now in range(END + 16):
        for reading in (one for one in readings if one.at_us == now):
            result = judged(state, timing, reading, now)
            state, told = result.state, [*told, *result.news]
        result = judged(state, timing, None, now)
        state, told = result.state, [*told, *result.news]

    wanted = []
    for episode in brute(readings, timing, END + 15):
        wanted.append(("fired", episode.start_us))
        if episode.end_us is not None:
            wanted.append(("recovered", episode.end_us))
    assert [(one.turn, one.at_us) for one in told] == wanted


def test_counters_stay_small_whatever_comes() -> None:
    timing = Timing(count=3, within_us=10**9)
    counters = Counters()
    for at in range(1000):
        counters, _ = taken(counters, timing, Reading(at, at % 3 == 0, False))
        assert len(counters.hits) <= 3


def test_silence_is_neither_holding_nor_recovery() -> None:
    timing = Timing(for_us=10, recovers_us=10, silent_us=5)
    _, none = episodes([Reading(0, True, False)], timing, 1000)
    held = [Reading(at, True, False) for at in range(0, 11, 5)]
    _, fired = episodes([*held, Reading(15, False, True)], timing, 1000)

    assert none == []
    assert fired == [Episode(10)]


def test_a_late_reading_takes_back_what_it_contradicts() -> None:
    timing = Timing(for_us=10, late_us=100)
    first = judged(State(), timing, Reading(0, True, False), 12)
    late = judged(first.state, timing, Reading(5, False, True), 13)

    assert [one.turn for one in first.news] == ["fired"]
    assert [one.turn for one in late.news] == ["withdrawn"]


def test_a_reading_that_comes_too_late_is_counted_and_not_judged() -> None:
    timing = Timing(late_us=10)
    state = judged(State(), timing, Reading(100, False, True), 100).state
    state = judged(state, timing, Reading(120, False, True), 120).state
    late = judged(state, timing, Reading(50, True, False), 121)

    assert not late.news
    assert late.state.dropped == 1


def test_hits_before_a_recovery_do_not_count_again() -> None:
    timing = Timing(count=2, within_us=100)
    said = [(0, True), (1, True), (2, False), (3, True), (4, False), (5, True)]
    _, found = episodes([Reading(at, yes, not yes) for at, yes in said], timing, 10)

    assert found == [Episode(1, 2), Episode(5)]
    assert all(one.start_us < two.start_us for one, two in pairwise(found))
