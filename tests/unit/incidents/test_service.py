from __future__ import annotations

import pytest

from chengmai.incidents import State, Step
from chengmai.incidents.model import Incident
from chengmai.incidents.problems import (
    IncidentChanged,
    IncidentOver,
    LevelNotHigher,
    MergeNotPossible,
    NothingToUndo,
    ReasonUnknown,
    SplitInvalid,
)
from chengmai.kernel.events import CaseMoved
from chengmai.ngsild.entity import value_of
from tests.unit.incidents.builders import City, vital


@pytest.fixture
def city() -> City:
    return City()


def a_storm(city: City) -> Incident:
    """Return the incident of rain, then water, then delay, in one area."""
    for sign in ("env/rain", "env/water", "roads/delay"):
        city.cross(sign)
        city.wait(minutes=30)
    (incident,) = city.open()
    return incident


def steps(city: City, incident: Incident) -> list[str]:
    return [line.step.value for line in city.run(city.incidents.log("city", incident.id))]


def test_a_chain_of_alarms_is_one_incident_named_after_its_cause(city: City) -> None:
    storm = a_storm(city)
    assert storm.title.en == "rain, East → water and 1 more"
    assert storm.cause == vital("env/rain", "East")
    assert steps(city, storm) == ["open", "extend", "extend"]


def test_the_incident_is_an_entity_with_its_members_as_relationships(city: City) -> None:
    storm = a_storm(city)
    kept = city.model.entities[storm.id]
    members = [one["object"] for one in value_of(kept, "hasMember")]
    assert members == [one.vital for one in storm.members]
    assert value_of(kept, "incidentState") == "open"


def test_an_incident_ends_with_its_last_alarm(city: City) -> None:
    storm = a_storm(city)
    city.recover("env/rain")
    city.recover("env/water")
    assert city.get(storm).state is State.OPEN
    city.recover("roads/delay")
    assert city.get(storm).state is State.ENDED
    assert value_of(city.model.entities[storm.id], "incidentState") == "ended"


def test_silence_is_no_recovery(city: City) -> None:
    city.cross()
    (incident,) = city.open()
    city.cross(level="unknown", kind="real", previous_level="act")
    assert len(city.get(incident).standing) == 1


def test_an_alarm_that_comes_again_soon_opens_its_incident_again(city: City) -> None:
    city.cross()
    (incident,) = city.open()
    city.recover()
    city.wait(minutes=30)
    city.cross()
    assert [one.id for one in city.open()] == [incident.id]
    assert city.get(incident).members[0].times == 2


def test_an_alarm_that_comes_long_after_is_a_new_incident(city: City) -> None:
    city.cross()
    (first,) = city.open()
    city.recover()
    city.wait(hours=5)
    city.cross()
    assert [one.id for one in city.open()] != [first.id]


def test_the_same_crossing_told_twice_adds_nothing(city: City) -> None:
    city.cross()
    (incident,) = city.open()
    city.cross()
    assert city.get(incident).version == incident.version


def test_a_bridging_alarm_merges_two_incidents_into_the_older(city: City) -> None:
    city.cross("env/rain")
    city.wait(minutes=10)
    city.cross("care/ambulance")
    newer, older = city.open()
    city.cross("roads/delay")
    assert [one.id for one in city.open()] == [older.id]
    gone = city.get(newer)
    assert (gone.state, gone.merged_into) == (State.MERGED, older.id)
    assert len(city.get(older).members) == 3


def test_a_suspected_sensor_is_an_incident_of_its_own(city: City) -> None:
    city.cross()
    city.suspect()
    assert sorted(one.nature for one in city.open()) == ["event", "fault"]


def test_many_sensors_that_fail_in_one_way_are_one_incident(city: City) -> None:
    for area in ("East", "West", "Far"):
        city.suspect(area, "silent")
    (incident,) = city.open()
    assert len(incident.members) == 3
    assert incident.title.en == "Data quality: rain, East (silent) and 2 more"


def test_a_crossing_of_a_suspected_sensor_opens_no_incident_of_an_event(city: City) -> None:
    city.cross(fault="stuck")
    assert city.open() == []


def test_what_was_expected_and_did_not_come_ends(city: City) -> None:
    city.cross(kind="predicted", expected_at=city.clock.now())
    (incident,) = city.open()
    city.wait(hours=3)
    assert city.run(city.incidents.settle("city")) == 1
    assert city.get(incident).state is State.ENDED


def test_the_case_of_a_member_is_part_of_the_incident(city: City) -> None:
    city.cross()
    (incident,) = city.open()
    moved = CaseMoved(
        "city", city.clock.now(), "case-1", "open", "opened", "sys", vital("env/rain", "East")
    )
    city.tell(moved)
    assert city.get(incident).cases == ("case-1",)


def test_people_raise_the_level_and_take_it_back(city: City) -> None:
    city.cross(level="watch")
    (incident,) = city.open()
    raised = city.decide(incident, Step.RAISE, level="act", reason="spreading")
    assert raised.level == "act"
    assert city.decide(incident, Step.UNDO).level == "watch"
    with pytest.raises(NothingToUndo):
        city.decide(incident, Step.UNDO)


def test_a_raised_level_holds_while_its_alarms_fall(city: City) -> None:
    city.cross(level="watch")
    (incident,) = city.open()
    city.decide(incident, Step.RAISE, level="act", reason="spreading")
    city.cross("env/water", level="watch")
    city.recover("env/rain")
    assert city.get(incident).level == "act"


def test_a_decision_needs_a_reason_of_its_own(city: City) -> None:
    city.cross(level="watch")
    (incident,) = city.open()
    with pytest.raises(ReasonUnknown, match="spreading"):
        city.decide(incident, Step.STAND_DOWN, reason="spreading")


