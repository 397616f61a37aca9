"""What indicators are worked out from: readings through the views of packs, and cases with their log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from chengmai.assess.live.cases import CaseFact
from chengmai.assess.live.model import Measured, OfReadings
from chengmai.assess.live.ports import Asked
from chengmai.kernel.instants import to_us
from chengmai.ngsild.entity import value_of
from chengmai.ngsild.model import Model
from chengmai.packs.model import EntitySpec, Pack, TableSpec
from chengmai.store.duckdb.analysis import DuckAnalysis
from chengmai.store.sqlite.work import SqliteTx
from chengmai.store.vitals import VitalsHistory
from chengmai.vitals.instants import instants_of, some_of
from chengmai.vitals.model import Source
from chengmai.vitals.ports import Instants, ViewRows
from chengmai.vitals.problems import SqlRefused
from chengmai.vitals.signs import source_of, tables_of, views_of
from chengmai.vitals.sql import SHARES, CheckedSql, check_sql

_MANY = 100_000
_CASES = (
    "SELECT c.case_id, c.state, c.due_us, json_extract(c.doc, '$.category'),"
    " json_extract(c.doc, '$.kind'), json_extract(c.doc, '$.opened_at') IS NOT NULL,"
    " l.n, l.at_us, l.by_id, l.step, json_extract(l.facts, '$.late')"
    " FROM city_case c JOIN case_log l ON l.tenant = c.tenant AND l.case_id = c.case_id"
    " WHERE c.tenant = ? AND c.case_id IN"
    " (SELECT case_id FROM case_log WHERE tenant = ? AND step IN ('open', 'report') AND at_us >= ? AND n = 1)"
    " ORDER BY c.case_id, l.n"
)


@dataclass(frozen=True)
class _Bound:
    """A calculation whose query passed, with the views that it reads."""

    checked: CheckedSql
    sources: tuple[Source, ...]
    tables: tuple[TableSpec, ...]


@dataclass(frozen=True)
class _Read:
    """A calculation with the rows of its views."""

    asked: Asked
    bound: _Bound
    views: tuple[ViewRows, ...]
    known: frozenset[str]


class IndicatorReadings:
    """Implements `assess.live.ports.Readings` with the views and the engine of vital signs."""

    def __init__(
        self,
        packs: Sequence[Pack],
        model: Model,
        past: VitalsHistory,
        analysis: DuckAnalysis,
        zone: ZoneInfo,
        bound: dict[str, _Bound | None] | None = None,
    ) -> None:
        """`bound` are queries that were bound to these packs already; what is bound later is added to it."""
        entities = [entity for pack in packs for entity in pack.entities]
        self._views = views_of(entities)
        self._tables = {table.id: table for pack in packs for table in pack.tables}
        self._columns = tables_of(packs)
        self._by_view: dict[str, EntitySpec] = {entity.view: entity for entity in entities}
        self._model, self._past, self._analysis, self._zone = model, past, analysis, zone
        self._bound: dict[str, _Bound | None] = {} if bound is None else bound

    def types(self, definition: OfReadings) -> frozenset[str] | None:
        bound = self._bind(definition)
        return None if bound is None else frozenset(one.entity_type for one in bound.sources)

    def read(self, tx: SqliteTx, tenant: str, asked: Sequence[Asked]) -> list[_Read]:
        found = [(one, bound) for one in asked if (bound := self._bind(one.definition))]
        rows = self._rows(tx, tenant, found)
        constants: dict[tuple[str, str, bool], Mapping[str, float | str]] = {}
        for _, bound in found:
            for source in bound.sources:
                self._constants(tx, tenant, source, constants)
        return [_read(one, bound, rows, constants) for one, bound in found]

    def measure(self, read: Sequence[_Read]) -> dict[str, Measured]:
        return {one.asked.id: measured for one in read if (measured := self._measured(one))}

    def _bind(self, definition: OfReadings) -> _Bound | None:
        query = definition.query
        if query not in self._bound:
            try:
                checked = check_sql(
                    query, self._views, "indicator", tables=self._columns, output=SHARES
                )
            except SqlRefused:
                # The pack with the view or the column is not installed.
                self._bound[query] = None
            else:
                self._bound[query] = _Bound(
                    checked,
                    tuple(source_of(self._by_view[view], checked) for view in checked.views),
                    tuple(self._tables[name] for name in sorted(checked.tables)),
                )
        return self._bound[query]

    def _rows(
        self, tx: SqliteTx, tenant: str, found: Sequence[tuple[Asked, _Bound]]
    ) -> dict[tuple[str, str], Instants]:
        """Return the readings of each type, of all calculations together and read once."""
        wanted: dict[tuple[str, str], tuple[set[str], list[Asked]]] = {}
        for one, bound in found:
            for source in bound.sources:
                attributes, of = wanted.setdefault(
                    (source.entity_type, source.area_from), (set(), [])
                )
                attributes |= set(source.columns.values())
                of.append(one)
        return {
            (entity_type, area): instants_of(
                self._past.columns(
                    tx,
                    tenant,
                    entity_type,
                    sorted(attributes),
                    area,
                    min(one.start_us for one in of),
                    max(one.end_us for one in of),
                )
            )
            for (entity_type, area), (attributes, of) in wanted.items()
        }

    def _constants(
        self,
        tx: SqliteTx,
        tenant: str,
        source: Source,
        known: dict[tuple[str, str, bool], Mapping[str, float | str]],
    ) -> None:
        due = {
            (source.entity_type, iri, column in source.texts)
            for column, iri in source.constants.items()
        } - set(known)
        if not due:
            return
        items = self._model.find(tx, tenant, source.entity_type, limit=_MANY)
        for key in due:
            given: dict[str, float | str] = {}
            for item in items:
                value = value_of(item, key[1])
                if key[2] and isinstance(value, str):
                    given[item["id"]] = value
                elif isinstance(value, int | float) and not isinstance(value, bool):
                    given[item["id"]] = float(value)
            known[key] = given

    def _measured(self, one: _Read) -> Measured | None:
        used = {
            view.rows.entities[place]: int(view.rows.at_us[view.rows.entity == place].max())
            for view in one.views
            for place in np.unique(view.rows.entity).tolist()
        }
        if not used:
            return None
        asked = one.asked
        rows = self._analysis.shares(
            one.bound.checked,
            one.views,
            start_us=asked.start_us,
            end_us=asked.end_us,
            zone=self._zone,
            tables=one.bound.tables,
        )
        if not rows:
            return None
        is_latest = asked.definition.denominator_is == "latest"
        areas = _areas(rows, is_latest=is_latest)
        days: dict[int, tuple[float, float]] = {}
        for _, tick, up, down in rows:
            before = days.get(tick, (0.0, 0.0))
            days[tick] = (before[0] + up, before[1] + down)
        return Measured(
            sum(up for up, _ in areas.values()),
            sum(down for _, down in areas.values()),
            entities=sorted(used),
            known=len(one.known | set(used)),
            fresh=sum(at >= asked.fresh_us for at in used.values()),
            since_us=min(int(view.rows.at_us.min()) for view in one.views if len(view.rows.at_us)),
            areas=areas,
            days={} if is_latest else days,
            links=[
                "/ngsi-ld/v1/entities?type=" + source.entity_type.rpartition("/")[2]
                for source in one.bound.sources
            ],
        )


def _areas(
    rows: Sequence[tuple[str, int, float, float]], *, is_latest: bool
) -> dict[str, tuple[float, float]]:
    """Return numerator and denominator by area; with `is_latest` the denominator is that of its last day."""
    areas: dict[str, tuple[float, float]] = {}
    for area, _, up, down in rows:
        before = areas.get(area, (0.0, 0.0))
        later = (down or before[1]) if is_latest else before[1] + down
        areas[area] = (before[0] + up, later)
    return areas


def _read(
    one: Asked,
    bound: _Bound,
    rows: Mapping[tuple[str, str], Instants],
    constants: Mapping[tuple[str, str, bool], Mapping[str, float | str]],
) -> _Read:
    views, known = [], set()
    for source in bound.sources:
        whole = rows[source.entity_type, source.area_from]
        begin, end = np.searchsorted(whole.at_us, (one.start_us, one.end_us), side="left").tolist()
        fixed = {
            column: constants[source.entity_type, iri, column in source.texts]
            for column, iri in source.constants.items()
        }
        part = some_of(whole, source.columns, begin, end)
        views.append(ViewRows(source.view, part, fixed, source.texts))
        known |= set(whole.entities)
    return _Read(one, bound, tuple(views), frozenset(known))


class CaseFacts:
    """Implements `assess.live.ports.Cases`; `packs` say of which pack a category is."""

    def __init__(self, packs: Sequence[Pack]) -> None:
        self._pack_of = {
            category.id: pack.info.id for pack in packs for category in pack.cases.categories
        }

    def facts(self, tx: SqliteTx, tenant: str, since: datetime, now: datetime) -> list[CaseFact]:
        lines = tx.db.execute(_CASES, (tenant, tenant, to_us(since))).fetchall()
        by_case: dict[str, list[tuple[object, ...]]] = {}
        for line in lines:
            by_case.setdefault(str(line[0]), []).append(line)
        return [self._fact(case, of, to_us(now)) for case, of in by_case.items()]

    def _fact(self, case_id: str, lines: Sequence[tuple[object, ...]], now_us: int) -> CaseFact:
        first = lines[0]
        state, due, category, kind = first[1:5]
        late = {str(line[9]): bool(line[10]) for line in lines}
        verification = [
            bool(line[10]) for line in lines if line[9] in ("verify_pass", "verify_fail")
        ]
        return CaseFact(
            id=case_id,
            pack=self._pack_of.get(str(category)),
            state=str(state),
            by_person=kind == "person",
            reporter=str(first[8]),
            reported_us=int(str(first[7])),
            opened=bool(first[5]),
            overdue=isinstance(due, int) and due < now_us and state not in ("closed", "rejected"),
            late_dispatch=late.get("dispatch"),
            late_handling=late.get("handle"),
            late_verification=verification[-1] if verification else None,
            reworked="verify_fail" in late,
            ever_late=any(bool(line[10]) for line in lines),
        )
