"""What one pass does to one sign in one area: from what was kept and what was read to what is written.

Pure: the same plan is made twice, once to see whether anything changed and once inside the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from chengmai.kernel.events import VitalCrossed
from chengmai.kernel.instants import format_us, from_us
from chengmai.kernel.texts import Text
from chengmai.ngsild.entity import Entity, Instance, instances, name_iri, value_of
from chengmai.vitals.entities import (
    VALUE_IRI,
    last_tick,
    new_vital,
    state_of,
    value_instance,
    vital_id,
    with_look_back,
    with_state,
)
from chengmai.vitals.model import Crossing, Level, Sign, Standing, State
from chengmai.vitals.rules import (
    Rule,
    event_kind,
    go_silent,
    is_stale,
    replay,
    standing_of,
    take,
    tell_of,
)
from chengmai.vitals.ticks import tick_after
from chengmai.vitals.words import reason, silence, symbol_of

Readout = tuple[dict[str, Any] | None, dict[str, Any] | None]
"""Baseline and anomaly."""


@dataclass(frozen=True)
class Seen:
    """What is known of an area at `now_us`: its ticks in order and its newest reading."""

    area: str
    ticks: Sequence[tuple[int, float]]
    newest_us: int | None
    now_us: int


@dataclass(frozen=True)
class Plan:
    """What to write: the entity's changed part, values of ticks that are not the last, and the news."""

    entity: Entity
    earlier: tuple[tuple[str, Instance], ...]
    crossing: Crossing | None
    known: Level | None
    because: Text
    last: tuple[int, float] | None
    location: dict[str, Any] | None
    level: Level = "unknown"


class _Turn(NamedTuple):
    """What a pass makes of a sign in an area: its state before and after, how it stands, and what crosses."""

    before: State
    told: State
    standing: Standing
    crossing: Crossing | None


