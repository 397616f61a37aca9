"""Incidents follow the alarms: opened, extended, merged and ended in the transaction of what caused it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from chengmai.incidents.budget import Ration, Review, Waiting, ration, review
from chengmai.incidents.deciding import Deciding
from chengmai.incidents.folding import Chains, touching
from chengmai.incidents.known import KnownAlarms
from chengmai.incidents.ledger import Ledger
from chengmai.incidents.model import Incident, LogLine, Member, Nature, Order, State, Step
from chengmai.incidents.ports import IncidentStore
from chengmai.incidents.problems import IncidentNotFound
from chengmai.incidents.rules import (
    alarm_of,
    begun,
    facts_of,
    forgotten,
    member_of,
    member_of_fault,
    member_of_firing,
    merged,
    opened_again,
    recovered,
    reopens,
    with_alarm,
)
from chengmai.incidents.words import name_of
from chengmai.kernel.actors import Actor, system
from chengmai.kernel.events import CaseMoved, RuleFired, SensorSuspected, VitalCrossed
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.model import Model

_HOUR = timedelta(hours=1)
_LATELY = timedelta(days=7)
_MOST = 500


class IncidentService:
    """Incidents of all tenants."""

    def __init__(
        self,
        *,
        work: Work[Tx],
        model: Model,
        store: IncidentStore,
        chains: Chains,
        zone: ZoneInfo,
        budget: int,
    ) -> None:
        self._work, self._store, self._chains = work, store, chains
        self._zone, self._budget = zone, budget
        self._ledger = Ledger(model, store)
        self._alarms = KnownAlarms()
        self._deciding = Deciding(store, self._ledger, chains, self._next_number)

    def on_vital_crossed(self, tx: Tx, crossing: VitalCrossed) -> None:
        """Fold an alarm into an incident, or end its part in one; that of a suspected sensor waits."""
        if crossing.fault is not None:
            return
        if crossing.kind == "recovered":
            self._over(tx, crossing.tenant, crossing.vital_id, "event", member_of(crossing))
        else:
            self._take(tx, crossing.tenant, member_of(crossing), "event")

    def on_sensor_suspected(self, tx: Tx, suspicion: SensorSuspected) -> None:
        """Fold a suspected sensor into an incident of data quality, or end its part in one."""
        member = member_of_fault(suspicion)
        if suspicion.begun:
            self._take(tx, suspicion.tenant, member, "fault")
        else:
            self._over(tx, suspicion.tenant, suspicion.vital_id, "fault", member)

    def on_rule_fired(self, tx: Tx, fired: RuleFired) -> None:
        """Fold a firing into an incident, or end its part in one."""
        member = member_of_firing(fired)
        if fired.kind == "recovered":
            self._over(tx, fired.tenant, fired.firing, "event", member)
        else:
            self._take(tx, fired.tenant, member, "event")

    def on_case_moved(self, tx: Tx, move: CaseMoved) -> None:
        """Note the case of a member."""
        about = move.vital or move.firing
        if about is None:
            return
        nature: Nature = "fault" if move.about_sensor else "event"
        found = self._store.open_of_vital(tx, move.tenant, about, nature)
        member = found.member(about) if found else None
        if found is None or member is None or member.case == move.case_id:
            return
        members = tuple(
            one.model_copy(update={"case": move.case_id}) if one.vital == about else one
            for one in found.members
        )
        facts = {
            "vital": member.vital,
            "member": name_of(member).as_language_map(),
            "case": move.case_id.rpartition(":")[2],
        }
        after = found.model_copy(update={"members": members})
        self._ledger.write(tx, after, Step.CASE, _platform(move.tenant), facts=facts)

    async def settle(self, tenant: str) -> int:
        """End the part of what was expected and did not come; return how many."""

        def due(tx: Tx) -> list[Incident]:
            found = self._store.recent(tx, tenant, "event", tx.now + _HOUR)
            return [one for one in found if forgotten(one, tx.now)]

        def do(tx: Tx) -> int:
            gone = [(one, m) for one in due(tx) for m in forgotten(one, tx.now)]
            for _, member in gone:
                self._over(tx, tenant, member.vital, "event", member)
            return len(gone)

        return await self._work.write(do) if await self._work.read(due) else 0

    async def decide(self, incident_id: str, by: Actor, order: Order) -> Incident:
        """Return the incident after a person's order.

        Raises `IncidentNotFound`, `OrderUnknown`, `ReasonUnknown`, `LevelNotHigher`, `SplitInvalid`,
        `WordsInvalid`, `IncidentOver`, `MergeNotPossible`, `NothingToUndo`, `IncidentChanged` or `KeyReused`.
        """
        self._deciding.check(order)
        return await self._work.write(lambda tx: self._deciding.do(tx, incident_id, by, order))

    async def get(self, tenant: str, incident_id: str) -> Incident:
        """Return an incident; raises `IncidentNotFound`."""

        def do(tx: Tx) -> Incident:
            found = self._store.get(tx, tenant, incident_id)
            if found is None:
                raise IncidentNotFound(incident_id)
            return found

        return await self._work.read(do)

    async def log(self, tenant: str, incident_id: str) -> list[LogLine]:
        """Return the log of an incident, the oldest line first."""
        return await self._work.read(lambda tx: self._store.log(tx, tenant, incident_id))

    async def page(
        self, tenant: str, *, state: State | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[list[Incident], int]:
        """Return incidents, the newest first, and how many there are; without `state` the open ones."""
        states = (state or State.OPEN,)
        size, start = min(max(limit, 1), _MOST), max(offset, 0)
        return await self._work.read(
            lambda tx: self._store.page(tx, tenant, states, limit=size, offset=start)
        )

    async def ration(self, by: Actor, waiting: Sequence[Waiting]) -> Ration:
        """Return what `by` is shown of what waits now, and write down what is shown for the first time."""

        def plan(tx: Tx) -> Ration:
            names = [one.alarm for one in waiting]
            known = self._store.known_to(tx, by.tenant, by.id, names)
            hour = self._store.shown(tx, by.tenant, tx.now - _HOUR, by.id)
            used = sum(one.at is not None and one.at > tx.now - _HOUR for one in hour)
            return ration(by.id, waiting, known, used, budget=self._budget, now=tx.now)

        def keep(tx: Tx) -> Ration:
            # Planned again inside: two windows of one person must not both spend the last place.
            again = plan(tx)
            for one in again.news:
                self._store.keep_shown(tx, by.tenant, one)
            return again

        found = await self._work.read(plan)
        return await self._work.write(keep) if found.news else found

    async def review(self, tenant: str, length: timedelta = timedelta(days=7)) -> Review:
        """Return how the alarms went over a time."""

        def do(tx: Tx) -> Review:
            since = tx.now - length
            steps = self._store.steps_since(tx, tenant, since)
            alarms = sum(steps.get(s.value, 0) for s in (Step.OPEN, Step.EXTEND, Step.RISE))
            alarms += steps.get(Step.REOPEN.value, 0)
            shown = self._store.shown(tx, tenant, since)
            return review(shown, alarms, steps.get(Step.OPEN.value, 0), length)

        return await self._work.read(do)

    def _take(self, tx: Tx, tenant: str, alarm: Member, nature: Nature) -> None:
        known = self._store.open_of_vital(tx, tenant, alarm.vital, nature)
        if known is not None:
            after, step = with_alarm(known, alarm, self._chains)
            if step is not None:
                kept = self._write(tx, after, step, alarm)
                self._gather(tx, alarm, kept, nature)
            return
        homes = self._homes(tx, tenant, alarm, nature)
        if not homes:
            number = self._next_number(tx, tenant)
            new = begun(tenant, number, nature, (alarm,), self._chains)
            self._write(tx, new, Step.OPEN, alarm)
            return
        home, again = homes[0], False
        if home.state is State.ENDED and reopens(home, alarm):
            home, again = opened_again(home), True
        after, step = with_alarm(home, alarm, self._chains)
        kept = self._write(tx, after, Step.REOPEN if again else step or Step.EXTEND, alarm)
        if kept.state is State.OPEN:
            self._gather(tx, alarm, kept, nature)

    def _homes(self, tx: Tx, tenant: str, alarm: Member, nature: Nature) -> list[Incident]:
        """Return the incidents that an alarm belongs to: the oldest first, the open ones before the ended."""
        since = tx.now - timedelta(microseconds=self._chains.reach_us(alarm.sign))
        found = {one.id: one for one in self._store.recent(tx, tenant, nature, since)}
        groups = {name: self._alarms.of(one) for name, one in found.items()}
        names = touching(alarm_of(alarm, nature), groups, self._chains)
        return sorted((found[name] for name in names), key=lambda one: one.state is not State.OPEN)

    def _gather(self, tx: Tx, alarm: Member, home: Incident, nature: Nature) -> None:
        """Merge into an incident the open ones that its new alarm belongs to as well."""
        for other in self._homes(tx, home.tenant, alarm, nature):
            if other.id == home.id or other.state is not State.OPEN:
                continue
            if other.id in home.apart or home.id in other.apart:
                continue
            by = _platform(home.tenant)
            kept, gone = sorted((home, other), key=lambda one: (one.since, one.number))
            joined, away = merged(kept, gone, tx.now, self._chains)
            self._ledger.write(tx, away, Step.MERGE, by, facts=_named(kept))
            home = self._ledger.write(tx, joined, Step.JOINED, by, facts=_named(gone))

    def _over(self, tx: Tx, tenant: str, vital: str, nature: Nature, told: Member) -> None:
        found = self._standing_in(tx, tenant, vital, nature)
        if found is None:
            return
        member = found.member(vital)
        assert member is not None
        after = recovered(found, vital, tx.now, self._chains)
        if found.state is not State.OPEN:
            # Stood down before it was over: people may yet undo that, and must find it over then.
            kept_end = {"state": found.state, "ended_at": found.ended_at}
            said = member.model_copy(update={"reason": told.reason})
            self._write(tx, after.model_copy(update=kept_end), Step.RECOVER, said)
            return
        said = member.model_copy(update={"reason": told.reason})
        kept = self._write(tx, after.model_copy(update={"state": found.state}), Step.RECOVER, said)
        if after.state is State.ENDED:
            over = after.model_copy(update={"version": kept.version})
            self._ledger.write(tx, over, Step.END, _platform(tenant))

    def _standing_in(self, tx: Tx, tenant: str, vital: str, nature: Nature) -> Incident | None:
        """Return the incident in which the alarm of a vital sign stands, the open one first."""
        found = self._store.open_of_vital(tx, tenant, vital, nature)
        lately: list[Incident] = (
            [] if found else self._store.recent(tx, tenant, nature, tx.now - _LATELY)
        )
        one: Incident | None
        for one in (found, *lately):
            member = one.member(vital) if one is not None else None
            if member is not None and member.stands:
                return one
        return None

    def _write(self, tx: Tx, incident: Incident, step: Step, member: Member) -> Incident:
        facts = facts_of(member, name_of(member))
        return self._ledger.write(tx, incident, step, _platform(incident.tenant), facts=facts)

    def _next_number(self, tx: Tx, tenant: str) -> str:
        day = tx.now.astimezone(self._zone).strftime("%Y%m%d")
        return f"I{day}{self._store.next_number(tx, tenant, day):04d}"


def _platform(tenant: str) -> Actor:
    return system("incidents", tenant)


def _named(incident: Incident) -> dict[str, str]:
    return {"number": incident.number, "other": incident.id}
