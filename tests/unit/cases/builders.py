"""Builders for the tests of cases: a city of one tenant, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import resources
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import apsw

from chengmai.cases import Calendar, Case, CaseService, State
from chengmai.cases.rules import entered, new_case
from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import FixedClock
from chengmai.kernel.events import CaseMoved, Events, VitalCrossed
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity
from chengmai.packs.model import CaseCategory, Limit, ResponsibleUnit
from chengmai.store.sqlite.cases import SqliteCaseStore
from chengmai.store.sqlite.work import SqliteTx

T = TypeVar("T")
VITAL = "urn:ngsi-ld:VitalSign:environment:pm25:Haidian"
SHANGHAI = ZoneInfo("Asia/Shanghai")
PLAIN = Calendar(SHANGHAI)
MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""Monday 2026-11-23 09:00 in Shanghai."""


def local(text: str) -> datetime:
    """Return the UTC instant of a local time in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def words(text: str) -> Text:
    return Text(zh=f"{text}（中）", en=text)


def an_actor(*roles: str, name: str = "Li") -> Actor:
    return Actor(id=f"usr_{'_'.join(roles)}", roles=frozenset(roles), name=name)


def a_category(**changes: Any) -> CaseCategory:
    made: dict[str, Any] = {
        "id": "air",
        "title": words("air"),
        "responsible": "epb",
        "handle_within": Limit(amount=1, unit="work_day"),
        "open_when": words("bad"),
        "close_when": words("good"),
        "source": {"zh": "测试", "en": "test"},
        "trust": "D",
    }
    return CaseCategory(**made | changes)


def a_unit(unit_id: str = "epb", *areas: str) -> ResponsibleUnit:
    return ResponsibleUnit(
        id=unit_id, title=words(f"{unit_id} {' '.join(areas)}".strip()), areas=areas
    )


def a_case(state: State = State.OPENED, at: datetime = MONDAY, **changes: Any) -> Case:
    blank = new_case("city", "2026112300001", a_category(), "Haidian", a_unit(), at)
    return entered(blank, state, at, PLAIN).model_copy(update={"version": 1} | changes)


def a_crossing(kind: str = "real", level: str = "act", **changes: Any) -> VitalCrossed:
    made: dict[str, Any] = {
        "tenant": "city",
        "at": MONDAY,
        "kind": kind,
        "vital_id": VITAL,
        "sign": "pm25",
        "pack": "environment",
        "area": "Haidian",
        "level": level,
        "previous_level": "normal",
        "value": 155.0,
        "unit": "GQ",
        "title": words("PM2.5"),
        "reason": words("155 is above 150"),
        "category": "air",
        "evidence": ({"at": "2026-11-23T01:00:00Z", "value": 155.0},),
    }
    return VitalCrossed(**made | changes)


class MemoryModel:
    """Keeps what was put, as the broker would."""

    def __init__(self) -> None:
        self.entities: dict[str, Entity] = {}

    def get(self, tx: Tx, tenant: str, entity_id: str) -> Entity | None:
        return self.entities.get(entity_id)

    def put(self, tx: Tx, entity: Entity, *, by: Actor, note: str = "") -> None:
        self.entities[entity["id"]] = self.entities.get(entity["id"], {}) | entity

    def remove(self, tx: Tx, tenant: str, entity_id: str, *, by: Actor, note: str = "") -> bool:
        return self.entities.pop(entity_id, None) is not None

    def find(
        self, tx: Tx, tenant: str, entity_type: str, *, q: str | None = None, limit: int = 1000
    ) -> list[Entity]:
        return list(self.entities.values())


class MemoryWork:
    """Runs each unit of work at once, over tables in memory."""

    def __init__(self, clock: FixedClock, *files: str) -> None:
        self.clock = clock
        self.db = apsw.Connection(":memory:")
        for name in files:
            sql = resources.files("chengmai.store.sqlite").joinpath("sql", name)
            self.db.execute(sql.read_text(encoding="utf-8"))

    async def write(self, fn: Callable[[SqliteTx], T], /) -> T:
        tx = SqliteTx(self.db, self.clock.now())
        self.db.execute("BEGIN")
        try:
            result = fn(tx)
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")
        for after in tx.after:
            after()
        return result

    async def read(self, fn: Callable[[SqliteTx], T], /) -> T:
        return fn(SqliteTx(self.db, self.clock.now()))


class City:
    """A case service with everything around it in memory."""

    def __init__(self, *units: ResponsibleUnit, **categories: CaseCategory) -> None:
        self.clock = FixedClock(MONDAY)
        self.work = MemoryWork(self.clock, "0010_cases.sql")
        self.model = MemoryModel()
        self.events = Events()
        self.moves: list[CaseMoved] = []
        self.events.subscribe(CaseMoved, lambda tx, event: self.moves.append(event))
        self.cases = CaseService(
            work=self.work,
            model=self.model,
            store=SqliteCaseStore(),
            events=self.events,
            categories=categories or {"air": a_category()},
            units=units or (a_unit(),),
            calendar=PLAIN,
        )
        self.events.subscribe(VitalCrossed, self.cases.on_vital_crossed)

    def run(self, awaited: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(awaited)

    def cross(self, *crossings: VitalCrossed) -> None:
        for crossing in crossings:
            self.run(self.work.write(partial(self._emit, crossing)))

    def _emit(self, crossing: VitalCrossed, tx: Tx) -> None:
        self.events.emit(tx, crossing)

    def wait(self, **length: float) -> None:
        self.clock.advance(timedelta(**length))

    def live(self) -> list[Case]:
        return [view.case for view in self.run(self.cases.queue("city")).items]
