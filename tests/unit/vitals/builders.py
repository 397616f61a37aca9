"""Builders for the tests of vitals: a city in memory whose one sign is the mean of PM2.5."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import FixedClock
from chengmai.kernel.events import Events, SensorSuspected, VitalCrossed
from chengmai.kernel.instants import from_us, parse_instant, parse_us, to_us
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import (
    Entity,
    Instance,
    attribute_names,
    entity,
    geo,
    name_iri,
    prop,
    value_of,
)
from chengmai.packs.model import (
    AttributeSpec,
    Band,
    EntitySpec,
    Opens,
    Pack,
    PackInfo,
    TableSpec,
    VitalSpec,
)
from chengmai.vitals import Ports, VitalsBoard, VitalsService, signs_of
from chengmai.vitals.model import Sign
from chengmai.vitals.ports import Points, ViewRows, Wanted
from chengmai.vitals.problems import EvaluationFailed
from chengmai.vitals.rules import Rule
from chengmai.vitals.sql import CheckedSql
from chengmai.vitals.ticks import ticks_of
from tests.unit.vitals.foresight import FakeForesight
from tests.unit.vitals.models import Columns, FakeModels, KeptColumns

T = TypeVar("T")
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
HOUR_US = 3_600_000_000
NOON = parse_instant("2026-11-22T12:00:00Z")
TENANT = "city"
AIR = name_iri("AirQualityObserved")
MEAN = "SELECT area, tick, avg(pm25) AS value FROM air_quality GROUP BY area, tick"


def a_text(words: str) -> Text:
    return Text(zh=f"{words}（中）", en=words)


def a_band(level: str = "act", **more: Any) -> Band:
    known: dict[str, Any] = {
        "above": 60.0,
        "source": {"zh": "GB 3095-2026", "en": "GB 3095-2026"},
        "trust": "S",
    }
    if "below" in more:
        known.pop("above")
    if "since" in more:
        known["from"] = more.pop("since")
    return Band.model_validate(known | {"level": level} | more)


WATCH_AND_ACT = (a_band("watch", above=60.0, clear=55.0), a_band("act", above=115.0, clear=100.0))


def a_spec(**more: Any) -> VitalSpec:
    known: dict[str, Any] = {
        "id": "pm25",
        "title": a_text("PM2.5"),
        "unit": "GQ",
        "sql": MEAN,
        "step": HOUR,
        "stale_after": timedelta(hours=3),
        "bands": WATCH_AND_ACT,
        "opens": Opens(category="air_pollution", at="act", predicted=True),
        "about": a_text("Fine particles"),
        "definition": a_text("Mean of the stations"),
    }
    return VitalSpec.model_validate(known | more)


def a_pack(*specs: VitalSpec) -> Pack:
    number = AttributeSpec(title=a_text("number"), unit="GQ")
    return Pack.model_validate(
        {
            "info": PackInfo(
                id="environment",
                version="1",
                title=a_text("Environment"),
                about=a_text("Air"),
                owner="test",
                licence="Apache-2.0",
            ),
            "folder": "packs/environment",
            "entities": (
                EntitySpec(
                    type="AirQualityObserved",
                    title=a_text("Station"),
                    view="air_quality",
                    attributes={
                        "pm25": number,
                        "stationCapacity": number.model_copy(update={"static": True}),
                    },
                ),
            ),
            "vitals": specs or (a_spec(),),
        }
    )


def a_rule(**more: Any) -> Rule:
    return Rule.of(a_spec(**more), SHANGHAI)


@dataclass
class FakeTx:
    now: datetime

    def after_commit(self, fn: Callable[[], None], /) -> None:
        fn()


@dataclass
class FakeCity(FakeForesight):
    """Every port in memory; a failed write leaves everything as it was."""

    clock: FixedClock
    entities: dict[str, Entity] = field(default_factory=dict)
    numbers_kept: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict)
    raw: dict[tuple[str, int], float] = field(default_factory=dict)
    stations: dict[str, str] = field(default_factory=dict)
    blocks: set[str] = field(default_factory=set)
    writes: int = 0
    evaluations: int = 0

    async def write(self, fn: Callable[[Tx], T], /) -> T:
        before = copy.deepcopy((self.entities, self.numbers_kept))
        try:
            made = fn(FakeTx(self.clock.now()))
        except BaseException:
            self.entities, self.numbers_kept = before
            raise
        self.writes += 1
        return made

    async def read(self, fn: Callable[[Tx], T], /) -> T:
        return fn(FakeTx(self.clock.now()))

    def get(self, tx: Tx, tenant: str, entity_id: str) -> Entity | None:
        return copy.deepcopy(self.entities.get(entity_id))

    def put(self, tx: Tx, entity: Entity, *, by: Actor, note: str = "") -> None:
        assert by.id == "sys:vitals"
        made = self.entities.setdefault(entity["id"], {})
        made.update(copy.deepcopy(entity))
        self.record(
            tx, TENANT, entity["id"], [(name, entity[name][0]) for name in attribute_names(entity)]
        )

    def remove(self, tx: Tx, tenant: str, entity_id: str, *, by: Actor, note: str = "") -> bool:
        return self.entities.pop(entity_id, None) is not None

    def find(
        self, tx: Tx, tenant: str, entity_type: str, *, q: str | None = None, limit: int = 1000
    ) -> list[Entity]:
        kind = name_iri(entity_type)
        return [copy.deepcopy(e) for _, e in sorted(self.entities.items()) if kind in e["type"]]

    def columns(
        self,
        tx: Tx,
        tenant: str,
        entity_type: str,
        attributes: Sequence[str],
        area: str,
        start_us: int,
        end_us: int,
    ) -> Columns:
        names = sorted(self.stations)
        rows = [
            (names.index(station), at, value)
            for (station, at), value in sorted(self.raw.items())
            if start_us <= at < end_us
        ]
        return Columns(
            names,
            [self.stations[name] for name in names],
            list(attributes),
            np.array([row[0] for row in rows], dtype=np.int32),
            np.zeros(len(rows), dtype=np.int32),
            np.array([row[1] for row in rows], dtype=np.int64),
            np.array([row[2] for row in rows], dtype=np.float64),
        )

    def latest(self, tx: Tx, tenant: str, wanted: Wanted, start_us: int) -> KeptColumns:
        found = self.columns(
            tx, tenant, wanted.entity_type, wanted.attributes, wanted.area, start_us, 2**60
        )
        return KeptColumns(
            **vars(found),
            version=hash(tuple(sorted(self.raw.items()))),
            about=hash(tuple(sorted(self.stations.items()))),
            series_entity=np.arange(len(found.entities), dtype=np.int32),
            series_attribute=np.zeros(len(found.entities), dtype=np.int32),
        )

    def numbers(
        self, tx: Tx, tenant: str, entity_id: str, attribute: str, start_us: int, end_us: int
    ) -> Points:
        kept = self.numbers_kept.get((entity_id, attribute), {})
        return [(us, value) for us, value in sorted(kept.items()) if start_us <= us < end_us]

    def numbers_of(
        self,
        tx: Tx,
        tenant: str,
        entity_ids: Sequence[str],
        attribute: str,
        start_us: int,
        end_us: int,
    ) -> dict[str, Points]:
        return {
            one: self.numbers(tx, tenant, one, attribute, start_us, end_us) for one in entity_ids
        }

    def record(
        self, tx: Tx, tenant: str, entity_id: str, changes: Sequence[tuple[str, Instance]]
    ) -> None:
        for name, instance in changes:
            if isinstance(instance.get("value"), float) and "observedAt" in instance:
                series = self.numbers_kept.setdefault((entity_id, name), {})
                series[parse_us(instance["observedAt"])] = instance["value"]

    async def import_values(
        self, tenant: str, block_id: str, values: Sequence[tuple[str, str, int, float, str]]
    ) -> bool:
        if block_id in self.blocks:
            return False
        self.blocks.add(block_id)
        for entity_id, attribute, us, value, _unit in values:
            self.numbers_kept.setdefault((entity_id, attribute), {})[us] = value
        return True

    def evaluate(
        self,
        checked: CheckedSql,
        views: Sequence[ViewRows],
        *,
        start_us: int,
        end_us: int,
        step: timedelta,
        zone: ZoneInfo,
        tables: Sequence[TableSpec] = (),
    ) -> list[tuple[str, int, float]]:
        """Return the mean by area and tick, whatever the query says; `sum` fails on purpose."""
        self.evaluations += 1
        if "SUM" in checked.text:
            raise EvaluationFailed("the query failed: on purpose")
        rows, groups = views[0].rows, dict[tuple[str, int], list[float]]()
        ticks = ticks_of(rows.at_us, step, zone)
        (values_of,) = rows.values.values()
        for station, tick, value in zip(rows.entity, ticks, values_of, strict=True):
            groups.setdefault((rows.areas[station], int(tick)), []).append(float(value))
        return [
            (area, tick, sum(values) / len(values))
            for (area, tick), values in sorted(groups.items())
            if start_us <= tick < end_us
        ]


@dataclass
class Bench:
    """A service over a fake city, and everything it told."""

    city: FakeCity
    signs: list[Sign]
    service: VitalsService
    board: VitalsBoard
    told: list[VitalCrossed]
    models: FakeModels
    suspicions: list[SensorSuspected]

    def reading(self, value: float, *, hours: float = 0.0, area: str = "Haidian") -> None:
        """Take a reading `hours` before now at the one station of an area."""
        station = f"urn:station:{area}"
        self.city.stations[station] = area
        at = to_us(self.city.clock.now()) - round(hours * HOUR_US)
        self.city.raw[station, at] = value

    def station(self, station: str, area: str, lon: float, lat: float) -> None:
        """Put a station on the map."""
        self.city.entities[station] = entity(
            station,
            "AirQualityObserved",
            areaServed=prop(area),
            location=geo({"type": "Point", "coordinates": [lon, lat]}),
        )

    def hour(self, value: float, *, area: str = "Haidian") -> Any:
        """Move on an hour, take a reading, evaluate."""
        self.city.clock.advance(HOUR)
        self.reading(value, area=area)
        return run(self.service.tick(TENANT))

    def entity(self, area: str = "Haidian") -> Entity:
        return self.city.entities[f"urn:ngsi-ld:VitalSign:environment:pm25:{area}"]

    def level(self, area: str = "Haidian") -> str:
        return str(value_of(self.entity(area), "level"))

    def history(self, area: str = "Haidian") -> Mapping[datetime, float]:
        kept = self.city.numbers_kept[self.entity(area)["id"], name_iri("currentValue")]
        return {from_us(us): value for us, value in sorted(kept.items())}


def a_bench(*specs: VitalSpec, failing: bool = False) -> Bench:
    """Return a bench at noon; `failing` makes whoever listens to crossings raise."""
    city = FakeCity(FixedClock(NOON))
    signs, told, events = signs_of([a_pack(*specs)]), list[VitalCrossed](), Events()

    def hear(tx: Tx, event: VitalCrossed) -> None:
        if failing:
            raise RuntimeError("nobody could open a case")
        told.append(event)

    events.subscribe(VitalCrossed, hear)
    suspicions: list[SensorSuspected] = []
    events.subscribe(SensorSuspected, lambda tx, event: suspicions.append(event))
    models = FakeModels()
    ports = Ports(city, city, city, city, city, city, models, events, city.clock)
    service = VitalsService(ports, signs, SHANGHAI)
    board = VitalsBoard(city, city, city, signs, SHANGHAI)
    return Bench(city, signs, service, board, told, models, suspicions)


def run(made: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(made)
