"""Suspected sensors: cases of data quality beside, and in place of, those of the domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chengmai.cases.facts import facts_of, facts_of_suspicion
from chengmai.cases.ledger import Ledger
from chengmai.cases.model import Case, Step
from chengmai.cases.ports import CaseStore
from chengmai.cases.rules import (
    NoteOnCase,
    OpenCase,
    joined_evidence,
    on_doubtful_crossing,
    on_suspicion,
)
from chengmai.cases.words import title_of_suspicion
from chengmai.kernel.actors import system
from chengmai.kernel.events import SensorSuspected, VitalCrossed
from chengmai.kernel.work import Tx
from chengmai.packs.model import CaseCategory

NewCase = Callable[[Tx, str, CaseCategory, str], Case]


class Suspicions:
    """Opens and moves the cases of data quality."""

    def __init__(
        self,
        store: CaseStore,
        ledger: Ledger,
        categories: Mapping[str, CaseCategory],
        new: NewCase,
    ) -> None:
        self._store, self._ledger = store, ledger
        self._categories, self._new = categories, new

    def on_sensor_suspected(self, tx: Tx, suspicion: SensorSuspected) -> None:
        """Open a case of data quality, or add a line to the live one."""
        live = self._store.live_of_sensor(tx, suspicion.tenant, suspicion.vital_id)
        decision = on_suspicion(suspicion, live)
        by, facts = system("cases", suspicion.tenant), facts_of_suspicion(suspicion)
        if isinstance(decision, OpenCase):
            category = self._categories.get(decision.category.id, decision.category)
            case = self._new(tx, suspicion.tenant, category, suspicion.area).model_copy(
                update={
                    "title": title_of_suspicion(suspicion.title, suspicion.area),
                    "kind": decision.kind,
                    "level": decision.level,
                    "sensor": suspicion.vital_id,
                    "reason": suspicion.reason,
                    "location": suspicion.location,
                }
            )
            self._ledger.begin(tx, case, Step.OPEN, by, facts=facts)
        elif isinstance(decision, NoteOnCase) and live is not None:
            seen = decision.changes | {"reason": suspicion.reason}
            self._ledger.go(tx, live, decision.step, by, facts=facts, changes=seen)

    def note_doubt(self, tx: Tx, crossing: VitalCrossed) -> None:
        """Raise the case of data quality to the level that a doubtful value would mean."""
        live = self._store.live_of_sensor(tx, crossing.tenant, crossing.vital_id)
        decision = on_doubtful_crossing(crossing, live)
        if isinstance(decision, NoteOnCase) and live is not None:
            seen = {"evidence": joined_evidence(live.evidence, crossing.evidence)}
            by = system("cases", crossing.tenant)
            changes = decision.changes | seen
            self._ledger.go(tx, live, decision.step, by, facts=facts_of(crossing), changes=changes)
