"""Use cases on cases: open from a crossing, report, take a step, read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from chengmai.cases.facts import facts_of
from chengmai.cases.flow import FLOW, Flow
from chengmai.cases.intake import (
    MOST_NOTE,
    MOST_TITLE,
    clean_facts,
    clean_location,
    clean_text,
)
from chengmai.cases.ledger import Ledger
from chengmai.cases.model import (
    LIVE,
    UNSORTED,
    Case,
    CaseView,
    LogLine,
    Page,
    SeenVital,
    State,
    Step,
    cause_of,
)
from chengmai.cases.ports import CaseStore
from chengmai.cases.problems import (
    AnotherCaseLive,
    CaseChanged,
    CaseNotFound,
    CategoryUnknown,
    KeyReused,
    UnitUnknown,
)
from chengmai.cases.publish import load_entity
from chengmai.cases.rules import (
    NoteOnCase,
    OpenCase,
    first_state,
    joined_evidence,
    new_case,
    open_from_crossing,
    possible_steps,
    route,
    view,
)
from chengmai.cases.suspicions import Suspicions
from chengmai.cases.words import title_of_crossing
from chengmai.cases.working_time import Calendar
from chengmai.kernel.actors import Actor, system
from chengmai.kernel.events import Events, RuleFired, SensorSuspected, VitalCrossed, WorkAsked
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.model import Model
from chengmai.packs.model import CaseCategory, ResponsibleUnit

MOST_LISTED = 500
_LATELY = timedelta(days=30)


class CaseService:
    """Cases of all tenants. Deadlines follow the instant of the transaction, that is the city's clock."""

    def __init__(
        self,
        *,
        work: Work[Tx],
        model: Model,
        store: CaseStore,
        events: Events,
        categories: Mapping[str, CaseCategory],
        units: Sequence[ResponsibleUnit],
        calendar: Calendar,
        flow: Flow = FLOW,
    ) -> None:
        self._work, self._store, self._model = work, store, model
        self._categories, self._units = categories, units
        self._calendar, self._flow = calendar, flow
        self._ledger = Ledger(model, store, events, calendar, flow)
        self._suspicions = Suspicions(store, self._ledger, categories, self._new)

    def on_sensor_suspected(self, tx: Tx, suspicion: SensorSuspected) -> None:
        """Open a case of data quality, or add a line to the live one, in the transaction of the suspicion."""
        self._suspicions.on_sensor_suspected(tx, suspicion)

    def on_vital_crossed(self, tx: Tx, crossing: VitalCrossed) -> None:
        """Open a case, or add a line to the live one, in the transaction of the crossing."""
        if crossing.fault is not None:
            self._suspicions.note_doubt(tx, crossing)
        self._hear(tx, crossing)

    def on_rule_fired(self, tx: Tx, fired: RuleFired) -> None:
        """Open a case about an entity, or add a line to the live one, in the transaction of the firing."""
        about = {"rule": fired.rule, "firing": fired.firing, "about": fired.entity, "vital": None}
        self._hear(tx, _as_crossing(fired), about)

    def _hear(self, tx: Tx, crossing: VitalCrossed, about: dict[str, Any] | None = None) -> None:
        live = self._store.live_of_vital(tx, crossing.tenant, crossing.vital_id)
        category = self._categories.get(crossing.category or "")
        decision = open_from_crossing(crossing, category, live)
        if isinstance(decision, OpenCase):
            self._open(tx, crossing, decision, about or {"vital": crossing.vital_id})
        elif isinstance(decision, NoteOnCase) and live is not None:
            seen = {
                "evidence": joined_evidence(live.evidence, crossing.evidence),
                "reason": crossing.reason,
            }
            self._ledger.go(
                tx,
                live,
                decision.step,
                system("cases", crossing.tenant),
                facts=facts_of(crossing) | (about or {}),
                changes=decision.changes | seen | (about or {}),
            )

    def on_work_asked(self, tx: Tx, asked: WorkAsked) -> None:
        """Open a case for what a person decided elsewhere, in the transaction of the decision."""
        category = self._categories.get(asked.category, UNSORTED)
        told = {
            "title": asked.title,
            "reason": asked.reason,
            "location": asked.location,
        }
        case = self._new(tx, asked.tenant, category, asked.area).model_copy(update=told)
        by = system("cases", asked.tenant)
        facts = {"decided_by": asked.by.id, "reason": asked.reason.as_language_map(), **asked.facts}
        asked.opened(self._ledger.begin(tx, case, Step.OPEN, by, facts=facts).id)

    async def report(
        self,
        by: Actor,
        category: str,
        title: str,
        *,
        area: str = "",
        location: dict[str, Any] | None = None,
        description: str = "",
        key: str | None = None,
    ) -> CaseView:
        """Return the new case that a person reports.

        With `key`, the same report sent again returns the first case. Raises `StepNotYours`,
        `CategoryUnknown`, `TextInvalid`, `WordsTooLong`, `LocationInvalid` or `KeyReused`.
        """
        first_state(Step.REPORT, by, self._flow)
        spec = self._categories.get(category)
        if spec is None:
            raise CategoryUnknown(category, self._categories)
        words = clean_text(title, "title", most=MOST_TITLE, required=True)
        told = {
            "title": Text(zh=words, en=words),
            "description": clean_text(description, "description", most=MOST_NOTE),
            "location": clean_location(location),
        }
        where = clean_text(area, "area", most=MOST_TITLE)
        once = clean_text(key, "key", most=MOST_TITLE) if key else None

        def do(tx: Tx) -> CaseView:
            if (done := self._done_before(tx, by, once, None, Step.REPORT)) is not None:
                return done
            case = self._new(tx, by.tenant, spec, where).model_copy(update=told)
            begun = self._ledger.begin(tx, case, Step.REPORT, by, note=words, key=once)
            return self._see(tx, begun)

        return await self._work.write(do)

    async def report_vital(self, by: Actor, seen: SeenVital, *, key: str | None = None) -> CaseView:
        """Return the new case that a person opens about a vital sign, or its live case when it has one.

        Raises `StepNotYours` or `KeyReused`.
        """
        first_state(Step.REPORT, by, self._flow)
        spec = self._categories.get(seen.category or "", UNSORTED)
        once = clean_text(key, "key", most=MOST_TITLE) if key else None

        def do(tx: Tx) -> CaseView:
            if (done := self._done_before(tx, by, once, None, Step.REPORT)) is not None:
                return done
            if (live := self._store.live_of_vital(tx, by.tenant, seen.vital)) is not None:
                return self._see(tx, live)
            case = self._new(tx, by.tenant, spec, seen.area).model_copy(
                update={
                    "title": title_of_crossing("real", seen.title, seen.area),
                    "level": seen.level,
                    "vital": seen.vital,
                    "reason": seen.reason,
                    "location": seen.location,
                    "evidence": joined_evidence((), seen.evidence),
                }
            )
            facts = {"vital": seen.vital, "reason": seen.reason.as_language_map()}
            return self._see(
                tx, self._ledger.begin(tx, case, Step.REPORT, by, facts=facts, key=once)
            )

        return await self._work.write(do)

    async def take_step(
        self,
        case_id: str,
        step: Step,
        by: Actor,
        *,
        note: str = "",
        facts: dict[str, Any] | None = None,
        key: str | None = None,
        expecting: int | None = None,
    ) -> CaseView:
        """Return the case after `by` took `step`.

        `facts` are kept in the log; `facts["unit"]` of a dispatch names another responsible unit. With
        `key`, the same request sent again changes nothing. `expecting` is the version the actor decided on.
        Raises `CaseNotFound`, `StepNotPossible`, `StepNotYours`, `ReasonMissing`, `ResultMissing`,
        `WordsMissing`, `UnitUnknown`, `CaseChanged`, `AnotherCaseLive` or `KeyReused`.
        """
        words = clean_text(note, "note", most=MOST_NOTE)
        known = clean_facts(facts or {})
        once = clean_text(key, "key", most=MOST_TITLE) if key else None

        def do(tx: Tx) -> CaseView:
            if (done := self._done_before(tx, by, once, case_id, step)) is not None:
                return done
            case = self._find(tx, by.tenant, case_id)
            if expecting is not None and expecting != case.version:
                raise CaseChanged(case_id, expecting, case.version)
            self._refuse_second_live(tx, case, step)
            unit = self._chosen_unit(step, case, known)
            after = self._ledger.go(
                tx, case, step, by, note=words, facts=known, key=once, unit=unit
            )
            return self._see(tx, after)

        return await self._work.write(do)

    async def get(self, tenant: str, case_id: str) -> CaseView:
        """Return a case; raises `CaseNotFound`."""
        return await self._work.read(lambda tx: self._see(tx, self._find(tx, tenant, case_id)))

    async def log(self, tenant: str, case_id: str) -> list[LogLine]:
        """Return the log of a case, the oldest line first; raises `CaseNotFound`."""

        def do(tx: Tx) -> list[LogLine]:
            self._find(tx, tenant, case_id)
            return self._store.log(tx, tenant, case_id)

        return await self._work.read(do)

    async def queue(
        self,
        tenant: str,
        *,
        state: State | None = None,
        unit: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[CaseView]:
        """Return cases by deadline, the most urgent first; without `state`, all that have not ended.

        `limit` is 1…500.
        """
        states = LIVE if state is None else (state,)
        size = min(max(limit, 1), MOST_LISTED)
        start = max(offset, 0)

        def do(tx: Tx) -> Page[CaseView]:
            cases = self._store.queue(tx, tenant, states, unit, limit=size, offset=start)
            counts = self._store.count(tx, tenant, unit)
            total = sum(counts.get(one, 0) for one in states)
            return Page([self._see(tx, case) for case in cases], total, size, start)

        return await self._work.read(do)

    async def counts(self, tenant: str, unit: str | None = None) -> dict[State, int]:
        """Return how many cases stand in each state, zeros included."""
        found = await self._work.read(lambda tx: self._store.count(tx, tenant, unit))
        return {state: found.get(state, 0) for state in State}

    async def publish_load(self, tenant: str) -> None:
        """Write the entity `CaseLoad`: how much work there is, for signs to watch."""

        def do(tx: Tx) -> None:
            load = self._store.load(tx, tenant, tx.now, tx.now - _LATELY)
            at = tx.now.replace(microsecond=0)
            self._model.put(tx, load_entity(load, at), by=system("cases", tenant))

        await self._work.write(do)

    async def of_vital(self, tenant: str, vital_id: str, *, limit: int = 20) -> list[CaseView]:
        """Return the cases of a vital sign, the newest first."""

        def do(tx: Tx) -> list[CaseView]:
            return [self._see(tx, c) for c in self._store.of_vital(tx, tenant, vital_id, limit)]

        return await self._work.read(do)

    def possible_steps(self, case: Case, by: Actor) -> list[Step]:
        """Return the steps `by` can take now, those that move the case first."""
        return possible_steps(case, by, self._flow)

    def _open(
        self, tx: Tx, crossing: VitalCrossed, decision: OpenCase, about: dict[str, Any]
    ) -> None:
        title = title_of_crossing(decision.kind, crossing.title, crossing.area)
        blank = self._new(tx, crossing.tenant, decision.category, crossing.area)
        case = blank.model_copy(
            update={
                "title": title,
                "kind": decision.kind,
                "level": decision.level,
                "reason": crossing.reason,
                "location": crossing.location,
                "evidence": joined_evidence((), crossing.evidence),
            }
            | about
        )
        by = system("cases", crossing.tenant)
        self._ledger.begin(tx, case, Step.OPEN, by, facts=facts_of(crossing) | about)

    def _new(self, tx: Tx, tenant: str, category: CaseCategory, area: str) -> Case:
        day = self._calendar.day_of(tx.now).strftime("%Y%m%d")
        number = f"{day}{self._store.next_number(tx, tenant, day):05d}"
        return new_case(tenant, number, category, area, route(category, area, self._units), tx.now)

    def _find(self, tx: Tx, tenant: str, case_id: str) -> Case:
        case = self._store.get(tx, tenant, case_id)
        if case is None:
            raise CaseNotFound(case_id)
        return case

    def _see(self, tx: Tx, case: Case) -> CaseView:
        return view(case, tx.now, self._calendar)

    def _done_before(
        self, tx: Tx, by: Actor, key: str | None, case_id: str | None, step: Step
    ) -> CaseView | None:
        if not key:
            return None
        line = self._store.line_by_key(tx, by.tenant, by.id, key)
        if line is None:
            return None
        if line.step is not step or case_id not in (None, line.case_id):
            raise KeyReused(key, line.case_id, line.step)
        return self._see(tx, self._find(tx, by.tenant, line.case_id))

    def _refuse_second_live(self, tx: Tx, case: Case, step: Step) -> None:
        if step is not Step.REOPEN or case.cause is None:
            return
        live = self._store.live_of_vital(tx, case.tenant, case.cause)
        if live is not None and live.id != case.id:
            raise AnotherCaseLive(case.id, live.id)

    def _chosen_unit(self, step: Step, case: Case, facts: dict[str, Any]) -> ResponsibleUnit | None:
        if step is not Step.DISPATCH or "unit" not in facts:
            return None
        named = [unit for unit in self._units if unit.id == facts["unit"]]
        serving = [unit for unit in named if case.area in unit.areas]
        for unit in [*serving, *named]:
            return unit
        raise UnitUnknown(str(facts["unit"]), (unit.id for unit in self._units))


def _as_crossing(fired: RuleFired) -> VitalCrossed:
    """Return a firing as what it is to the flow of cases: something that crossed, or recovered."""
    recovered = fired.kind == "recovered"
    return VitalCrossed(
        tenant=fired.tenant,
        at=fired.at,
        kind="recovered" if recovered else "real",
        vital_id=cause_of(fired.rule, fired.entity),
        sign=fired.rule,
        pack="",
        area=fired.area,
        level="normal" if recovered else fired.level,
        previous_level=fired.level if recovered else "normal",
        value=None,
        unit="",
        title=fired.title,
        reason=fired.reason,
        category=fired.category,
        location=fired.location,
        evidence=fired.evidence,
    )
