"""The alarms of incidents that were looked at: every new alarm is held against those of all of them."""

from __future__ import annotations

from chengmai.incidents.folding import Alarm
from chengmai.incidents.model import Incident
from chengmai.incidents.rules import alarms_of

_MOST = 1000
"""Incidents whose alarms are kept; with more, all are made anew."""


class KnownAlarms:
    """What `alarms_of` gives, by incident; `most` incidents are kept."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: dict[str, tuple[Incident, list[Alarm]]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, incident: Incident) -> list[Alarm]:
        """Return the members of an incident as folding sees them, made once while it stands as it does."""
        known = self._known.get(incident.id)
        if known is not None and known[0] is incident:
            return known[1]
        if len(self._known) >= self._most:
            self._known.clear()
        made = alarms_of(incident)
        self._known[incident.id] = (incident, made)
        return made
