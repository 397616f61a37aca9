"""Writes one step of a case: the case, its log line, its entity and the event, together or not at all."""

from __future__ import annotations

from typing import Any

from chengmai.cases.flow import Flow
from chengmai.cases.model import Case, LogLine, Step
from chengmai.cases.ports import CaseStore
from chengmai.cases.publish import as_entity
from chengmai.cases.rules import entered, first_state, lateness, moved, next_state
from chengmai.cases.working_time import Calendar
from chengmai.kernel.actors import Actor
from chengmai.kernel.events import CaseMoved, Events
from chengmai.kernel.work import Tx
from chengmai.ngsild.model import Model
from chengmai.packs.model import ResponsibleUnit


class Ledger:
    """The only way a case changes."""

    def __init__(
        self, model: Model, store: CaseStore, events: Events, calendar: Calendar, flow: Flow
    ) -> None:
        self._model, self._store, self._events = model, store, events
        self._calendar, self._flow = calendar, flow

    def begin(
        self,
        tx: Tx,
        case: Case,
        step: Step,
        by: Actor,
        *,
        note: str = "",
        facts: dict[str, Any] | None = None,
        key: str | None = None,
    ) -> Case:
        """Return the new case as `step` brought it into being."""
        move = first_state(step, by, self._flow)
        begun = entered(case, move.to, tx.now, self._calendar).model_copy(update={"version": 1})
        line = _line(tx, begun, None, step, by, move.role, note, facts or {}, key)
        self._write(tx, begun, line, by)
        return begun

    def go(
        self,
        tx: Tx,
        case: Case,
        step: Step,
        by: Actor,
        *,
        note: str = "",
        facts: dict[str, Any] | None = None,
        key: str | None = None,
        unit: ResponsibleUnit | None = None,
        changes: dict[str, Any] | None = None,
    ) -> Case:
        """Return `case` after `step`; `changes` are members that the step itself changes.

        Raises what `next_state` raises.
        """
        move = next_state(case, step, by, note, self._flow)
        kept = dict(facts or {})
        if move.to is not case.state:
            kept |= lateness(case, tx.now)
        after = moved(case, step, move.to, at=tx.now, calendar=self._calendar, unit=unit)
        after = after.model_copy(update=changes or {})
        line = _line(tx, after, case, step, by, move.role, note, kept, key)
        self._write(tx, after, line, by)
        return after

    def _write(self, tx: Tx, case: Case, line: LogLine, by: Actor) -> None:
        self._store.put(tx, case)
        self._store.append(tx, line)
        self._model.put(tx, as_entity(case), by=by, note=f"case {line.step.value}")
        self._events.emit(
            tx,
            CaseMoved(
                tenant=case.tenant,
                at=tx.now,
                case_id=case.id,
                step=line.step.value,
                state=case.state.value,
                by=by.id,
                vital=case.vital or case.sensor,
                about_sensor=case.sensor is not None,
                firing=case.firing,
            ),
        )


def _line(
    tx: Tx,
    after: Case,
    before: Case | None,
    step: Step,
    by: Actor,
    role: str,
    note: str,
    facts: dict[str, Any],
    key: str | None,
) -> LogLine:
    return LogLine(
        tenant=after.tenant,
        case_id=after.id,
        n=after.version,
        at=tx.now,
        by_id=by.id,
        by_name=by.name,
        by_role=role,
        step=step,
        from_state=before.state if before is not None else None,
        to_state=after.state,
        note=note,
        facts=facts,
        key=key,
    )
