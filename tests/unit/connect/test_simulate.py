from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from shapely.geometry import Point, shape

from chengmai.connect.problems import SourceMissing
from chengmai.connect.reading import Reading
from chengmai.connect.simulate import (
    IncidentLog,
    SimulateConnector,
    SimulatedCity,
    load_town,
    town_geojson,
)
from chengmai.ngsild.entity import value_of
from chengmai.packs.feeds import SimulateFeed
from tests.unit.connect.builders import (
    NOW,
    SHANGHAI,
    SYSTEM,
    ListSink,
    MemoryCity,
    StridingPace,
    run_until_enough,
)

HOUR = timedelta(hours=1)


def a_city(seed: int = 7, origin: datetime = NOW) -> SimulatedCity:
    return SimulatedCity(seed, origin, SHANGHAI)


def a_feed(generator: str = "air_stations", period: str = "PT1H") -> SimulateFeed:
    return SimulateFeed.model_validate(
        {
            "id": "sim",
            "title": {"zh": "模拟", "en": "simulated"},
            "connector": "simulate",
            "entity": "AirQualityObserved",
            "period": period,
            "source": {"generator": generator, "backfill": "P2D"},
        }
    )


def course(city: SimulatedCity, generator: str, district: str, name: str) -> list[float | None]:
    """The values of one thing of a district from ten hours before the origin to ten after."""
    things, signal = city.generator(generator)
    thing = next(thing for thing in things if thing.district.id == district)
    found = [signal(thing, NOW + hour * HOUR) for hour in range(-10, 11)]
    return [None if values is None else float(values[name]) for values in found]


def test_the_town_has_eight_districts_that_do_not_overlap_and_hold_their_sensors() -> None:
    town = load_town()
    features = town_geojson()["features"]
    shapes = {
        f["properties"]["id"]: shape(f["geometry"])
        for f in features
        if f["properties"]["kind"] == "district"
    }
    assert len(town.districts) == len(shapes) == 8
    assert all(part.is_valid for part in shapes.values())
    overlap = [
        a for a in shapes for b in shapes if a < b and shapes[a].intersection(shapes[b]).area > 1e-9
    ]
    assert overlap == []
    assert len({detector.id for detector in town.detectors}) == len(town.detectors) == 24
    for detector in town.detectors:
        assert shapes[detector.district.id].distance(Point(detector.place)) < 1e-3


def test_the_same_seed_and_instant_give_the_same_city_in_whatever_order_it_is_asked() -> None:
    one, other = a_city(), a_city()
    for generator in ("road_detectors", "air_stations", "transformers", "grid_points"):
        things, signal = one.generator(generator)
        times = [NOW + hour * HOUR for hour in range(24)]
        forward = [signal(thing, at) for at in times for thing in things]
        again, same_signal = other.generator(generator)
        backward = [same_signal(thing, at) for at in reversed(times) for thing in reversed(again)]
        assert forward == backward[::-1]


def test_another_seed_gives_another_city() -> None:
    assert course(a_city(1), "weather_stations", "liuqiao", "temperature") != course(
        a_city(2), "weather_stations", "liuqiao", "temperature"
    )


@pytest.mark.parametrize("origin", [NOW, NOW + timedelta(days=200, hours=9)])
def test_a_rainstorm_is_going_on_at_the_start_and_slows_the_traffic(origin: datetime) -> None:
    city = a_city(origin=origin)
    going_on = {label.kind for label in city.labels(origin, origin + HOUR / 60)}
    assert {"rainstorm", "inversion"} <= going_on
    things, road = city.generator("road_detectors")
    detector = next(thing for thing in things if thing.district.id == "jiangwan")
    slow, free = road(detector, origin + HOUR), road(detector, origin - 5 * HOUR)
    assert slow is not None
    assert free is not None
    assert float(slow["averageSpeed"]) < 0.5 * float(free["averageSpeed"])


def test_incidents_show_in_the_signals_of_their_place_only() -> None:
    city = a_city()
    dirty = course(city, "air_stations", "shiping", "pm25")
    clean = course(city, "air_stations", "liuqiao", "pm25")
    assert max(v for v in dirty if v is not None) > 150
    assert max(v for v in clean if v is not None) < 75
    assert None in course(city, "road_detectors", "beizhou", "averageSpeed")
    load = course(city, "transformers", "dongpu", "activePower")
    assert max(v for v in load if v is not None) > 0.95 * 50
    stuck = course(city, "air_stations", "qingling", "pm25")
    assert len(set(stuck[-6:])) == 1


def test_labels_touch_the_time_asked_for() -> None:
    city = a_city()
    start, end = NOW - timedelta(days=60), NOW - timedelta(days=30)
    labels = city.labels(start, end)
    assert labels
    assert all(label.start < end and label.end > start for label in labels)
    assert len({label.id for label in labels}) == len(labels)


async def test_the_feed_brings_the_past_and_then_each_step_once() -> None:
    sink, pace = ListSink(), StridingPace(at=NOW + timedelta(minutes=20), end=NOW + 6 * HOUR)
    await run_until_enough(SimulateConnector(a_feed(), a_city(), pace), sink)
    assert {r.observed_at for r in sink.past} == {NOW - hour * HOUR for hour in range(48)}
    assert {r.observed_at for r in sink.live} == {NOW + hour * HOUR for hour in range(1, 7)}
    assert len(sink.past) + len(sink.live) == 8 * 54


async def test_a_killed_simulation_goes_on_where_it_was() -> None:
    whole, killed = ListSink(), ListSink(dies_after=3)
    await run_until_enough(SimulateConnector(a_feed(), a_city(), StridingPace()), whole)
    pace = StridingPace()
    await run_until_enough(SimulateConnector(a_feed(), a_city(), pace), killed)
    killed.dies_after = None
    await run_until_enough(SimulateConnector(a_feed(), a_city(), StridingPace(at=pace.at)), killed)

    def keys(readings: list[Reading]) -> list[tuple[str, datetime]]:
        return [(r.entity_id, r.observed_at) for r in readings]

    assert keys(killed.past + killed.live) == keys(whole.past + whole.live)


def test_a_generator_that_is_not_there_is_named() -> None:
    with pytest.raises(SourceMissing, match="volcano"):
        SimulateConnector(a_feed("volcano"), a_city(), StridingPace())


async def test_incidents_are_written_once_they_have_begun_and_only_once() -> None:
    memory = MemoryCity()
    log = IncidentLog(a_city(), memory, memory, StridingPace(), by=SYSTEM)
    first = await log.write(NOW - HOUR, NOW)
    again = await log.write(NOW - HOUR, NOW)
    later = await log.write(NOW, NOW + 5 * HOUR)
    assert (first, again, later) == (3, 0, 4)
    assert all(value_of(e, "startsAt") <= "2026-11-22T09" for e in memory.entities.values())
    assert all(value_of(e, "simulated") is True for e in memory.entities.values())
