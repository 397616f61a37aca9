"""The columns of each tenant, read once and kept fresh by news of commits; wide tables of values taken in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from chengmai.assess.model import IndicatorValue
from chengmai.assess.panel.columns import Book, Columns, Rows, no_columns
from chengmai.assess.panel.model import SHEET_TYPE, Entry, Sheet
from chengmai.assess.panel.reading import (
    entry_of_sheet,
    entry_of_value,
    read_sheets,
    sheet_entity,
    within,
)
from chengmai.assess.pointing import unknown_indicator
from chengmai.assess.problems import RecordInvalid
from chengmai.assess.records import KINDS, NO_LINES, from_entity, twice, unknown_target
from chengmai.kernel.actors import Actor
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Entity, value_of
from chengmai.ngsild.model import Shelves

VALUE = KINDS["values"]
PORTION = 200
_MANY = 5_000
_SLACK = 10_000
Outcome = Literal["new", "changed", "same"]


@dataclass
class _Kept:
    columns: Columns = field(default_factory=no_columns)
    is_read: bool = False
    changed: set[str] = field(default_factory=set)
    left_out: dict[str, str] = field(default_factory=dict)
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)


class PanelService:
    """Values of all tenants in columns. Who asks has been allowed to."""

    def __init__(self, work: Work[Tx], model: Shelves) -> None:
        self._work, self._model = work, model
        self._kept: dict[str, _Kept] = {}

    def noticed(self, tenant: str, entity_id: str) -> None:
        """Remember that an entity has changed; it is read again when somebody asks."""
        kept = self._kept.get(tenant)
        if kept is not None and entity_id.split(":")[2:3] in ([SHEET_TYPE], [VALUE.entity_type]):
            kept.changed.add(entity_id)

    def forget(self, tenant: str) -> None:
        """Read everything again when somebody asks: another process has written."""
        if (kept := self._kept.get(tenant)) is not None:
            kept.is_read = False

    async def columns(self, tenant: str) -> Columns:
        """Return the values as they stand, all of them; the first time they are read from the store."""
        kept = self._kept.setdefault(tenant, _Kept())
        async with kept.reading:
            if kept.is_read and not kept.changed:
                return kept.columns
            changed, kept.changed = kept.changed, set()
            book = kept.columns.book
            is_worn = len(book.refs) > 2 * len(book.of_entity) + _SLACK
            if not kept.is_read or len(changed) > _MANY or is_worn:
                kept.columns, kept.left_out = await self._work.read(self._all(tenant))
                kept.is_read = True
            else:
                entries, wrong = await self._work.read(self._some(tenant, changed))
                kept.columns = await asyncio.to_thread(kept.columns.replaced, changed, entries)
                kept.left_out = {k: v for k, v in kept.left_out.items() if k not in changed} | wrong
            return kept.columns

    def left_out(self, tenant: str) -> dict[str, str]:
        """Return the entities that bring no value, and why."""
        return dict(self._kept[tenant].left_out) if tenant in self._kept else {}

    def _all(self, tenant: str) -> Callable[[Tx], tuple[Columns, dict[str, str]]]:
        def read(tx: Tx) -> tuple[Columns, dict[str, str]]:
            wrong: dict[str, str] = {}
            rows = Rows(Book())
            for entry in _entries(self._each(tx, tenant), wrong):
                rows.add(entry)
            return rows.columns(), wrong

        return read

    def _each(self, tx: Tx, tenant: str) -> Iterator[Entity]:
        yield from self._model.each(tx, tenant, VALUE.entity_type)
        yield from self._model.each(tx, tenant, SHEET_TYPE)

    def _some(
        self, tenant: str, changed: Iterable[str]
    ) -> Callable[[Tx], tuple[list[Entry], dict[str, str]]]:
        def read(tx: Tx) -> tuple[list[Entry], dict[str, str]]:
            wrong: dict[str, str] = {}
            found = (self._model.get(tx, tenant, one) for one in changed)
            entries = list(_entries((one for one in found if one is not None), wrong))
            return entries, wrong

        return read

    async def take_in(
        self,
        by: Actor,
        lines: Callable[[], Iterable[str]],
        known: Callable[[str], bool],
        defined: Callable[[str], bool],
        told: Callable[[int], None] = lambda done: None,
    ) -> dict[Outcome, int]:
        """Take in a wide table of any length: all of it is checked before the first line is written.

        `known` says whether there is a place, `defined` whether somebody says what an indicator is.
        `lines` is read twice, one line at a time. It is written in portions; of a table that was interrupted
        what is there stays, and taking it in again writes the rest.
        """
        seen: dict[str, int] = {}
        for line, sheet in read_sheets(lines()):
            _check(line, sheet, seen, known, defined)
        if not seen:
            raise RecordInvalid(1, "", NO_LINES)
        counts: dict[Outcome, int] = {"new": 0, "changed": 0, "same": 0}
        done = 0
        rest = (sheet for _, sheet in read_sheets(lines()))
        while sheets := list(islice(rest, PORTION)):
            for outcome in await self._work.write(self._writing(by, sheets)):
                counts[outcome] += 1
            done += len(sheets)
            told(done)
        return counts

    def _writing(self, by: Actor, sheets: list[Sheet]) -> Callable[[Tx], list[Outcome]]:
        return lambda tx: [self._put(tx, by, sheet) for sheet in sheets]

    def _put(self, tx: Tx, by: Actor, sheet: Sheet) -> Outcome:
        made = sheet_entity(sheet)
        before = self._model.get(tx, by.tenant, made["id"])
        terms = ("refPlace", "on", "evidence", "source", "sourceDate", "indicatorValues")
        if before is not None and all(value_of(before, t) == value_of(made, t) for t in terms):
            return "same"
        self._model.put(tx, made, by=by, note="assess import sheets")
        return "new" if before is None else "changed"


def _check(
    line: int,
    sheet: Sheet,
    seen: dict[str, int],
    known: Callable[[str], bool],
    defined: Callable[[str], bool],
) -> None:
    if sheet.id in seen:
        raise RecordInvalid(line, "id", twice(sheet.id, seen[sheet.id]))
    seen[sheet.id] = line
    if not known(sheet.place):
        raise RecordInvalid(line, "place", unknown_target("place", sheet.place))
    if (unknown := next((one for one in sheet.values if not defined(one)), None)) is not None:
        raise RecordInvalid(line, unknown, unknown_indicator(unknown))
    try:
        within(sheet.on)
    except RecordInvalid as problem:
        raise RecordInvalid(line, "on", problem.facts["why"]) from None


def _entries(entities: Iterable[Entity], wrong: dict[str, str]) -> Iterator[Entry]:
    for found in entities:
        try:
            yield _entry(found)
        except RecordInvalid as problem:
            wrong[found["id"]] = problem.detail.partition(", ")[2]


def _entry(found: Entity) -> Entry:
    if any(one.endswith(f"/{SHEET_TYPE}") for one in found["type"]):
        return entry_of_sheet(found)
    value = from_entity(VALUE, found)
    assert isinstance(value, IndicatorValue)
    return entry_of_value(value, found["id"])
