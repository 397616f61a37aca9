"""The ground truth of the simulated city as entities: what goes wrong is never passed off as measured."""

from __future__ import annotations

from datetime import datetime, timedelta

from chengmai.connect.ports import Pace
from chengmai.connect.simulate.city import SimulatedCity
from chengmai.connect.simulate.incidents import KINDS, Incident
from chengmai.kernel.actors import Actor
from chengmai.kernel.ids import urn
from chengmai.kernel.instants import format_instant
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Entity, entity, prop, words
from chengmai.ngsild.model import Model

EVERY = timedelta(minutes=10)


def incident_entity(incident: Incident) -> Entity:
    """Return the SimulatedIncident entity of an incident."""
    return entity(
        urn("SimulatedIncident", incident.id),
        "SimulatedIncident",
        name=words(KINDS[incident.kind].as_language_map()),
        incidentKind=prop(incident.kind),
        areaServed=prop(incident.area),
        startsAt=prop(format_instant(incident.start)),
        endsAt=prop(format_instant(incident.end)),
        strength=prop(round(incident.strength, 2)),
        simulated=prop(True),
    )


class IncidentLog:
    """Writes each incident into the model once it has begun; what is to come stays unsaid."""

    def __init__(
        self, city: SimulatedCity, work: Work[Tx], model: Model, pace: Pace, *, by: Actor
    ) -> None:
        self._city = city
        self._work = work
        self._model = model
        self._pace = pace
        self._by = by

    async def run(self) -> None:
        """Write labels until cancelled."""
        since = self._pace.now() - timedelta(days=2)
        while True:
            now = self._pace.now()
            await self.write(since, now)
            since = now
            await self._pace.wait(EVERY)

    async def write(self, since: datetime, now: datetime) -> int:
        """Write the labels of incidents going on since `since` that had begun at `now`; return how many."""

        def put(tx: Tx) -> int:
            made = [i for i in self._city.labels(since, now) if i.start <= now]
            new = [incident_entity(incident) for incident in made]
            new = [e for e in new if self._model.get(tx, self._by.tenant, e["id"]) is None]
            for label in new:
                self._model.put(tx, label, by=self._by, note="ground truth of the simulated city")
            return len(new)

        return await self._work.write(put)
