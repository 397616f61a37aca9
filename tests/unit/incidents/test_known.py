"""The alarms of incidents that were looked at before."""

from __future__ import annotations

from chengmai.incidents.known import KnownAlarms
from chengmai.incidents.rules import alarms_of
from tests.unit.incidents.builders import City


def test_the_alarms_of_an_incident_are_made_once_while_it_stands() -> None:
    city, known = City(), KnownAlarms()
    city.cross()
    (incident,) = city.open()
    made = known.of(incident)
    assert made == alarms_of(incident)
    assert known.of(incident) is made


def test_an_incident_that_has_grown_has_its_new_alarms() -> None:
    city, known = City(), KnownAlarms()
    city.cross("env/rain")
    (small,) = city.open()
    known.of(small)
    city.cross("env/water")
    (grown,) = city.open()
    assert [one.sign for one in known.of(grown)] == ["env/rain", "env/water"]
    assert [one.sign for one in known.of(small)] == ["env/rain"]


def test_no_more_than_a_bounded_number_is_kept() -> None:
    city, known = City(), KnownAlarms(most=2)
    city.cross()
    (incident,) = city.open()
    for name in ("a", "b", "c"):
        known.of(incident.model_copy(update={"id": name}))
    assert len(known) <= 2
