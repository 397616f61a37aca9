from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from chengmai.incidents import Alarm, fold, touching
from chengmai.incidents.folding import cause_of, gap_us
from tests.unit.incidents.builders import an_alarm, chains, vital

CHAINS = chains()
SIGNS = ("env/rain", "env/water", "roads/delay", "care/ambulance", "env/lift")


@st.composite
def alarms(draw: st.DrawFn) -> list[Alarm]:
    """Draw alarms of different signs and areas within a day; a sign may come again."""
    made = []
    for _ in range(draw(st.integers(0, 9))):
        start = draw(st.integers(0, 1440))
        length = draw(st.one_of(st.none(), st.integers(0, 240)))
        made.append(
            an_alarm(
                draw(st.sampled_from(SIGNS)),
                draw(st.sampled_from(("East", "West", "Far"))),
                start,
                None if length is None else start + length,
                nature=draw(st.sampled_from(("event", "event", "fault"))),
            )
        )
    return made


def groups(*made: Alarm) -> set[frozenset[str]]:
    return {frozenset(alarm.vital for alarm in group) for group in fold(made, CHAINS)}


@given(st.data())
def test_the_order_in_which_alarms_come_changes_no_incident(data: st.DataObject) -> None:
    made = data.draw(alarms())
    assert fold(made, CHAINS) == fold(data.draw(st.permutations(made)), CHAINS)


@given(st.data())
def test_an_alarm_told_again_changes_no_incident(data: st.DataObject) -> None:
    made = data.draw(alarms())
    again = made + data.draw(st.lists(st.sampled_from(made), max_size=5)) if made else []
    assert fold(made, CHAINS) == fold(again, CHAINS)


@given(alarms())
def test_every_alarm_is_in_exactly_one_incident(made: Sequence[Alarm]) -> None:
    inside = [alarm for group in fold(made, CHAINS) for alarm in group]
    assert sorted(map(repr, inside)) == sorted(map(repr, set(made)))


@given(alarms())
def test_nothing_related_is_left_apart(made: Sequence[Alarm]) -> None:
    folded = {str(n): list(group) for n, group in enumerate(fold(made, CHAINS))}
    for name, group in folded.items():
        others = {other: members for other, members in folded.items() if other != name}
        assert all(not touching(alarm, others, CHAINS) for alarm in group)


@given(alarms())
def test_being_related_is_the_same_either_way_round(made: Sequence[Alarm]) -> None:
    assert all(
        CHAINS.related(one, other) == CHAINS.related(other, one) for one in made for other in made
    )


@given(alarms())
def test_a_link_between_two_alarms_is_seen_whatever_else_they_share(made: Sequence[Alarm]) -> None:
    for one in made:
        for other in made:
            if CHAINS.link(one, other):
                assert CHAINS.related(one, other)


def test_rain_water_and_traffic_of_one_area_are_one_incident() -> None:
    rain, water = an_alarm("env/rain"), an_alarm("env/water", start=60)
    delay = an_alarm("roads/delay", start=120)
    assert len(groups(rain, water, delay)) == 1


def test_what_no_chain_connects_stays_apart_in_one_place_and_time() -> None:
    assert len(groups(an_alarm("env/rain"), an_alarm("env/lift", start=5))) == 2


def test_one_sign_folds_within_the_distance_of_the_pack_and_not_beyond() -> None:
    east, west, far = (an_alarm("env/rain", area) for area in ("East", "West", "Far"))
    assert groups(east, west, far) == {
        frozenset({east.vital, west.vital}),
        frozenset({far.vital}),
    }


def test_an_effect_longer_after_than_the_chain_allows_stays_apart() -> None:
    rain = an_alarm("env/rain", end=30)
    assert len(groups(rain, an_alarm("env/water", start=30 + 181))) == 2
    assert len(groups(rain, an_alarm("env/water", start=30 + 179))) == 1


def test_an_effect_that_was_there_before_its_cause_is_none() -> None:
    rain = an_alarm("env/rain", start=120)
    assert len(groups(rain, an_alarm("roads/delay", start=30, end=40))) == 2


def test_a_suspected_sensor_is_never_folded_with_events() -> None:
    rain = an_alarm("env/rain")
    assert len(fold([rain, an_alarm("env/rain", nature="fault")], CHAINS)) == 2


def test_the_cause_is_the_root_of_the_chain_and_the_rest_follows() -> None:
    made = [an_alarm("roads/delay", start=90), an_alarm("env/water", start=60), an_alarm()]
    cause, effects, because = cause_of(made, CHAINS)
    assert cause == vital("env/rain", "East")
    assert effects == (vital("env/water", "East"), vital("roads/delay", "East"))
    assert [one.en for one in because] == [
        "env/rain leads to env/water",
        "env/rain leads to roads/delay",
        "env/water leads to roads/delay",
    ]


def test_alarms_without_a_chain_have_no_cause() -> None:
    assert cause_of([an_alarm(area="East"), an_alarm(area="West")], CHAINS) == (None, (), ())


@given(alarms())
def test_nothing_beyond_its_reach_is_related_to_an_alarm(made: Sequence[Alarm]) -> None:
    assert all(
        gap_us(one, other) <= CHAINS.reach_us(one.sign)
        for one in made
        for other in made
        if one is not other and CHAINS.related(one, other)
    )
