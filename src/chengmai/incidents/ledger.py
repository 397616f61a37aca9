"""Writes steps of incidents: the incident, its log line and its entity, together or not at all."""

from __future__ import annotations

from typing import Any

from chengmai.incidents.model import Incident, LogLine, Step
from chengmai.incidents.ports import IncidentStore
from chengmai.incidents.publish import as_entity
from chengmai.kernel.actors import Actor
from chengmai.kernel.work import Tx
from chengmai.ngsild.model import Model


class Ledger:
    """The only way an incident changes."""

    def __init__(self, model: Model, store: IncidentStore) -> None:
        self._model, self._store = model, store

    def write(
        self,
        tx: Tx,
        incident: Incident,
        step: Step,
        by: Actor,
        *,
        reason: str = "",
        note: str = "",
        facts: dict[str, Any] | None = None,
        key: str | None = None,
    ) -> Incident:
        """Return the incident as `step` left it, one version on."""
        after = incident.model_copy(update={"version": incident.version + 1})
        line = LogLine(
            tenant=after.tenant,
            incident_id=after.id,
            n=after.version,
            at=tx.now,
            by_id=by.id,
            by_name=by.name,
            step=step,
            reason=reason,
            note=note,
            facts=facts or {},
            key=key,
        )
        self._store.put(tx, after)
        self._store.append(tx, line)
        said = f"incident {step.value}" + (f": {reason}" if reason else "")
        self._model.put(tx, as_entity(after), by=by, note=said)
        return after