class Decider:
    """Makes plans for one sign."""

    def __init__(self, sign: Sign, zone: ZoneInfo) -> None:
        self.sign, self._zone = sign, zone
        self.rule = Rule.of(sign.spec, zone)

    def is_due(self, kept: Entity | None, seen: Seen) -> bool:
        """Return whether a pass changes anything of the sign in an area: whether `plan` returns a plan."""
        return self._turn(kept, seen) is not None

    def plan(
        self,
        kept: Entity | None,
        seen: Seen,
        *,
        look_back: Readout = (None, None),
        location: dict[str, Any] | None = None,
    ) -> Plan | None:
        """Return what a pass writes of the sign in an area, None when nothing changed."""
        turn = self._turn(kept, seen)
        if turn is None:
            return None
        before, told, standing, crossing = turn
        last = told.trail[-1] if told.trail else last_tick(kept)
        because = self._because(told, standing, last)
        whole = kept is None or (location is not None and not instances(kept, "location"))
        made = new_vital(self.sign, seen.area, location)
        if not whole:
            made = {"id": made["id"], "type": made["type"]}
        with_state(made, self.sign, told, standing, at_us=self._at(told, seen), because=because)
        with_look_back(made, *look_back)
        return Plan(
            entity=_only_changes(made, kept),
            earlier=tuple(self._earlier(before, told, seen)),
            crossing=crossing,
            known=before.known,
            because=because,
            last=last,
            location=location,
            level=standing.level,
        )

    def first(
        self, seen: Seen, *, look_back: Readout = (None, None), location: dict[str, Any] | None
    ) -> Entity:
        """Return the entity of a sign after a past of ticks, with nothing told of it."""
        state = replay(seen.ticks, self.rule)
        if self._is_stale(state, seen):
            state = go_silent(state, seen.now_us)
        standing = standing_of(state, self.rule)
        because = self._because(state, standing, seen.ticks[-1])
        made = new_vital(self.sign, seen.area, location)
        made[VALUE_IRI] = [value_instance(self.sign, *seen.ticks[-1])]
        with_state(made, self.sign, state, standing, at_us=self._at(state, seen), because=because)
        return with_look_back(made, *look_back)

    def has_new_tick(self, kept: Entity | None, seen: Seen) -> bool:
        """Return whether the last tick is another one, or has another value, than the one kept."""
        return bool(seen.ticks) and last_tick(kept) != seen.ticks[-1]

    def is_news(self, plan: Plan) -> bool:
        """Return whether a plan has a crossing of which people are told."""
        return self._kind(plan) is not None

    def event(
        self, tenant: str, seen: Seen, plan: Plan, evidence: Sequence[tuple[int, float]]
    ) -> VitalCrossed:
        """Return the news of a plan; raises `ValueError` when its crossing is none."""
        spec, kind = self.sign.spec, self._kind(plan)
        if plan.crossing is None or kind is None:
            raise ValueError("the plan has no crossing to tell of")
        return VitalCrossed(
            tenant=tenant,
            at=from_us(seen.now_us),
            kind=kind,
            vital_id=vital_id(self.sign, seen.area),
            sign=spec.id,
            pack=self.sign.pack,
            area=seen.area,
            level=plan.crossing.level,
            previous_level=plan.crossing.previous,
            value=plan.last[1] if plan.last else None,
            unit=symbol_of(spec),
            title=spec.title,
            reason=plan.because,
            category=spec.opens.category if spec.opens else None,
            location=plan.location,
            evidence=evidence_of(evidence),
        )

    def _kind(self, plan: Plan) -> str | None:
        if plan.crossing is None:
            return None
        opens = self.sign.spec.opens
        return event_kind(plan.crossing, plan.known, opens.at if opens else "watch")

    def _turn(self, kept: Entity | None, seen: Seen) -> _Turn | None:
        before = state_of(kept)
        after = self._next(before, seen)
        standing = standing_of(after, self.rule)
        told, crossing = tell_of(after, standing)
        if told == before or (kept is None and not seen.ticks):
            return None
        return _Turn(before, told, standing, crossing)

    def _next(self, state: State, seen: Seen) -> State:
        if self._is_stale(state, seen):
            return go_silent(state, seen.now_us)
        for tick_us, value in seen.ticks:
            state = take(state, tick_us, value, self.rule)
        return state

    def _is_stale(self, state: State, seen: Seen) -> bool:
        spec = self.sign.spec
        last = self._last_tick(state, seen)
        return is_stale(
            newest_us=seen.newest_us,
            tick_end_us=None if last is None else tick_after(last, spec.step, self._zone),
            now_us=seen.now_us,
            stale_after_us=spec.stale_after // timedelta(microseconds=1),
        )

    def _last_tick(self, state: State, seen: Seen) -> int | None:
        if seen.ticks:
            return seen.ticks[-1][0]
        return state.trail[-1][0] if state.trail else None

    def _because(self, state: State, standing: Standing, last: tuple[int, float] | None) -> Text:
        if standing.level == "unknown" or last is None:
            return silence(self.sign.spec, last[0] if last else None, self._zone)
        return reason(self.sign.spec, self.rule, *last, standing)

    def _at(self, state: State, seen: Seen) -> int:
        return state.trail[-1][0] if state.trail else seen.now_us

    def _earlier(self, before: State, after: State, seen: Seen) -> list[tuple[str, Instance]]:
        """Return new and corrected values of ticks before the last; the last is the current value."""
        if not after.trail:
            return []
        known, last = dict(before.trail), after.trail[-1][0]
        floor = before.floor_us if before.floor_us is not None else 0
        return [
            (VALUE_IRI, value_instance(self.sign, tick_us, value))
            for tick_us, value in seen.ticks
            if floor <= tick_us < last and known.get(tick_us) != value
        ]


def _only_changes(made: Entity, kept: Entity | None) -> Entity:
    """Return the entity without words that stand in the model already."""
    same = [
        name_iri(term)
        for term in ("since", "reason", "baseline")
        if kept is not None and value_of(made, term) == value_of(kept, term)
    ]
    return {name: value for name, value in made.items() if name not in same}


def evidence_of(ticks: Sequence[tuple[int, float]]) -> tuple[dict[str, Any], ...]:
    """Return readings as the evidence of a crossing, newest last."""
    return tuple({"at": format_us(us), "value": float(f"{value:.6g}")} for us, value in ticks)


def location_of(kept: Entity | None) -> dict[str, Any] | None:
    """Return where the vital sign lies, None when that is not known."""
    place = value_of(kept, "location") if kept is not None else None
    return place if isinstance(place, dict) else None
