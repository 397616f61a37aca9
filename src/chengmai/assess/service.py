"""Use cases: take in tables of records, and read what they say on a day."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from chengmai.assess.bygone import AsOf, Past, end_of
from chengmai.assess.countries import CountryPackage, read_country
from chengmai.assess.countries import check_places as check_groups
from chengmai.assess.countries import to_entity as country_entity
from chengmai.assess.model import CheckResult, IndicatorValue, Place, Record
from chengmai.assess.panel.columns import Columns
from chengmai.assess.panel.model import SHEET_TYPE
from chengmai.assess.panel.service import PanelService
from chengmai.assess.placing import Find, check_places, moved
from chengmai.assess.pointing import Pointing
from chengmai.assess.problems import PlaceUnknown, RecordInvalid
from chengmai.assess.records import (
    KINDS,
    Kind,
    cleared,
    from_entity,
    kind_of,
    read_table,
    to_entity,
    unknown_target,
)
from chengmai.assess.registry import (
    MOST_RECORDS,
    Assessed,
    DataSet,
    Registry,
    assess,
    example_registry,
    read_registry,
)
from chengmai.assess.shipped import shipped_columns, shipped_example, shipped_gazetteer
from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import name_iri
from chengmai.ngsild.model import Shelves
from chengmai.trust.policy import allow

MOST_BYGONE = 4
"""Earlier states of registries that are kept read."""
SHEETS = "sheets"
"""The kind of the wide table of values: a line a place, day and source, a column an indicator."""
_SHEETS = f"urn:ngsi-ld:{SHEET_TYPE}:"


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
    bygone: dict[tuple[str, date], tuple[int, Registry]] = field(default_factory=dict)


class AssessService:
    """Places, programmes and figures of all tenants. Days are those of the city's zone."""

    def __init__(
        self,
        work: Work[Tx],
        model: Shelves,
        past: Past,
        clock: Clock,
        zone: ZoneInfo,
        home: str = "",
    ) -> None:
        """`home` is the code of the city itself among the places."""
        self._work, self._model, self._clock, self._zone = work, model, clock, zone
        self._past, self._home = past, home
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

        def known(tx: Tx) -> tuple[Callable[[str], bool], Callable[[str], bool]]:
            defines = Pointing(self._model, tx, by.tenant).indicators()
            return self._known(tx, by.tenant, KINDS["values"]), defines.__contains__

        counts = await self.panel.take_in(by, lines, *await self._work.read(known), told)
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

    async def registry(
        self, actor: Actor, data: DataSet = "own", known: date | None = None
    ) -> Registry:
        """Return all records of the actor's tenant, or of the example that comes with the program.

        With `known` they are as they were at the end of that day.
        """
        allow(actor, "assess.read")
        if data == "example":
            return example_registry()
        return await (
            self._registry(actor.tenant) if known is None else self._bygone(actor.tenant, known)
        )

    async def _bygone(self, tenant: str, known: date) -> Registry:
        key, turn = (tenant, known), self._kept.turns.get(tenant, 0)
        kept = self._kept.bygone.get(key)
        if kept is not None and kept[0] == turn:
            return kept[1]

        def read(tx: Tx) -> Registry:
            was = AsOf(self._past, tx, tenant, end_of(known, self._zone))
            return read_registry(self._model, tx, tenant, was)

        found = await self._work.read(read)
        while len(self._kept.bygone) >= MOST_BYGONE:
            del self._kept.bygone[next(iter(self._kept.bygone))]
        self._kept.bygone[key] = (turn, found)
        return found

    async def _registry(self, tenant: str) -> Registry:
        turn = self._kept.turns.get(tenant, 0)
        kept = self._kept.registries.get(tenant)
        if kept is not None and kept[0] == turn:
            return kept[1]
        found = await self._work.read(lambda tx: read_registry(self._model, tx, tenant))
        self._kept.registries[tenant] = (turn, found)
        return found

    async def assessed(
        self,
        actor: Actor,
        *,
        data: DataSet = "own",
        on: date | None = None,
        before: date | None = None,
        country: str | None = None,
        place: str | None = None,
        group: str | None = None,
        known: date | None = None,
    ) -> Assessed:
        """Return what a data set says on a day, compared with an earlier one (a year before).

        It speaks of one country: the named one, that of a place or group, or the usual one. Raises
        `CountryUnknown`. With `known` it is what was known at the end of that day.
        """
        past = known if known is not None and known < self.today() and data == "own" else None
        registry, day = await self.registry(actor, data, past), on or self.usual_day(data)
        chosen = country or registry.country_for(day, place, group, self._home)
        return assess(registry, data, day, before, chosen, past)

    async def take_in_country(self, by: Actor, text: str) -> CountryPackage:
        """Take in the JSON package of a country, whose places are there; raises `CountryInvalid`."""
        allow(by, "assess.manage")
        package = read_country(text)
        gazetteer = (await self.registry(by)).gazetteer
        check_groups(package, gazetteer.on(self.today(), package.id))
        made = country_entity(package)
        await self._work.write(
            lambda tx: self._model.put(tx, made, by=by, note="assess import country")
        )
        self.noticed(by.tenant)
        return package

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
        known, pointing = self._known(tx, tenant, kind), Pointing(self._model, tx, tenant)
        for index, record in enumerate(records):
            for link in kind.links:
                target = getattr(record, link)
                if not known(target):
                    raise RecordInvalid(index + 2, link, unknown_target(link, target))
            if (wrong := pointing.undefined(record)) is not None:
                raise RecordInvalid(index + 2, *wrong)

    def _places(self, tx: Tx, tenant: str, new: Mapping[str, Place]) -> Find:
        """Return how a place is found by its code: among new ones, the tenant's, and the shipped."""
        pointing = Pointing(self._model, tx, tenant)
        return lambda code: new[code] if code in new else pointing.place(code)

    def _known(self, tx: Tx, tenant: str, kind: Kind) -> Callable[[str], bool]:
        wanted = "programmes" if "programme" in kind.links else "places"
        target = KINDS[wanted]
        found = self._model.find(tx, tenant, target.entity_type, limit=MOST_RECORDS)
        ids = {str(entity["id"]).rpartition(":")[2] for entity in found}
        shipped = shipped_gazetteer()
        return lambda code: code in ids or (wanted == "places" and code in shipped)
