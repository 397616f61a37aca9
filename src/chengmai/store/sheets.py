"""Sheets: ids and places of all entities of a type, and what was shown of them, kept between questions.

A sheet is of one instant, told by the head of the tenant's audit chain: every change of an entity writes a
line there in its own transaction, whichever process makes it. Who asks again reads the lines since, and only
what they name is read and shown anew. What is shown is kept as bytes, by view, until the entity changes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from chengmai.broker.sheets import Render
from chengmai.kernel.geo import Box
from chengmai.ngsild.geoq import GeoQuery, bbox, inner_box, matches
from chengmai.store.sqlite.work import SqliteTx, SqliteWork

MOST_ENTITIES = 250_000
"""Of one sheet; of all of them twice as many."""
MOST_BYTES = 128 * 1024 * 1024
"""About, of all that is shown."""
MOST_EDGES = 2000
"""Entities whose place only they themselves can tell."""
_MOST_BEHIND = 100_000
"""Lines of the audit chain; a sheet that is further behind is made anew."""
_AT_ONCE = 500
_AT_ONCE_KNOWN = 4000
_EACH = 60
"""About what a part weighs beside its bytes."""
_HEAD = "SELECT coalesce(max(seq), 0) FROM audit WHERE tenant = ?"
_CHANGED = "SELECT DISTINCT object FROM audit WHERE tenant = ? AND seq > ? AND seq <= ?"
_PLACES = "b.min_lon, b.max_lon, b.min_lat, b.max_lat"
_EVERY = (
    f"SELECT t.id, {_PLACES} FROM entity_type t LEFT JOIN entity_box b ON b.row = t.row"
    " WHERE t.tenant = ? AND t.type = ? ORDER BY t.id LIMIT ?"
)
_NAMED = "json_each(?) j CROSS JOIN entity_type t ON t.tenant = ? AND t.type = ? AND t.id = j.value"
_SOME = (
    f"SELECT t.id, {_PLACES} FROM {_NAMED} LEFT JOIN entity_box b ON b.row = t.row ORDER BY t.id"
)
_DOCUMENTS = (
    f"SELECT t.id, e.doc, {_PLACES} FROM {_NAMED} CROSS JOIN entity e ON e.row = t.row"
    " LEFT JOIN entity_box b ON b.row = t.row"
)
_NOWHERE: tuple[float, ...] = (np.nan,) * 4

Names: TypeAlias = NDArray[np.object_]
Places: TypeAlias = NDArray[np.float64]
"""A column an entity: least and greatest longitude, least and greatest latitude; NaN for none."""
Positions: TypeAlias = NDArray[np.int64]
Parts: TypeAlias = NDArray[np.object_]
"""Of each entity what is shown of it, None where that is not known."""
_Key: TypeAlias = tuple[str, str]
_Located: TypeAlias = tuple[Names, Places]


@dataclass(eq=False)
class _View:
    """What one view shows of a sheet; changes of the sheet make new parts, so that who reads keeps the old."""

    parts: Parts
    weight: int = 0


@dataclass(eq=False)
class _Sheet:
    """Entities of a type as they were when the audit chain had `upto` lines."""

    upto: int
    ids: Names
    places: Places
    views: OrderedDict[Hashable, _View] = field(default_factory=OrderedDict)

    def apply(self, changed: Names, named: _Located) -> _Sheet:
        """Return the sheet after `changed` were; `named` are those of them that are of the type now."""
        at = np.searchsorted(self.ids, changed)
        held = at < len(self.ids)
        held[held] = self.ids[at[held]] == changed[held]
        if not held.any() and not len(named[0]):
            return self
        stays = np.isin(changed, named[0])
        gone = at[held & ~stays]
        ids, places = named
        place = np.searchsorted(self.ids, ids)
        is_new = place >= len(self.ids)
        is_new[~is_new] = self.ids[place[~is_new]] != ids[~is_new]
        moved = self.places.copy()
        moved[:, place[~is_new]] = places[:, ~is_new]
        made = _Sheet(self.upto, self.ids, moved)
        for view, shown in self.views.items():
            made.views[view] = _View(shown.parts.copy(), shown.weight)
            made.views[view].parts[at[held]] = None
        return made._without(gone)._with(ids[is_new], places[:, is_new])

    def _without(self, gone: Positions) -> _Sheet:
        if len(gone):
            self.ids, self.places = np.delete(self.ids, gone), np.delete(self.places, gone, axis=1)
            for view in self.views.values():
                view.parts = np.delete(view.parts, gone)
        return self

    def _with(self, ids: Names, places: Places) -> _Sheet:
        if len(ids):
            at = np.searchsorted(self.ids, ids)
            self.ids, self.places = (
                np.insert(self.ids, at, ids),
                np.insert(self.places, at, places, axis=1),
            )
            for view in self.views.values():
                view.parts = np.insert(view.parts, at, np.full(len(at), None, dtype=object))
        return self

    def view(self, key: Hashable) -> _View:
        """Return what a view shows, and that it was asked for last."""
        if key not in self.views:
            self.views[key] = _View(np.full(len(self.ids), None, dtype=object), 8 * len(self.ids))
        self.views.move_to_end(key)
        return self.views[key]


class EntitySheets:
    """Implements `broker.sheets.Sheets`; for one event loop."""

    def __init__(
        self,
        work: SqliteWork,
        *,
        most_entities: int = MOST_ENTITIES,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.work = work
        self._most, self._most_bytes = most_entities, most_bytes
        self._sheets: OrderedDict[_Key, _Sheet] = OrderedDict()
        self._locks: dict[_Key, asyncio.Lock] = {}

    @property
    def weight(self) -> int:
        """About how many bytes are shown."""
        return sum(view.weight for one in self._sheets.values() for view in one.views.values())

    async def laid(self, tenant: str, type_iri: str, place: GeoQuery | None) -> SheetLaid | None:
        key = (tenant, type_iri)
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            sheet = await self._fresh(key)
        if not lock.locked() and key not in self._sheets:
            self._locks.pop(key, None)
        if sheet is None:
            return None
        if place is None:
            return SheetLaid(self, key, sheet, np.arange(len(sheet.ids)))
        outer, inner = bbox(place), inner_box(place)
        if outer is None or inner is None:
            return None
        touching = _touching(sheet.places, outer)
        positions: Positions = np.flatnonzero(touching)
        unsure = positions[~_inside(sheet.places[:, positions], inner)]
        if len(unsure) > MOST_EDGES:
            return None
        if len(unsure):
            found = await self.work.read(lambda tx: _documents(tx, key, sheet.ids[unsure].tolist()))
            held = {one for one, doc, _ in found if matches(place, orjson.loads(doc))}
            out = [at for at in unsure.tolist() if sheet.ids[at] not in held]
            positions = np.setdiff1d(positions, np.array(out, np.int64), assume_unique=True)
        return SheetLaid(self, key, sheet, positions, place, inner)

    async def _fresh(self, key: _Key) -> _Sheet | None:
        """Return the sheet of a type as it is now."""
        sheet = self._sheets.get(key)
        if sheet is not None:
            upto = sheet.upto
            upto, changed, named = await self.work.glance(lambda tx: _since(tx, key, upto))
            if changed is not None:
                sheet = sheet.apply(changed, named)
                sheet.upto = upto
                return self._keep(key, sheet)
        read = await self.work.read(lambda tx: _every(tx, key, self._most))
        if read is None:
            self._sheets.pop(key, None)
            return None
        return self._keep(key, _Sheet(read[0], *read[1]))

    def _keep(self, key: _Key, sheet: _Sheet) -> _Sheet:
        self._sheets[key] = sheet
        self._sheets.move_to_end(key)
        while sum(len(one.ids) for one in self._sheets.values()) > 2 * self._most:
            self._sheets.popitem(last=False)
        return sheet

    def note(
        self, key: _Key, sheet: _Sheet, view: Hashable, at: Positions, made: Sequence[bytes | None]
    ) -> None:
        """Remember what is shown of some entities of a sheet, provided that it is still the newest one."""
        if self._sheets.get(key) is not sheet:
            return
        shown = sheet.view(view)
        shown.parts[at] = np.array([*made, None], dtype=object)[:-1]
        shown.weight += sum(len(one) + _EACH for one in made if one is not None)
        if self.weight > self._most_bytes:
            self._shrink(shown)

    def _shrink(self, last: _View) -> None:
        for one in self._sheets.values():
            for key in [key for key, view in one.views.items() if view is not last]:
                del one.views[key]
                if self.weight <= self._most_bytes:
                    return
        # One view is too much by itself: it begins anew.
        last.parts, last.weight = np.full(len(last.parts), None, dtype=object), 8 * len(last.parts)


@dataclass(frozen=True, eq=False)
class SheetLaid:
    """Implements `broker.sheets.Laid`."""

    sheets: EntitySheets
    key: _Key
    sheet: _Sheet
    positions: Positions
    place: GeoQuery | None = None
    inner: Box | None = None

    @property
    def total(self) -> int:
        return len(self.positions)

    async def parts(
        self, view: Hashable, render: Render, *, offset: int, limit: int
    ) -> AsyncIterator[list[bytes]]:
        positions = self.positions[offset : offset + limit]
        parts = self.sheet.view(view).parts
        begin = 0
        while begin < len(positions):
            known = parts[positions[begin : begin + _AT_ONCE_KNOWN]].tolist()
            if None in known[:_AT_ONCE]:
                at = positions[begin : begin + _AT_ONCE]
                known = await self._completed(view, render, at, known[:_AT_ONCE])
            elif None in known:
                known = known[: known.index(None)]
            begin += len(known)
            yield [one for one in known if one]

    async def _completed(
        self, view: Hashable, render: Render, at: Positions, known: list[bytes | None]
    ) -> list[bytes | None]:
        """Return the parts of some entities; those that are not known are made, and remembered."""
        missing = [place for place, one in enumerate(known) if one is None]
        ids = self.sheet.ids[at[missing]].tolist()
        found = await self.sheets.work.read(lambda tx: _documents(tx, self.key, ids))
        made = {one: render(doc) for one, doc, lies in found if self._holds(doc, lies)}
        for place, one in zip(missing, ids, strict=True):
            known[place] = made.get(one)
        self.sheets.note(self.key, self.sheet, view, at[missing], [made.get(one) for one in ids])
        return known

    def _holds(self, doc: bytes, lies: tuple[float, ...]) -> bool:
        """Return whether an entity is still where it is asked for."""
        if self.place is None or (self.inner is not None and _lies_inside(lies, self.inner)):
            return True
        return matches(self.place, orjson.loads(doc))


def _touching(places: Places, box: Box) -> NDArray[np.bool_]:
    west, south, east, north = box
    low_lon, high_lon, low_lat, high_lat = places
    made: NDArray[np.bool_] = (high_lon >= west) & (low_lon <= east)
    made &= (high_lat >= south) & (low_lat <= north)
    return made


def _inside(places: Places, box: Box) -> NDArray[np.bool_]:
    west, south, east, north = box
    low_lon, high_lon, low_lat, high_lat = places
    made: NDArray[np.bool_] = (low_lon > west) & (high_lon < east)
    made &= (low_lat > south) & (high_lat < north)
    return made


def _lies_inside(lies: tuple[float, ...], box: Box) -> bool:
    west, south, east, north = box
    low_lon, high_lon, low_lat, high_lat = lies
    return low_lon > west and high_lon < east and low_lat > south and high_lat < north


def _since(tx: SqliteTx, key: _Key, upto: int) -> tuple[int, Names | None, _Located]:
    """Return the head of the audit chain, what was changed since `upto`, and what of it is of the type now.

    None where that is too much.
    """
    tenant, type_iri = key
    ((head,),) = tx.db.execute(_HEAD, (tenant,)).fetchall()
    if head == upto:
        return head, _names([]), _located([])
    if not upto <= head <= upto + _MOST_BEHIND:
        return head, None, _located([])
    changed = sorted(one for (one,) in tx.db.execute(_CHANGED, (tenant, upto, head)))
    asked = (orjson.dumps(changed).decode(), tenant, type_iri)
    return head, _names(changed), _located(tx.db.execute(_SOME, asked).fetchall())


def _every(tx: SqliteTx, key: _Key, most: int) -> tuple[int, _Located] | None:
    """Return the head of the audit chain and all entities of the type; None where they are too many."""
    ((head,),) = tx.db.execute(_HEAD, (key[0],)).fetchall()
    rows = tx.db.execute(_EVERY, (*key, most + 1)).fetchall()
    return None if len(rows) > most else (head, _located(rows))


def _documents(
    tx: SqliteTx, key: _Key, ids: Sequence[str]
) -> list[tuple[str, bytes, tuple[float, ...]]]:
    """Return those of some entities that are of the type, as they lie in the store, with their places."""
    asked = (orjson.dumps(ids).decode(), *key)
    rows = tx.db.execute(_DOCUMENTS, asked).fetchall()
    return [(row[0], row[1], _NOWHERE if row[2] is None else row[2:]) for row in rows]


def _names(ids: Sequence[str]) -> Names:
    made: Names = np.empty(len(ids), dtype=object)
    made[:] = ids
    return made


def _located(rows: Sequence[tuple[Any, ...]]) -> _Located:
    places: Places = np.array([row[1:] for row in rows], dtype=np.float64).reshape(-1, 4).T.copy()
    return _names([row[0] for row in rows]), places
