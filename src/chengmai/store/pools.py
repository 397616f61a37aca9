"""How the members of pools were used: the queries of the room, run over the views of the model."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from chengmai.ngsild.entity import name_iri, value_of
from chengmai.ngsild.model import Model
from chengmai.packs.views import column_of
from chengmai.pools.model import Hour, Pool
from chengmai.pools.sql import OF_MEMBERS, query
from chengmai.store.sqlite.work import SqliteTx
from chengmai.store.vitals import VitalsHistory
from chengmai.vitals.instants import instants_of, some_of
from chengmai.vitals.ports import Analysis, ViewRows
from chengmai.vitals.sql import CheckedSql, check_sql

_MANY = 100_000


class PoolViews:
    """Implements `pools.ports.Uses` with the views and the engine that vital signs are evaluated with."""

    def __init__(
        self, model: Model, past: VitalsHistory, analysis: Analysis, zone: ZoneInfo
    ) -> None:
        self._model, self._past, self._analysis, self._zone = model, past, analysis, zone
        self._checked: dict[str, tuple[CheckedSql, ...]] = {}

    def read(self, tx: SqliteTx, tenant: str, pool: Pool, start_us: int, end_us: int) -> ViewRows:
        names, moving = attributes_of(pool), moving_of(pool)
        found = self._past.columns(
            tx,
            tenant,
            name_iri(pool.spec.entity),
            [name_iri(names[column]) for column in moving],
            name_iri(pool.entity.area_from),
            start_us,
            end_us,
        )
        constants: dict[str, dict[str, float | str]] = {c: {} for c in names if c not in moving}
        if constants:
            for item in self._model.find(tx, tenant, pool.spec.entity, limit=_MANY):
                for name in constants:
                    value = value_of(item, names[name])
                    if isinstance(value, int | float) and not isinstance(value, bool):
                        constants[name][item["id"]] = float(value)
        rows = instants_of(found)
        shown = {column: name_iri(names[column]) for column in moving}
        return ViewRows(pool.entity.view, some_of(rows, shown, 0, len(rows.at_us)), constants)

    def measure(
        self, pool: Pool, rows: ViewRows, start_us: int, end_us: int
    ) -> dict[str, dict[int, Hour]]:
        found: dict[str, Mapping[tuple[str, int], float]] = {}
        for measure, checked in zip(OF_MEMBERS, self._queries(pool), strict=True):
            cells = self._analysis.evaluate(
                checked,
                [rows],
                start_us=start_us,
                end_us=end_us,
                step=pool.spec.step,
                zone=self._zone,
            )
            found[measure] = {(member, tick): value for member, tick, value in cells}
        made: dict[str, dict[int, Hour]] = {}
        for cell in found["used"]:
            # A step is whole when everything in it was read: use without a capacity says nothing.
            if all(cell in found[measure] for measure in OF_MEMBERS):
                values = {measure: found[measure][cell] for measure in OF_MEMBERS}
                made.setdefault(cell[0], {})[cell[1]] = Hour(**values)
        return made

    def _queries(self, pool: Pool) -> tuple[CheckedSql, ...]:
        if pool.key not in self._checked:
            views = {pool.entity.view: tuple(attributes_of(pool))}
            self._checked[pool.key] = tuple(
                check_sql(query(pool, measure), views, f"{pool.key}.{measure}")
                for measure in OF_MEMBERS
            )
        return self._checked[pool.key]


def attributes_of(pool: Pool) -> dict[str, str]:
    """Return column to attribute name of what a pool is measured by."""
    names = [pool.spec.use, pool.spec.capacity, *([pool.spec.waiting] if pool.spec.waiting else [])]
    return {column_of(name, pool.entity.attributes[name]): name for name in names}


def moving_of(pool: Pool) -> list[str]:
    """Return the columns that are time series."""
    names = attributes_of(pool)
    return [c for c, name in names.items() if not pool.entity.attributes[name].static]
