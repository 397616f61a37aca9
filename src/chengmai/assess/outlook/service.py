"""Use cases of the outlook: make a report, keep its forecasts, fill in what came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import Any, Protocol

from chengmai.assess.frameworks.model import Framework
from chengmai.assess.frameworks.service import Board, FrameworkService, board_of
from chengmai.assess.frameworks.whatif import what_if
from chengmai.assess.outlook.keeping import (
    FORECAST_TYPE,
    filled,
    promise_entity,
    promise_id,
    promises_of,
    read_promise,
    settled,
    settled_by,
    subject_key,
)
from chengmai.assess.outlook.lines import lines
from chengmai.assess.outlook.meanings import advice_for, meanings
from chengmai.assess.outlook.model import (
    Kept,
    Line,
    Meaning,
    Promise,
    Report,
    Standing,
    Subject,
    Suggestion,
    scores_of,
)
from chengmai.assess.outlook.sayings import sentences
from chengmai.assess.outlook.subjects import subject_of
from chengmai.assess.panel.columns import Columns
from chengmai.assess.panel.model import Point
from chengmai.assess.problems import GroupUnknown, PlaceUnknown, SubjectInvalid
from chengmai.assess.registry import DataSet
from chengmai.assess.service import AssessService
from chengmai.kernel.actors import Actor
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Entity, value_of
from chengmai.ngsild.model import Shelves
from chengmai.trust.policy import allow

MOST_SUGGESTED = 12
MOST_KEPT = 500
_PORTION = 200
_REMEMBERED = 32
_Asked = tuple[Subject, date, tuple[Meaning, ...]]


@dataclass(frozen=True)
class Stored:
    """What became of forecasts that were to be kept: how many are new, and how many were kept before."""

    new: int
    same: int
    filled: int


Series = Mapping[str, Sequence[Point]]
"""Values of the city's own place by indicator, each by day."""


class Own(Protocol):
    """Port: what the platform computes of the city itself. `assess.live.own.OwnValues` is it."""

    @property
    def place(self) -> str:
        """The code of its place."""
        ...

    @property
    def title(self) -> Text:
        """Its name."""
        ...

    async def series(self, actor: Actor, on: date) -> Series:
        """Return what was computed until a day."""
        ...


class OutlookService:
    """Reports of all tenants."""

    def __init__(
        self,
        work: Work[Tx],
        model: Shelves,
        assess: AssessService,
        frameworks: FrameworkService,
        own: Own,
    ) -> None:
        self._work, self._model, self._own = work, model, own
        self._assess, self._frameworks = assess, frameworks
        self._lines: dict[_Asked, tuple[Columns, tuple[Line, ...]]] = {}

    @property
    def own_place(self) -> tuple[str, Text]:
        """Code and name of the city itself, of which the platform computes indicators."""
        return self._own.place, self._own.title

    async def report(
        self,
        actor: Actor,
        *,
        place: str | None = None,
        group: str | None = None,
        on: date | None = None,
        level: str | None = None,
        peers: str | None = None,
        data: DataSet = "own",
    ) -> Report:
        """Return the outlook of a place or a group; raises problems of this room.

        `level` is that of a group's places; `peers` a group that comparison is confined to. Of the example
        no forecasts are kept.
        """
        allow(actor, "assess.read")
        day = on or self._assess.today()
        assessed = await self._assess.assessed(actor, data=data, on=day, place=place, group=group)
        columns = await self._assess.columns(actor, data)
        subject = subject_of(
            assessed.statistics.now.day,
            assessed.statistics.frame,
            columns.book.places.numbers,
            place=place,
            group=group,
            level=level,
            peers=peers,
            own=self.own_place if data == "own" else None,
        )
        listed = await self._frameworks.frameworks(actor)
        is_own = data == "own" and place == self._own.place
        computed = await self._own.series(actor, day) if is_own else {}
        known = meanings(listed, {*columns.indicators, *computed})
        framework = framework_for(listed, day)
        if data == "example":
            board = board_of(framework, columns, day) if framework else None
            report = await self._made(columns, subject, known, board, day)
            return replace(report, is_example=True)
        board = await self._frameworks.board(actor, framework.id, day) if framework else None
        if computed:
            found = await asyncio.to_thread(lines, columns, subject, known, day, computed)
            report = await asyncio.to_thread(report_of, found, subject, board, day)
        else:
            report = await self._made(columns, subject, known, board, day)
        kept = await self._kept(actor, report, columns, computed)
        return replace(report, kept=tuple(kept), scores=scores_of(kept))

    async def keep(self, by: Actor, report: Report) -> Stored:
        """Keep the forecasts of a report, each once; what has come of earlier ones is filled in."""
        allow(by, "assess.manage")
        made = promises_of(report)

        def write(part: Sequence[Promise]) -> Callable[[Tx], int]:
            def put(tx: Tx) -> int:
                new = 0
                for one in part:
                    if self._model.get(tx, by.tenant, promise_id(one)) is None:
                        self._model.put(tx, promise_entity(one), by=by, note="assess outlook")
                        new += 1
                return new

            return put

        new = 0
        for begin in range(0, len(made), _PORTION):
            new += await self._work.write(write(made[begin : begin + _PORTION]))
        return Stored(new, len(made) - new, await self.settle(by))

    async def settle(self, by: Actor) -> int:
        """Write what came to every kept forecast whose value is there by now; return how many."""
        allow(by, "assess.manage")
        day, tenant = self._assess.today(), by.tenant
        registry = await self._assess.registry(by)
        columns = await self._assess.columns(by)
        computed = await self._own.series(by, day - timedelta(days=1))

        def members(key: str) -> frozenset[str]:
            if ":" not in key:
                return frozenset([key])
            _, group, level = [*key.split(":"), ""][:3]
            country = registry.country_for(day, None, group, "")
            spots, frame = registry.gazetteer.on(day, country), registry.frame(country, day)
            try:
                return subject_of(spots, frame, (), place=None, group=group, level=level).members
            except (GroupUnknown, PlaceUnknown, SubjectInvalid):
                return frozenset()

        def due(tx: Tx) -> list[Kept]:
            found = []
            for entity in self._model.each(tx, tenant, FORECAST_TYPE):
                promise = read_promise(entity)
                if promise is None:
                    continue
                if promise.subject == self._own.place and promise.indicator in computed:
                    kept = settled_by(promise, computed[promise.indicator], day)
                else:
                    kept = settled(promise, columns, members(promise.subject), day)
                if kept.came is not None and _outcome(entity) != _outcome(filled(kept)):
                    found.append(kept)
            return found

        waiting = await self._work.read(due)
        for begin in range(0, len(waiting), _PORTION):
            part = waiting[begin : begin + _PORTION]

            def put(tx: Tx, part: Sequence[Kept] = part) -> None:
                for kept in part:
                    self._model.put(tx, filled(kept), by=by, note="assess outlook: what came")

            await self._work.write(put)
        return len(waiting)

    async def _made(
        self,
        columns: Columns,
        subject: Subject,
        known: Sequence[Meaning],
        board: Board | None,
        on: date,
    ) -> Report:
        """Return a report, the lines of one that was asked for a moment ago as they were."""
        key = (subject, on, tuple(known))
        kept = self._lines.get(key)
        if kept is None or kept[0] is not columns:
            found = await asyncio.to_thread(lines, columns, subject, known, on)
            while len(self._lines) >= _REMEMBERED:
                del self._lines[next(iter(self._lines))]
            kept = self._lines[key] = (columns, tuple(found))
        return await asyncio.to_thread(report_of, kept[1], subject, board, on)

    async def _kept(
        self, actor: Actor, report: Report, columns: Columns, computed: Series
    ) -> list[Kept]:
        key = subject_key(report)

        def read(tx: Tx) -> list[Promise]:
            found = self._model.find(
                tx, actor.tenant, FORECAST_TYPE, q=f'subject=="{key}"', limit=MOST_KEPT
            )
            return [one for one in map(read_promise, found) if one is not None]

        promises = [one for one in await self._work.read(read) if one.made_on <= report.on]
        members = report.subject.members
        kept = [
            settled_by(one, computed[one.indicator], report.on)
            if one.indicator in computed
            else settled(one, columns, members, report.on)
            for one in promises
        ]
        return sorted(kept, key=lambda one: (one.promise.target, one.promise.indicator))


