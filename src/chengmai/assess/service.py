"""Use cases: take in tables of records, and read what they say on a day."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

from chengmai.assess.figures import Figure, as_reported
from chengmai.assess.gazetteer import Gazetteer
from chengmai.assess.model import (
    CheckResult,
    IndicatorValue,
    Investment,
    Place,
    Plan,
    Programme,
    Project,
    Record,
    ReportedFigure,
    Result,
)
from chengmai.assess.panel.columns import Columns
from chengmai.assess.panel.model import SHEET_TYPE
from chengmai.assess.panel.service import PanelService
from chengmai.assess.placing import Find, check_places, moved
from chengmai.assess.problems import PlaceUnknown, RecordInvalid
from chengmai.assess.reasons import both
from chengmai.assess.records import (
    KINDS,
    PLACE_TYPE,
    Kind,
    as_place,
    cleared,
    from_entity,
    kind_of,
    read_table,
    to_entity,
    unknown_target,
)
from chengmai.assess.shipped import (
    shipped_columns,
    shipped_example,
    shipped_frame,
    shipped_gazetteer,
    shipped_places,
)
from chengmai.assess.statistics import Statistics
from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.ids import urn
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import name_iri
from chengmai.ngsild.model import Shelves
from chengmai.trust.policy import allow

MOST_RECORDS = 200_000
SHEETS = "sheets"
"""The kind of the wide table of values: a line a place, day and source, a column an indicator."""
_SHEETS = f"urn:ngsi-ld:{SHEET_TYPE}:"
DataSet = Literal["own", "example"]
T = TypeVar("T", bound=Record)


@dataclass(frozen=True)
class LeftOut:
    """An entity of one of our types that is no such record, and why; it is counted nowhere."""

    entity_id: str
    why: Text


@dataclass(frozen=True)
class Registry:
    """All records of a tenant, or of the example."""

    gazetteer: Gazetteer
    records: Mapping[str, Sequence[Record]]
    left_out: tuple[LeftOut, ...] = ()

    def of(self, kind: str, model: type[T]) -> list[T]:
        """Return the records of a kind, by id."""
        return [record for record in self.records.get(kind, ()) if isinstance(record, model)]

    @property
    def programmes(self) -> list[Programme]:
        return self.of("programmes", Programme)

    @property
    def plans(self) -> list[Plan]:
        return self.of("plans", Plan)

    @property
    def investments(self) -> list[Investment]:
        return self.of("investments", Investment)

    @property
    def projects(self) -> list[Project]:
        return self.of("projects", Project)

    @property
    def results(self) -> list[Result]:
        return self.of("results", Result)

    @property
    def figures(self) -> list[Figure]:
        """Return what was reported."""
        return [as_reported(one) for one in self.of("figures", ReportedFigure)]

    def without_plan(self) -> list[Programme]:
        """Return the programmes for which no plan with a document is known."""
        planned = {plan.programme for plan in self.plans}
        return [one for one in self.programmes if one.id not in planned]


@dataclass(frozen=True)
class Assessed:
    """What a data set says on a day, with what others reported."""

    data: DataSet
    registry: Registry
    statistics: Statistics

    @property
    def is_empty(self) -> bool:
        return not self.registry.programmes


@dataclass(frozen=True)
class Taken:
    """What an import did: how many records are new, changed, and as they were."""

    kind: str
    new: int
    changed: int
    same: int


@dataclass
class _Kept:
    """Registries that were read, each with the change of the tenant that it is of."""

    turns: dict[str, int] = field(default_factory=dict)
    registries: dict[str, tuple[int, Registry]] = field(default_factory=dict)


class AssessService:
    """Places, programmes and figures of all tenants. Days are those of the city's zone."""

    def __init__(self, work: Work[Tx], model: Shelves, clock: Clock, zone: ZoneInfo) -> None:
        self._work, self._model, self._clock, self._zone = work, model, clock, zone
        self._kept = _Kept()
        self.panel = PanelService(work, model)
        self.after_values: list[Callable[[Actor], Awaitable[object]]] = []
        """Called after values were taken in: earlier forecasts are filled with what came."""

    def noticed(self, tenant: str, entity_id: str = "") -> None:
        """Forget what was read of a tenant: one of its records has changed."""
        self.panel.noticed(tenant, entity_id)
        if entity_id.startswith(_SHEETS):
            return
        self._kept.turns[tenant] = self._kept.turns.get(tenant, 0) + 1
        self._kept.registries.pop(tenant, None)

    def forget(self, tenant: str) -> None:
        """Forget all that was read of a tenant: another process has written."""
        self.noticed(tenant)
        self.panel.forget(tenant)

    async def warm(self, tenant: str) -> None:
        """Read what is asked for before somebody asks: the first page after a start need not wait."""
        await self._registry(tenant)
        await self.panel.columns(tenant)
        await asyncio.to_thread(shipped_gazetteer().on, self.today())

    def today(self) -> date:
        """Return the present day of the city."""
        return self._clock.now().astimezone(self._zone).date()

    async def import_table(self, by: Actor, kind: str, text: str) -> Taken:
        """Take in a CSV table of one kind, all of it or nothing; raises problems of this room.

        A record of a known id replaces the one before, whose past stays in the history.
        """
        allow(by, "assess.manage")
        if kind == SHEETS:
            return await self.import_sheets(by, lambda: io.StringIO(text))
        chosen = kind_of(kind)
        records = read_table(chosen, text)

        def write(tx: Tx) -> Taken:
            self._check_links(tx, by.tenant, chosen, records)
            counts = {"new": 0, "changed": 0, "same": 0}
            for record in records:
                counts[self._put(tx, by, chosen, record)] += 1
            return Taken(kind, **counts)

        taken = await self._work.write(write)
        self.noticed(by.tenant)
        if kind == "values":
            await self.values_came(by)
        return taken

    async def move(self, by: Actor, code: str, parent: str, on: date) -> Place:
        """Let a place belong to another one from a day on: what was counted before that day stays.

        Raises `PlaceUnknown` or `MoveInvalid`.
        """
        allow(by, "assess.manage")

        def write(tx: Tx) -> Place:
            find = self._places(tx, by.tenant, {})
            place = find(code)
            if place is None:
                raise PlaceUnknown(code)
            made = moved(place, parent, on, find)
            entity = to_entity(KINDS["places"], made)
            self._model.put(tx, entity, by=by, note=f"assess move to {parent} from {on}")
            return made

        made = await self._work.write(write)
        self.noticed(by.tenant)
        return made

    async def import_sheets(
        self,
        by: Actor,
        lines: Callable[[], Iterable[str]],
        told: Callable[[int], None] = lambda done: None,
    ) -> Taken:
        """Take in a wide table of values of any length; `lines` is read twice. Raises problems of this room."""
        allow(by, "assess.manage")

        def known(tx: Tx) -> Callable[[str], bool]:
            return self._known(tx, by.tenant, KINDS["values"])

        counts = await self.panel.take_in(by, lines, await self._work.read(known), told)
        await self.values_came(by)
        return Taken(SHEETS, **counts)

    async def values_came(self, by: Actor) -> None:
        """Tell those who wait for values that some came."""
        for settle in self.after_values:
            await settle(by)

    async def columns(self, actor: Actor, data: DataSet = "own") -> Columns:
        """Return all values of indicators of the actor's tenant, or of the example, in columns."""
        allow(actor, "assess.read")
        if data == "example":
            return await asyncio.to_thread(shipped_columns)
        return await self.panel.columns(actor.tenant)

    async def registry(self, actor: Actor, data: DataSet = "own") -> Registry:
        """Return all records of the actor's tenant, or of the example that comes with the program."""
        allow(actor, "assess.read")
        if data == "example":
            return example_registry()
        return await self._registry(actor.tenant)

    async def _registry(self, tenant: str) -> Registry:
        turn = self._kept.turns.get(tenant, 0)
        kept = self._kept.registries.get(tenant)
        if kept is not None and kept[0] == turn:
            return kept[1]
        found = await self._work.read(self._reading(tenant))
        self._kept.registries[tenant] = (turn, found)
        return found

    async def assessed(
        self,
        actor: Actor,
        *,
        data: DataSet = "own",
        on: date | None = None,
        before: date | None = None,
    ) -> Assessed:
        """Return what a data set says on a day, compared with an earlier one (a year before)."""
        registry = await self.registry(actor, data)
        return assess(registry, data, on or self.usual_day(data), before)

    async def values(self, actor: Actor) -> list[IndicatorValue]:
        """Return the values of indicators that were entered, of all places."""
        return (await self.registry(actor)).of("values", IndicatorValue)

    async def checks(self, actor: Actor) -> list[CheckResult]:
        """Return what security checks found, of all places."""
        return (await self.registry(actor)).of("checks", CheckResult)

    def usual_day(self, data: DataSet) -> date:
        """Return the day that is asked about when none is named."""
        return shipped_example().on if data == "example" else self.today()

    def _put(
        self, tx: Tx, by: Actor, kind: Kind, record: Record
    ) -> Literal["new", "changed", "same"]:
        entity = to_entity(kind, record)
        before = self._model.get(tx, by.tenant, entity["id"])
        if before is not None:
            try:
                if from_entity(kind, before) == record:
                    return "same"
            except RecordInvalid:
                pass
            for term, instance in cleared(kind, record, before).items():
                entity[name_iri(term)] = [instance]
        self._model.put(tx, entity, by=by, note=f"assess import {kind.id}")
        return "new" if before is None else "changed"

    def _check_links(self, tx: Tx, tenant: str, kind: Kind, records: Sequence[Record]) -> None:
        if kind.model is Place:
            new = {one.code: one for one in records if isinstance(one, Place)}
            check_places(new.values(), self._places(tx, tenant, new))
            return
        known = self._known(tx, tenant, kind)
        for index, record in enumerate(records):
            for link in kind.links:
                target = getattr(record, link)
                if not known(target):
                    raise RecordInvalid(index + 2, link, unknown_target(link, target))

    def _places(self, tx: Tx, tenant: str, new: Mapping[str, Place]) -> Find:
        """Return how a place is found by its code: among new ones, the tenant's, and the shipped."""
        shipped = shipped_gazetteer()

        def find(code: str) -> Place | None:
            if code in new:
                return new[code]
            kept = self._model.get(tx, tenant, urn(PLACE_TYPE, code))
            if kept is not None:
                try:
                    return as_place(from_entity(KINDS["places"], kept))
                except RecordInvalid:
                    pass
            return shipped.place(code) if code in shipped else None

        return find

    def _known(self, tx: Tx, tenant: str, kind: Kind) -> Callable[[str], bool]:
        wanted = "programmes" if "programme" in kind.links else "places"
        target = KINDS[wanted]
        found = self._model.find(tx, tenant, target.entity_type, limit=MOST_RECORDS)
        ids = {str(entity["id"]).rpartition(":")[2] for entity in found}
        shipped = shipped_gazetteer()
        return lambda code: code in ids or (wanted == "places" and code in shipped)

    def _reading(self, tenant: str) -> Callable[[Tx], Registry]:
        def read(tx: Tx) -> Registry:
            records: dict[str, list[Record]] = {}
            left_out: list[LeftOut] = []
            for kind in KINDS.values():
                made = records.setdefault(kind.id, [])
                for entity in self._model.find(tx, tenant, kind.entity_type, limit=MOST_RECORDS):
                    try:
                        made.append(from_entity(kind, entity))
                    except RecordInvalid as problem:
                        why: Text = problem.facts["why"]
                        named = both(problem.facts["field"])
                        said = Text(zh=f"{named.zh}：{why.zh}", en=f"{named.en}: {why.en}")
                        left_out.append(LeftOut(entity["id"], said))
            places = [one for one in records["places"] if isinstance(one, Place)]
            gazetteer = Gazetteer(shipped_places(), places) if places else shipped_gazetteer()
            return Registry(gazetteer, records, tuple(left_out))

        return read


def assess(registry: Registry, data: DataSet, on: date, before: date | None = None) -> Assessed:
    """Return what a registry says on a day, compared with `before` or the same day of the year before."""
    earlier = before or _year_before(on)
    statistics = Statistics(registry.gazetteer, shipped_frame(), registry.programmes, on, earlier)
    return Assessed(data, registry, statistics)


def example_registry() -> Registry:
    """Return the example that comes with the program."""
    example = shipped_example()
    records: dict[str, Sequence[Record]] = {
        "programmes": example.programmes,
        "figures": example.figures,
    }
    return Registry(_example_places(), records)


@cache
def _example_places() -> Gazetteer:
    return Gazetteer(shipped_places(), shipped_example().towns)


def _year_before(day: date) -> date:
    return date(day.year - 1, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)
