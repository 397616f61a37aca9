"""Cases, as the screens see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chengmai.cases.flow import FLOW
from chengmai.cases.model import Case, CaseView, SeenVital, State, Step
from chengmai.cases.service import MOST_LISTED, CaseService
from chengmai.cases.words import STATE_WORDS, STEP_WORDS, sentence
from chengmai.cases.working_time import Urgency
from chengmai.kernel.actors import Actor
from chengmai.kernel.geo import point_of
from chengmai.kernel.instants import parse_instant
from chengmai.kernel.problems import Invalid
from chengmai.kernel.texts import Text
from chengmai.packs.model import CaseCategory, Pack
from chengmai.trust.policy import allow
from chengmai.web.cockpit.views import (
    CaseDetail,
    CaseFilter,
    CaseList,
    CaseRow,
    CategoryChoice,
    EvidenceReading,
    Light,
    LogLine,
    Position,
    Report,
    StepChoice,
    StepOrder,
)

_LIGHTS: dict[Urgency, Light] = {Urgency.YELLOW: "yellow", Urgency.RED: "red"}
_LIMITS = {
    "urgent_hour": Text(zh="{n} 紧急工作时", en="{n} urgent hours (day and night)"),
    "natural_day": Text(zh="{n} 个自然日", en="{n} days"),
    "work_hour": Text(zh="{n} 个工作时", en="{n} working hours"),
    "work_day": Text(zh="{n} 个工作日", en="{n} working days"),
}
_NO_REASON = Text(zh="由人员上报。", en="Reported by a person.")


class CaseScreens:
    """Turns cases into the views of the screens, and orders of the screens into steps."""

    def __init__(self, cases: CaseService, packs: Sequence[Pack]) -> None:
        self._cases = cases
        self._categories: dict[str, CaseCategory] = {
            category.id: category for pack in packs for category in pack.cases.categories
        }
        self._groups = {c.id: pack.info.title for pack in packs for c in pack.cases.categories}
        self._decimals = {
            (pack.info.id, sign.id): sign.decimals for pack in packs for sign in pack.vitals
        }

    async def queue(self, actor: Actor, filters: CaseFilter) -> CaseList:
        allow(actor, "cases.read")
        rows = [self.row(view, actor) for view in await self._views(actor, filters)]
        kept = [row for row in rows if _fits(row, filters)]
        if filters.needs_person:
            kept = [row for row in kept if row.next_step is not None]
        page = kept[filters.offset : filters.offset + filters.limit]
        states = tuple((state.value, STATE_WORDS[state]) for state in State)
        return CaseList(tuple(page), len(kept), states)

    async def _views(self, actor: Actor, filters: CaseFilter) -> list[CaseView]:
        if filters.state is not None:
            if filters.state not in set(State):
                raise Invalid(f"there is no state {filters.state!r}", param="state")
            wanted: list[State | None] = [State(filters.state)]
        else:
            wanted = [None] if filters.open_only else [None, State.CLOSED, State.REJECTED]
        found: list[CaseView] = []
        for state in wanted:
            page = await self._cases.queue(actor.tenant, state=state, limit=MOST_LISTED)
            found += page.items
        return found

    async def detail(self, actor: Actor, case_id: str) -> CaseDetail:
        allow(actor, "cases.read")
        view = await self._cases.get(actor.tenant, case_id)
        case = view.case
        category = self._categories.get(case.category)
        return CaseDetail(
            row=self.row(view, actor),
            reason=case.reason or _NO_REASON,
            steps=tuple(self._choice(case, step) for step in self._steps(case, actor)),
            evidence=tuple(map(_evidence, case.evidence)),
            decimals=self._decimals_of(case),
            description=case.description,
            checklist=category.checklist if category else (),
            open_when=category.open_when if category else None,
            close_when=category.close_when if category else None,
            limit=_LIMITS[case.handle_within.unit].format(n=f"{case.handle_within.amount:g}"),
            source=category.source if category else None,
            trust=category.trust if category else "D",
        )

    async def log(self, actor: Actor, case_id: str) -> list[LogLine]:
        allow(actor, "cases.read")
        return [
            LogLine(
                at=line.at,
                label=STEP_WORDS[line.step],
                by=line.by_name or line.by_id,
                note="" if line.by_role == "system" else line.note,
                detail=sentence(line) if line.by_role == "system" else None,
                automatic=line.by_role == "system",
            )
            for line in await self._cases.log(actor.tenant, case_id)
        ]

    async def take_step(self, actor: Actor, case_id: str, order: StepOrder) -> None:
        if order.step not in set(Step):
            raise Invalid(f"there is no step {order.step!r}", param="step")
        allow(actor, f"cases.step.{order.step}")
        await self._cases.take_step(
            case_id,
            Step(order.step),
            actor,
            note=order.note,
            key=order.key,
            expecting=order.version,
        )

    async def report(self, actor: Actor, report: Report) -> str:
        allow(actor, "cases.report")
        category = self._categories.get(report.category)
        first_line = report.description.strip().splitlines()[:1]
        title = (first_line[0] if first_line else "")[:60]
        if not title and category is not None:
            title = category.title.zh
        location: dict[str, Any] | None = None
        if report.position is not None:
            location = {"type": "Point", "coordinates": list(report.position)}
        view = await self._cases.report(
            actor,
            report.category,
            title,
            area=report.area,
            location=location,
            description=report.description,
            key=report.key,
        )
        return view.case.id

    async def open_about(self, actor: Actor, seen: SeenVital, key: str) -> str:
        allow(actor, "cases.report")
        return (await self._cases.report_vital(actor, seen, key=key)).case.id

    def categories(self) -> tuple[CategoryChoice, ...]:
        """Return what may be reported, pack by pack."""
        return tuple(
            CategoryChoice(c.id, c.title, self._groups[c.id]) for c in self._categories.values()
        )

    def row(self, view: CaseView, actor: Actor) -> CaseRow:
        """Return a case as a line; its next step is the first one that the actor may take."""
        case = view.case
        moves = [
            step
            for step in self._steps(case, actor)
            if FLOW.edge(case, step) is not None and FLOW.edge(case, step).moves  # type: ignore[union-attr]
        ]
        category = self._categories.get(case.category)
        return CaseRow(
            id=case.id,
            number=case.number,
            title=case.title,
            category=category.title if category else case.title,
            state=case.state.value,
            state_label=STATE_WORDS[case.state],
            kind=case.kind,
            level=_level(case.level),
            area=case.area,
            opened_at=case.opened_at or case.reported_at,
            version=case.version,
            unit=case.unit_title,
            due_at=case.due_at,
            light=_LIGHTS.get(view.urgency, "green"),
            next_step=self._choice(case, moves[0]) if moves and not case.has_ended else None,
            recovered=case.recovered,
            closed=case.has_ended,
            vital_id=case.vital,
            sensor_id=case.sensor,
            firing_id=case.firing,
            position=position(case.location),
            reason=case.reason,
        )

    def _steps(self, case: Case, actor: Actor) -> list[Step]:
        return self._cases.possible_steps(case, actor)

    @staticmethod
    def _choice(case: Case, step: Step) -> StepChoice:
        edge = FLOW.edge(case, step)
        needs_note = edge is not None and edge.needs != "nothing"
        target = case.unit_title if step is Step.DISPATCH else None
        return StepChoice(step.value, STEP_WORDS[step], needs_note, target)

    def _decimals_of(self, case: Case) -> int:
        parts = (case.vital or "").split(":")
        return self._decimals.get((parts[3], parts[4]), 1) if len(parts) > 4 else 1


def position(location: Mapping[str, Any] | None) -> Position | None:
    """Return where a GeoJSON geometry is, as one point."""
    return point_of(dict(location)) if location else None


def _level(level: str) -> Any:
    return level if level in ("normal", "watch", "act") else "unknown"


def _fits(row: CaseRow, filters: CaseFilter) -> bool:
    text = (filters.text or "").strip().lower()
    return (
        (not filters.level or row.level == filters.level)
        and (not filters.area or row.area == filters.area)
        and (not text or text in f"{row.number} {row.title.zh} {row.title.en} {row.area}".lower())
    )


def _evidence(reading: Mapping[str, Any]) -> EvidenceReading:
    value = reading.get("value")
    return EvidenceReading(
        at=parse_instant(reading["at"]),
        value=float(value) if isinstance(value, int | float) else None,
        unit=str(reading.get("unit", "")),
        note=str(reading.get("note", "")),
    )
