"""What the log of a case keeps of the news that moved it."""

from __future__ import annotations

from typing import Any

from chengmai.kernel.events import SensorSuspected, VitalCrossed
from chengmai.kernel.instants import format_instant


def facts_of_suspicion(suspicion: SensorSuspected) -> dict[str, Any]:
    """Return what is kept of a suspicion."""
    return {
        "sensor": suspicion.vital_id,
        "fault": suspicion.fault,
        "level": "watch",
        "reason": suspicion.reason.as_language_map(),
        "since": format_instant(suspicion.since),
    }


def facts_of(crossing: VitalCrossed) -> dict[str, Any]:
    """Return what is kept of a crossing."""
    expected = crossing.expected_at
    return {
        "vital": crossing.vital_id,
        "kind": crossing.kind,
        "level": crossing.level,
        "previous_level": crossing.previous_level,
        "value": crossing.value,
        "unit": crossing.unit,
        "category": crossing.category,
        "reason": crossing.reason.as_language_map(),
        "crossed_at": format_instant(crossing.at),
        "expected_at": format_instant(expected) if expected else None,
    }
