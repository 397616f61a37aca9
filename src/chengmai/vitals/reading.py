"""Reading what a sign is made of: the rows of its views, evaluated, and how fresh they are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from zoneinfo import ZoneInfo

import numpy as np

from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import value_of
from chengmai.ngsild.model import Model
from chengmai.vitals.model import Sign, Source
from chengmai.vitals.ports import Analysis, Readings, ViewRows

_MANY = 100_000


@dataclass(frozen=True)
class Observed:
    """What a sign's query gave, by area: its ticks in order, and the newest reading behind them."""

    ticks: Mapping[str, Sequence[tuple[int, float]]]
    newest_us: Mapping[str, int]
    areas: frozenset[str]
    """The areas of the entities read, silent ones too."""

    def newest_of(self, area: str) -> int | None:
        """Return the newest reading of an area (of all, when the query made the area up), or None."""
        if area in self.areas:
            return self.newest_us.get(area)
        return max(self.newest_us.values(), default=None)


class SignReader:
    """Reads the views of a sign in one snapshot and runs its query in a worker thread."""

    def __init__(
        self, work: Work[Tx], model: Model, readings: Readings, analysis: Analysis, zone: ZoneInfo
    ) -> None:
        self._work, self._model = work, model
        self._readings, self._analysis, self._zone = readings, analysis, zone
        self._last: dict[tuple[str, str], tuple[bytes, Observed]] = {}

    async def observe(
        self, tenant: str, sign: Sign, *, start_us: int, end_us: int, read_from_us: int
    ) -> Observed:
        """Return the ticks in [start, end); readings are read from `read_from_us` on."""
        views = await self.views(tenant, sign, read_from_us, end_us)
        digest = _digest(views, start_us)
        last = self._last.get((tenant, sign.key))
        if last is not None and last[0] == digest:
            # The same readings give the same ticks, and most passes find nothing new.
            return last[1]
        found = await asyncio.to_thread(
            self._analysis.evaluate,
            sign.checked,
            views,
            start_us=start_us,
            end_us=end_us,
            step=sign.spec.step,
            zone=self._zone,
            tables=sign.tables,
        )
        ticks: dict[str, list[tuple[int, float]]] = {}
        for area, tick_us, value in found:
            ticks.setdefault(area, []).append((tick_us, value))
        areas = frozenset(area for view in views for area in view.rows.areas)
        observed = Observed(ticks, _newest(views), areas)
        self._last[tenant, sign.key] = (digest, observed)
        return observed

    async def views(self, tenant: str, sign: Sign, start_us: int, end_us: int) -> list[ViewRows]:
        """Return the rows of each view that a sign reads, with readings in [start, end)."""
        return await self._work.read(
            lambda tx: [self._rows(tx, tenant, source, start_us, end_us) for source in sign.sources]
        )

    async def places(self, tenant: str, sign: Sign) -> dict[str, dict[str, object]]:
        """Return the middle of the entities of each area, as GeoJSON points."""

        def read(tx: Tx) -> dict[str, list[tuple[float, float]]]:
            points: dict[str, list[tuple[float, float]]] = {}
            for source in sign.sources:
                for found in self._model.find(tx, tenant, source.entity_type, limit=_MANY):
                    place, area = value_of(found, "location"), value_of(found, source.area_from)
                    if isinstance(place, dict) and place.get("type") == "Point" and area:
                        points.setdefault(str(area), []).append(tuple(place["coordinates"][:2]))
            return points

        return {
            area: {
                "type": "Point",
                "coordinates": [round(float(c), 6) for c in np.mean(points, axis=0)],
            }
            for area, points in (await self._work.read(read)).items()
        }

    def _rows(self, tx: Tx, tenant: str, source: Source, start_us: int, end_us: int) -> ViewRows:
        rows = self._readings.columns(
            tx,
            tenant,
            source.entity_type,
            list(source.columns.values()),
            source.area_from,
            start_us,
            end_us,
        )
        column = {iri: name for name, iri in source.columns.items()}
        return ViewRows(
            view=source.view,
            columns=tuple(column[iri] for iri in rows.attributes),
            rows=rows,
            constants=self._constants(tx, tenant, source),
            texts=source.texts,
        )

    def _constants(self, tx: Tx, tenant: str, source: Source) -> dict[str, dict[str, float | str]]:
        found: dict[str, dict[str, float | str]] = {column: {} for column in source.constants}
        if not found:
            return found
        for item in self._model.find(tx, tenant, source.entity_type, limit=_MANY):
            for column, iri in source.constants.items():
                value = value_of(item, iri)
                if column in source.texts:
                    if isinstance(value, str):
                        found[column][item["id"]] = value
                elif isinstance(value, int | float) and not isinstance(value, bool):
                    found[column][item["id"]] = float(value)
        return found


def _newest(views: Sequence[ViewRows]) -> dict[str, int]:
    newest: dict[str, int] = {}
    for view in views:
        rows = view.rows
        if not len(rows.at_us):
            continue
        last = np.full(len(rows.entities), -1, dtype=np.int64)
        np.maximum.at(last, rows.entity, rows.at_us)
        for area, at_us in zip(rows.areas, last.tolist(), strict=True):
            if at_us >= 0:
                newest[area] = max(newest.get(area, at_us), at_us)
    return newest


def _digest(views: Sequence[ViewRows], start_us: int) -> bytes:
    """Return a fingerprint of everything that an evaluation depends on."""
    digest = blake2b(str(start_us).encode(), digest_size=16)
    for view in views:
        rows = view.rows
        for column in (rows.entity, rows.attribute, rows.at_us, rows.value):
            digest.update(np.ascontiguousarray(column).tobytes())
        about = (list(rows.entities), list(rows.areas), list(rows.attributes), view.constants)
        digest.update(repr(about).encode())
    return digest.digest()