def report_of(found: Sequence[Line], subject: Subject, board: Board | None, on: date) -> Report:
    """Return a report of lines, without what was forecast earlier."""
    standing = standing_of(board, subject) if board is not None and found else None
    report = Report(subject, on, tuple(found), standing, ())
    report = replace(report, suggestions=suggested(report, board))
    return replace(report, sentences=sentences(report))


def _outcome(found: Entity) -> Any:
    return value_of(found, "outcome")


def framework_for(listed: Sequence[Framework], on: date) -> Framework | None:
    """Return the newest framework with weights that is in force on a day, else the newest of before."""
    scored = [one for one in listed if one.has_weights and one.in_force_from <= on]
    holding = [one for one in scored if one.holds(on)]
    return max(holding or scored, key=lambda one: one.in_force_from, default=None)


def standing_of(board: Board, subject: Subject) -> Standing | None:
    """Return where the subject stands in a framework among its peers; None without any value in it."""
    totals = {rank.code: Decimal(repr(rank.value)) for rank in board.ranks}
    ours = [totals[code] for code in subject.members if code in totals]
    if not ours:
        return None
    total = median(ours)
    if subject.kind == "group":
        of = [[totals[code] for code in one if code in totals] for one in subject.others]
        others = [median(one) for one in of if one]
        known, stage = None, None
    else:
        others = [totals[code] for code in subject.peers if code in totals]
        scored = board.scores[subject.code]
        known, stage = scored.known, scored.stage
    return Standing(
        board.framework,
        total.quantize(Decimal("0.01")),
        known,
        stage.title if stage else None,
        1 + sum(one > total for one in others),
        1 + len(others),
        median(others).quantize(Decimal("0.01")) if others else None,
    )


def suggested(report: Report, board: Board | None) -> tuple[Suggestion, ...]:
    """Return what would help, by the marks that reaching the peers' median would give."""
    nodes: dict[str, tuple[str, ...]] = {}
    values: dict[str, float] = {}
    if board is not None:
        for leaf in board.framework.leaves():
            code = leaf.indicator or ""
            nodes[code] = (*nodes.get(code, ()), leaf.id)
        code = report.subject.code
        values = (
            board.numbers(code)
            if report.subject.kind == "place" and code in board.values
            else {line.meaning.id: line.value for line in report.lines}
        )
    made = [
        Suggestion(
            line,
            advice_for(line.meaning.id),
            nodes.get(line.meaning.id, ()),
            _gain(board, values, line) if line.meaning.id in nodes else None,
        )
        for line in report.gaps
    ]
    order = {id(line): index for index, line in enumerate(report.gaps)}
    made.sort(key=lambda one: (-(one.gain or Decimal(0)), order[id(one.line)]))
    return tuple(made[:MOST_SUGGESTED])


def _gain(board: Board | None, values: dict[str, float], line: Line) -> Decimal | None:
    if board is None or line.median is None:
        return None
    changed = {line.meaning.id: line.median}
    return what_if(board.framework, values, changed=changed).difference
