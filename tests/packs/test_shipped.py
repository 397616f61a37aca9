"""The shipped packs: free of findings, wide enough, and their queries give what `expect/` says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from chengmai.connect.simulate import SimulatedCity
from chengmai.history.model import Columns
from chengmai.kernel.instants import from_us, to_us
from chengmai.packs import check_packs, read_packs, shipped_packs
from chengmai.packs.model import (
    EntitySpec,
    Expectation,
    GivenReading,
    Pack,
    SimulateFeed,
    VitalSpec,
)
from chengmai.store.duckdb.analysis import DuckAnalysis
from chengmai.vitals.instants import instants_of
from chengmai.vitals.ports import ViewRows
from chengmai.vitals.problems import SqlRefused
from chengmai.vitals.signs import tables_of
from chengmai.vitals.sql import check_sql

ZONE = ZoneInfo("Asia/Shanghai")
PACKS = {pack.info.id: pack for pack in read_packs([shipped_packs()])}


PLATFORM = {
    *("cityscape/handled_in_time", "cityscape/overdue_backlog", "cityscape/overdue_cases"),
    *("government/failed_sign_ins", "government/locked_accounts"),
    *("sensing/late_feeds", "sensing/rejected_share"),
}


def column_of(attribute: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", attribute).lower()


def numbers(entity: EntitySpec) -> list[str]:
    specs = entity.attributes.items()
    return [name for name, s in specs if s.value == "number" and not s.static]


def statics(entity: EntitySpec) -> list[str]:
    return [name for name, s in entity.attributes.items() if s.static and s.kind == "Property"]


def views_of(pack: Pack) -> dict[str, list[str]]:
    return {
        entity.view: [column_of(a) for a in (*numbers(entity), *statics(entity))]
        for entity in pack.entities
    }


def sql_problems(pack: Pack, vital: VitalSpec) -> list[str]:
    try:
        check_sql(vital.sql, views_of(pack), tables=tables_of([pack]))
    except SqlRefused as problem:
        return [problem.detail]
    return []


def view_rows(entity: EntitySpec, given: list[GivenReading]) -> ViewRows:
    measured, constant = numbers(entity), statics(entity)
    texts = {column_of(name) for name in constant if entity.attributes[name].value == "text"}
    ids = list(dict.fromkeys(reading.id for reading in given))
    areas = {reading.id: reading.area for reading in given}
    constants: dict[str, dict[str, float | str]] = {column_of(name): {} for name in constant}
    rows: list[tuple[int, int, int, float]] = []
    for reading in given:
        assert reading.at is not None
        for name in set(constant) & set(reading.values):
            constants[column_of(name)][reading.id] = reading.values[name]
        for number in range(reading.repeat):
            at = to_us(reading.at + number * reading.every)
            for name in set(measured) & set(reading.values):
                value = float(reading.values[name])
                rows.append((ids.index(reading.id), measured.index(name), at, value))
    columns = Columns(
        entities=ids,
        areas=[areas[name] for name in ids],
        attributes=[column_of(name) for name in measured],
        entity=np.array([row[0] for row in rows], dtype=np.int32),
        attribute=np.array([row[1] for row in rows], dtype=np.int32),
        at_us=np.array([row[2] for row in rows], dtype=np.int64),
        value=np.array([row[3] for row in rows], dtype=np.float64),
    )
    return ViewRows(entity.view, instants_of(columns), constants, frozenset(texts))


def evaluate(
    pack: Pack, vital: VitalSpec, given: list[GivenReading]
) -> dict[tuple[str, datetime], float]:
    checked = check_sql(vital.sql, views_of(pack), tables=tables_of([pack]))
    views = [
        view_rows(entity, [reading for reading in given if reading.entity == entity.type])
        for entity in pack.entities
        if entity.view in checked.views
    ]
    found = DuckAnalysis(threads=1).evaluate(
        checked,
        views,
        start_us=0,
        end_us=2**60,
        step=vital.step,
        zone=ZONE,
        tables=[table for table in pack.tables if table.id in checked.tables],
    )
    return {(area, from_us(tick)): value for area, tick, value in found}


def expectations() -> Iterator[tuple[str, Expectation]]:
    for pack in PACKS.values():
        for expectation in pack.expectations:
            yield pack.info.id, expectation


def test_the_linter_and_the_engine_find_nothing_wrong() -> None:
    assert check_packs(list(PACKS.values())) == []
    refused = {
        vital.id: problems
        for pack in PACKS.values()
        for vital in pack.vitals
        if (problems := sql_problems(pack, vital))
    }
    assert refused == {}


def test_the_packs_are_as_wide_as_promised() -> None:
    assert set(PACKS) == {
        *("transport", "power", "health", "government", "environment"),
        *("carbon", "sensing", "wireless", "cityscape", "community"),
    }
    assert sum(len(pack.vitals) for pack in PACKS.values()) >= 55
    assert all(len(pack.vitals) >= 4 for pack in PACKS.values())


def test_every_sign_has_an_expectation_worked_out_by_hand() -> None:
    for pack in PACKS.values():
        expected = {vital.sign for one in pack.expectations for vital in one.vitals}
        assert {vital.id for vital in pack.vitals} - expected == set(), pack.info.id


def test_every_pool_has_an_expectation_worked_out_by_hand() -> None:
    for pack in PACKS.values():
        expected = {pool.pool for one in pack.expectations for pool in one.pools}
        assert {pool.id for pool in pack.pools} - expected == set(), pack.info.id
    assert {"transport", "power", "health", "community"} <= {
        name for name, pack in PACKS.items() if pack.pools
    }


def test_a_threshold_from_memory_or_of_our_own_is_marked_so() -> None:
    for pack in PACKS.values():
        for vital in pack.vitals:
            for band in vital.bands:
                chosen = "本市选" in band.source.zh or "by the city" in band.source.en
                assert not (chosen and band.trust == "S"), f"{vital.id}: {band.source}"


@pytest.mark.parametrize(
    ("pack_id", "expectation"),
    list(expectations()),
    ids=[f"{pack}-{e.title.en}" for pack, e in expectations()],
)
def test_the_queries_give_what_the_pack_expects(pack_id: str, expectation: Expectation) -> None:
    pack = PACKS[pack_id]
    for expected in expectation.vitals:
        vital = next(vital for vital in pack.vitals if vital.id == expected.sign)
        values = evaluate(pack, vital, list(expectation.given))
        value = values.get((expected.area, expected.at))
        assert value == pytest.approx(expected.value, abs=expected.tolerance), expected.sign


# HJ 633, tables of break points; computed by hand, not by the query.
@pytest.mark.parametrize(
    ("at", "values", "index"),
    [
        ("2026-11-02T00:00:00Z", {"pm25": 60}, 100),
        ("2026-11-02T00:00:00Z", {"pm25": 115}, 150),
        ("2026-11-02T00:00:00Z", {"pm10": 120}, 100),
        ("2026-02-01T00:00:00Z", {"pm10": 120}, 85),
        ("2026-02-01T00:00:00Z", {"pm25": 50}, 69),
        ("2026-11-02T00:00:00Z", {"no2": 200}, 100),
        ("2026-11-02T00:00:00Z", {"so2": 900}, 200),
        ("2026-02-01T00:00:00Z", {"so2": 900}, 1),
        ("2026-11-02T00:00:00Z", {"co": 35}, 150),
        ("2026-11-02T00:00:00Z", {"o3": 250}, 125),
        ("2026-02-28T15:59:59Z", {"pm25": 75}, 100),
        ("2026-02-28T16:00:00Z", {"pm25": 75}, 114),
    ],
)
def test_the_air_quality_index_follows_the_edition_of_the_day(
    at: str, values: dict[str, float], index: float
) -> None:
    clean = dict.fromkeys(("pm25", "pm10", "so2", "no2", "co", "o3"), 0.05)
    assert aqi(at, {**clean, **values}) == index


def test_no_index_is_published_while_a_pollutant_is_missing_unless_it_is_bad_already() -> None:
    assert aqi("2026-11-02T00:00:00Z", {"pm25": 40}) is None
    assert aqi("2026-11-02T00:00:00Z", {"pm25": 115}) == 150


def aqi(at: str, values: dict[str, float]) -> float | None:
    reading = GivenReading.model_validate(
        {"entity": "AirQualityObserved", "id": "a", "area": "East", "at": at, "values": values}
    )
    pack = PACKS["environment"]
    vital = next(vital for vital in pack.vitals if vital.id == "aqi")
    return next(iter(evaluate(pack, vital, [reading]).values()), None)


def test_every_vital_has_values_in_the_simulated_city() -> None:
    now = datetime.fromisoformat("2026-11-24T16:00:00+00:00")
    city = SimulatedCity(7, now, ZONE)
    silent = {
        f"{pack.info.id}/{vital.id}"
        for pack in PACKS.values()
        for given in [list(simulated(pack, city, now))]
        for vital in pack.vitals
        if not evaluate(pack, vital, given)
    }
    # These are about the platform itself, and nothing is simulated about it.
    assert silent == PLATFORM


def simulated(pack: Pack, city: SimulatedCity, now: datetime) -> Iterator[GivenReading]:
    for feed in pack.feeds:
        if not isinstance(feed, SimulateFeed):
            continue
        things, signal = city.generator(feed.source.generator)
        step = max(feed.period, timedelta(minutes=15))
        count = 30 if step < timedelta(days=1) else 170
        for number in range(count):
            at = now - number * step
            for thing in things[:2]:
                values = signal(thing, at)
                if values is not None:
                    yield GivenReading(
                        entity=feed.entity,
                        id=thing.id,
                        area=thing.district.name,
                        at=at,
                        values=values,
                    )
