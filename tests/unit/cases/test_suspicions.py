"""Suspected sensors: cases of data quality, apart from those of the domain."""

from __future__ import annotations

from chengmai.kernel.events import SensorSuspected
from chengmai.kernel.work import Tx
from tests.unit.cases.builders import MONDAY, VITAL, City, a_crossing, words


def a_suspicion(fault: str = "stuck", *, begun: bool = True) -> SensorSuspected:
    return SensorSuspected(
        tenant="city",
        at=MONDAY,
        vital_id=VITAL,
        sign="pm25",
        pack="environment",
        area="Haidian",
        fault=fault,
        begun=begun,
        since=MONDAY,
        title=words("PM2.5"),
        reason=words("stays at 42"),
    )


def suspect(city: City, *suspicions: SensorSuspected) -> None:
    city.events.subscribe(SensorSuspected, city.cases.on_sensor_suspected)
    for one in suspicions:
        emit(city, one)


def emit(city: City, suspicion: SensorSuspected) -> None:
    def tell(tx: Tx) -> None:
        city.events.emit(tx, suspicion)

    city.run(city.work.write(tell))


def test_a_suspected_sensor_opens_a_case_of_data_quality_and_none_of_the_domain() -> None:
    city = City()
    suspect(city, a_suspicion())
    (case,) = city.live()
    assert (case.category, case.sensor, case.vital, case.level) == (
        "sensor_fault",
        VITAL,
        None,
        "watch",
    )
    assert case.title.en == "Data quality: PM2.5, Haidian"


def test_a_silent_sensor_opens_no_case() -> None:
    city = City()
    suspect(city, a_suspicion("silent"))
    assert city.live() == []


def test_a_crossing_of_a_suspected_sensor_raises_its_case_and_opens_none_of_the_domain() -> None:
    city = City()
    suspect(city, a_suspicion())
    city.cross(a_crossing(level="act", fault="stuck"))
    (case,) = city.live()
    assert (case.category, case.level) == ("sensor_fault", "act")


def test_a_doubtful_recovery_is_none() -> None:
    city = City()
    city.cross(a_crossing())
    city.cross(a_crossing("recovered", "normal", fault="drift"))
    assert [case.recovered for case in city.live()] == [False]


def test_when_the_suspicion_ends_the_case_of_the_domain_opens_beside() -> None:
    city = City()
    suspect(city, a_suspicion(), a_suspicion(begun=False))
    city.cross(a_crossing())
    assert {case.category: case.recovered for case in city.live()} == {
        "sensor_fault": True,
        "air": False,
    }


def test_a_sensor_that_is_suspected_again_has_one_case() -> None:
    city = City()
    suspect(city, a_suspicion(), a_suspicion(begun=False))
    emit(city, a_suspicion("drift"))
    (case,) = city.live()
    assert not case.recovered
