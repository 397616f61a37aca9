"""Small worlds for the tests of connectors: a clock to wait with, a sink, a model in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from chengmai.connect.mapping import Mapper
from chengmai.connect.ports import Connector, Cursor
from chengmai.connect.reading import Reading, Reject
from chengmai.connect.replay import ReplayConnector
from chengmai.connect.times import TimeReader
from chengmai.history.model import PastRow
from chengmai.kernel.actors import Actor
from chengmai.ngsild.entity import Entity, Instance, name_iri
from chengmai.packs.feeds import ReplayFeed
from chengmai.packs.model import EntitySpec

T = TypeVar("T")
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
SYSTEM = Actor("sys:connect", roles=frozenset({"system"}))


def an_entity(**attributes: dict[str, Any]) -> EntitySpec:
    """An entity type `Gauge` with PM2.5 in µg/m³, CO in mg/m³ and a static text, unless told otherwise."""
    given = attributes or {
        "pm25": {"unit": "GQ", "min": 0, "max": 1000},
        "co": {"unit": "GP", "min": 0, "max": 100},
        "kind": {"value": "text", "static": True},
    }
    titled = {name: {"title": _words(name), **spec} for name, spec in given.items()}
    return EntitySpec.model_validate(
        {"type": "Gauge", "title": _words("gauge"), "view": "gauge", "attributes": titled}
    )


def a_feed(files: Sequence[str] = ("gauge.csv",), **changes: Any) -> ReplayFeed:
    """A replayed CSV with the columns time, station, PM2.5 and CO (in µg/m³)."""
    feed: dict[str, Any] = {
        "id": "gauges",
        "title": _words("gauges"),
        "connector": "replay",
        "entity": "Gauge",
        "period": "PT1H",
        "source": {"files": list(files), "backfill": "P14D"},
        "time": {"column": "time", "format": "%Y-%m-%d %H:%M", "zone": "Asia/Shanghai"},
        "map": {
            "id": "{station}",
            "area": {"value": "East"},
            "attributes": {
                "pm25": {"column": "PM2.5", "unit": "GQ"},
                "co": {"column": "CO", "unit": "GQ"},
            },
        },
    }
    return ReplayFeed.model_validate({**feed, **changes})


def a_mapper(feed: ReplayFeed, entity: EntitySpec | None = None, **more: Any) -> Mapper:
    return Mapper(feed.map, TimeReader(feed.time), entity or an_entity(), **more)


def a_table(path: Path, start: datetime, rows: int, station: str = "one") -> Path:
    """Write `rows` hourly rows from `start` (wall time): PM2.5 counts 0, 1, 2 … and CO is 500 µg/m³."""
    times = (start + timedelta(hours=number) for number in range(rows))
    lines = [f"{at:%Y-%m-%d %H:%M},{station},{n % 900},500" for n, at in enumerate(times)]
    path.write_text("\n".join(["time,station,PM2.5,CO", *lines]) + "\n")
    return path


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Enough(Exception):
    pass


@dataclass
class StridingPace:
    """A city clock that jumps forward whenever somebody waits; ends the run at `end`."""

    at: datetime = NOW
    end: datetime = NOW + timedelta(hours=6)

    def now(self) -> datetime:
        return self.at

    async def wait(self, city: timedelta) -> None:
        if self.at >= self.end:
            raise Enough
        self.at = min(self.end, self.at + city)


@dataclass
class ListSink:
    """Keeps what it is given; `dies_after` calls it raises instead, as a killed process would."""

    past: list[Reading] = field(default_factory=list)
    live: list[Reading] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    kept: dict[str, Any] | None = None
    dies_after: int | None = None
    signs_of_life: int = 0

    async def alive(self) -> None:
        self.signs_of_life += 1

    async def cursor(self) -> dict[str, Any] | None:
        return self.kept

    async def accept(
        self, readings: Sequence[Reading], rejects: Sequence[Reject], cursor: Cursor | None = None
    ) -> None:
        self._live_on()
        self.live += readings
        self.rejects += rejects
        self.kept = dict(cursor) if cursor is not None else self.kept

    async def backfill(
        self, block_id: str, readings: Sequence[Reading], rejects: Sequence[Reject], cursor: Cursor
    ) -> None:
        self._live_on()
        self.blocks.append(block_id)
        self.past += readings
        self.rejects += rejects
        self.kept = dict(cursor)

    def _live_on(self) -> None:
        if self.dies_after is not None:
            self.dies_after -= 1
            if self.dies_after < 0:
                raise Enough


async def run_until_enough(connector: Connector, sink: Any) -> None:
    with suppress(Enough):
        await connector.run(sink)


def a_replay(folder: Path, feed: ReplayFeed, pace: StridingPace) -> ReplayConnector:
    return ReplayConnector(
        feed, an_entity(), folder, zone=SHANGHAI, pace=pace, machine_now=lambda: NOW
    )


@dataclass
class MemoryTx:
    now: datetime = NOW

    def after_commit(self, fn: Callable[[], None], /) -> None:
        fn()


@dataclass
class MemoryCity:
    """Work, model, feed store and past import in memory; a write that raises leaves nothing behind."""

    at: datetime = NOW
    entities: dict[str, Entity] = field(default_factory=dict)
    feeds: dict[str, dict[str, Any]] = field(default_factory=dict)
    blocks: dict[str, list[PastRow]] = field(default_factory=dict)
    puts: list[str] = field(default_factory=list)
    remembered: list[tuple[str, str, Instance]] = field(default_factory=list)

    async def write(self, fn: Callable[[MemoryTx], T], /) -> T:
        before = deepcopy((self.entities, self.feeds))
        try:
            return fn(MemoryTx(self.at))
        except BaseException:
            self.entities, self.feeds = before
            raise

    async def read(self, fn: Callable[[MemoryTx], T], /) -> T:
        return fn(MemoryTx(self.at))

    def get(self, tx: Any, tenant: str, entity_id: str) -> Entity | None:
        return self.entities.get(entity_id)

    def put(self, tx: Any, entity: Entity, *, by: Actor, note: str = "") -> None:
        self.puts.append(entity["id"])
        self.entities.setdefault(entity["id"], {}).update(deepcopy(entity))

    def remember(
        self, tx: Any, entity_id: str, changes: Sequence[tuple[str, Instance]], *, by: Actor
    ) -> None:
        self.remembered += [(entity_id, name, instance) for name, instance in changes]

    def remove(self, tx: Any, tenant: str, entity_id: str, *, by: Actor, note: str = "") -> bool:
        return self.entities.pop(entity_id, None) is not None

    def find(
        self, tx: Any, tenant: str, entity_type: str, *, q: str | None = None, limit: int = 1000
    ) -> list[Entity]:
        found = [e for e in self.entities.values() if name_iri(entity_type) in e["type"]]
        return found[:limit]

    def load(self, tx: Any, tenant: str, feed_id: str) -> dict[str, Any] | None:
        return deepcopy(self.feeds.get(feed_id))

    def save(self, tx: Any, tenant: str, feed_id: str, state: Mapping[str, Any]) -> None:
        self.feeds[feed_id] = deepcopy(dict(state))

    async def import_block(self, tenant: str, block_id: str, rows: Sequence[PastRow]) -> bool:
        if block_id in self.blocks:
            return False
        self.blocks[block_id] = list(rows)
        return True


def a_reading(pm25: float = 12.0, at: datetime = NOW, station: str = "one") -> Reading:
    return Reading(f"urn:ngsi-ld:Gauge:{station}", "Gauge", at, {"pm25": pm25})


def _words(name: str) -> dict[str, str]:
    return {"zh": name, "en": name}