def test_a_level_is_only_raised(city: City) -> None:
    city.cross(level="act")
    (incident,) = city.open()
    with pytest.raises(LevelNotHigher):
        city.decide(incident, Step.RAISE, level="act", reason="spreading")


def test_people_stand_an_incident_down_and_take_it_back(city: City) -> None:
    storm = a_storm(city)
    assert city.decide(storm, Step.STAND_DOWN, reason="exercise").state is State.ENDED
    assert city.open() == []
    assert city.decide(storm, Step.UNDO).state is State.OPEN


def test_undoing_a_stand_down_after_all_is_over_leaves_it_ended(city: City) -> None:
    city.cross()
    (incident,) = city.open()
    city.decide(incident, Step.STAND_DOWN, reason="handled")
    city.recover()
    assert city.decide(incident, Step.UNDO).state is State.ENDED


def test_a_stood_down_incident_stays_so_for_what_is_no_worse(city: City) -> None:
    city.cross(level="watch")
    (incident,) = city.open()
    city.decide(incident, Step.STAND_DOWN, reason="planned_work")
    city.cross("env/water", level="watch")
    assert city.open() == []
    assert len(city.get(incident).members) == 2


def test_act_opens_a_stood_down_incident_again(city: City) -> None:
    city.cross(level="watch")
    (incident,) = city.open()
    city.decide(incident, Step.STAND_DOWN, reason="planned_work")
    city.cross(level="act")
    assert [one.id for one in city.open()] == [incident.id]


def test_people_merge_and_take_it_back(city: City) -> None:
    city.cross("env/rain", "East")
    city.cross("env/rain", "Far")
    far, east = city.open()
    city.decide(far, Step.MERGE, other=east.id, reason="same_cause")
    assert len(city.get(east).members) == 2
    assert city.decide(far, Step.UNDO).state is State.OPEN
    assert [len(one.members) for one in city.open()] == [1, 1]


def test_what_people_parted_is_not_folded_again(city: City) -> None:
    storm = a_storm(city)
    rest = city.decide(
        storm, Step.SPLIT, members=(vital("roads/delay", "East"),), reason="other_cause"
    )
    assert len(rest.members) == 2
    city.cross("care/ambulance")
    city.cross("env/rain", level="act", previous_level="watch")
    assert sorted(len(one.members) for one in city.open()) == [2, 2]


def test_a_split_can_be_taken_back(city: City) -> None:
    storm = a_storm(city)
    city.decide(storm, Step.SPLIT, members=(vital("roads/delay", "East"),), reason="other_cause")
    assert len(city.decide(storm, Step.UNDO).members) == 3
    assert len(city.open()) == 1


def test_a_split_leaves_something_on_both_sides(city: City) -> None:
    storm = a_storm(city)
    everything = tuple(one.vital for one in storm.members)
    for members in ((), everything, ("urn:ngsi-ld:VitalSign:x",)):
        with pytest.raises(SplitInvalid):
            city.decide(storm, Step.SPLIT, members=members, reason="other_cause")


def test_an_incident_is_not_merged_into_itself(city: City) -> None:
    storm = a_storm(city)
    with pytest.raises(MergeNotPossible):
        city.decide(storm, Step.MERGE, other=storm.id, reason="duplicate")


def test_what_is_over_is_not_decided_on(city: City) -> None:
    city.cross(level="watch")
    (incident,) = city.open()
    city.recover()
    with pytest.raises(IncidentOver):
        city.decide(incident, Step.RAISE, level="act", reason="spreading")


def test_an_order_on_what_has_changed_is_refused(city: City) -> None:
    storm = a_storm(city)
    with pytest.raises(IncidentChanged):
        city.decide(storm, Step.STAND_DOWN, reason="handled", version=storm.version - 1)


def test_the_same_order_sent_again_changes_nothing(city: City) -> None:
    storm = a_storm(city)
    once = city.decide(storm, Step.COMMENT, note="on site", key="k")
    assert city.decide(storm, Step.COMMENT, note="on site", key="k").version == once.version


def test_a_firing_is_an_incident_that_ends_when_it_recovers(city: City) -> None:
    firing = city.fire()
    (incident,) = city.open()
    assert [(one.vital, one.sign) for one in incident.members] == [(firing, "env/tilt")]
    city.fire(kind="recovered")
    assert city.get(incident).state is State.ENDED


def test_firings_of_one_rule_near_each_other_are_one_incident(city: City) -> None:
    city.fire("one")
    city.fire("two")
    city.fire("far", area="Far", place=(121.0, 30.0))
    assert sorted(len(one.members) for one in city.open()) == [1, 2]


def test_firings_on_things_that_no_area_is_known_of_stay_apart(city: City) -> None:
    city.fire("one", area="")
    city.fire("two", area="")
    assert [len(one.members) for one in city.open()] == [1, 1]


def test_a_firing_joins_the_alarm_of_a_sign_that_opens_the_same_category(city: City) -> None:
    city.cross(category="flood")
    city.fire(category="flood")
    assert [len(one.members) for one in city.open()] == [2]


def test_a_rule_of_a_chain_follows_from_its_cause(city: City) -> None:
    city.cross("env/water")
    firing = city.fire(key="env/pump")
    (incident,) = city.open()
    assert (incident.cause, incident.effects) == (vital("env/water", "East"), (firing,))


def test_the_case_of_a_firing_is_a_case_of_its_incident(city: City) -> None:
    firing = city.fire()
    city.tell(
        CaseMoved(
            tenant="city",
            at=city.clock.now(),
            case_id="urn:ngsi-ld:CityCase:1",
            step="open",
            state="reported",
            by="sys:cases",
            firing=firing,
        )
    )
    assert city.open()[0].cases == ("urn:ngsi-ld:CityCase:1",)
