"""Trying a rule against the past: how often it would have fired, and where. Nothing is opened, sent or kept.

The past of each entity is counted by the same code that judges readings as they come, so a trial differs from
life in one way only: whether an entity is one of those that the rule is about, and which others it links to,
is asked of how it stands now. What those others said then is read back like its own past.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from typing import Any

from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import from_us, to_us
from chengmai.kernel.problems import Invalid
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import VALUE_MEMBER, Entity, Instance
from chengmai.packs.rules import RuleSpec
from chengmai.rules.book import Watch, made_ready
from chengmai.rules.counting import Episode, Reading, episodes
from chengmai.rules.ports import RulePast
from chengmai.rules.words import name_of
from chengmai.trust.policy import allow

LONGEST = timedelta(days=400)
MOST_ENTITIES = 100_000
MOST_FIRINGS = 5000
"""Firings that are listed one by one; all are counted."""
MOST_POINTS = 2000


@dataclass(frozen=True)
class TriedFiring:
    """A firing as it would have been; `end` is None when it had not recovered by the end."""

    entity: str
    name: Text
    start: datetime
    end: datetime | None


@dataclass(frozen=True)
class Curve:
    """The number that a rule looks at, on one entity, with its firings: what a chart shows."""

    entity: str
    name: Text
    attribute: str
    points: tuple[tuple[datetime, float], ...]
    firings: tuple[TriedFiring, ...]


@dataclass
class Trial:
    """What a rule would have done. `per_day` has every day of the time that was tried, by the city's calendar.

    `cases` is how many cases it would have opened at most: one that is open takes further firings in.
    """

    spec: RuleSpec
    start: datetime
    end: datetime
    entities: int = 0
    readings: int = 0
    fired: int = 0
    firings: list[TriedFiring] = field(default_factory=list)
    per_entity: Counter[str] = field(default_factory=Counter)
    per_day: dict[date, int] = field(default_factory=dict)
    is_cut: bool = False

    @property
    def cases(self) -> int:
        return self.fired if self.spec.opens is not None else 0

    @property
    def commands(self) -> int:
        return self.fired if self.spec.command is not None else 0

    @property
    def mean_per_day(self) -> float:
        days = (self.end - self.start) / timedelta(days=1)
        return self.fired / days if days else 0.0

    @property
    def most_per_day(self) -> int:
        return max(self.per_day.values(), default=0)

    def as_json(self) -> dict[str, Any]:
        """Return the trial as plain JSON."""
        return {
            "rule": self.spec.id,
            "from": self.start,
            "to": self.end,
            "entities": self.entities,
            "readings": self.readings,
            "fired": self.fired,
            "cases_at_most": self.cases,
            "commands": self.commands,
            "per_day": {str(day): count for day, count in sorted(self.per_day.items())},
            "mean_per_day": round(self.mean_per_day, 3),
            "most_per_day": self.most_per_day,
            "per_entity": dict(self.per_entity.most_common()),
            "firings": [
                {
                    "entity": one.entity,
                    "name": one.name.as_language_map(),
                    "from": one.start,
                    "to": one.end,
                }
                for one in self.firings
            ],
            "not_all_listed": self.fired > len(self.firings),
            "not_all_entities": self.is_cut,
        }


Progress = Callable[[int, int], None]
"""Told (entities done, firings so far)."""


class Trying:
    """Tries rules; needs `rules.try`."""

    def __init__(self, work: Work[Tx], past: RulePast, core: Context, zone: tzinfo) -> None:
        self._work, self._past, self._core, self._zone = work, past, core, zone

    async def run(
        self,
        by: Actor,
        spec: RuleSpec,
        start: datetime,
        end: datetime,
        progress: Progress = lambda _done, _fired: None,
    ) -> Trial:
        """Return what a rule would have done in [start, end). Raises `RuleInvalid` or `Invalid`."""
        allow(by, "rules.try")
        watch = made_ready(spec, self._core)
        if not start < end or end - start > LONGEST:
            raise Invalid(
                f"the time to try has to be more than nothing and at most {LONGEST.days} days",
                code="rule.trial_span",
                param="from",
                fix="give from and to, such as the last month",
                most=LONGEST.days,
            )
        trial = Trial(spec, start, end)
        day = start.astimezone(self._zone).date()
        while day <= (end - timedelta(microseconds=1)).astimezone(self._zone).date():
            trial.per_day[day] = 0
            day += timedelta(days=1)
        after, types, done = "", sorted(watch.types.names), 0
        while True:
            page = await self._page(by.tenant, types, after)
            if not page:
                return trial
            for entity in page:
                if watch.covers(entity):
                    await self._add(trial, by.tenant, watch, entity)
                done += 1
                progress(done, trial.fired)
            after = str(page[-1]["id"])
            if done >= MOST_ENTITIES:
                trial.is_cut = True
                return trial

    async def curve(
        self, by: Actor, spec: RuleSpec, entity_id: str, start: datetime, end: datetime
    ) -> Curve | None:
        """Return the curve of the first number that a rule looks at, None where there is none."""
        allow(by, "rules.try")
        watch = made_ready(spec, self._core)
        begin, stop = to_us(start), to_us(end)

        def read(tx: Tx) -> tuple[list[tuple[Reading, dict[str, Any]]], Entity | None]:
            entity = self._past.entity(tx, by.tenant, entity_id)
            if entity is None or not watch.covers(entity):
                return [], None
            found = _read_back(tx, self._past, by.tenant, watch, entity, begin, stop)
            return found, entity

        found, entity = await self._work.read(read)
        names = [name for _, values in found for name, value in values.items() if _is_number(value)]
        if entity is None or not names:
            return None
        name = name_of(entity, entity_id)
        points = [
            (from_us(reading.at_us), float(values[names[0]]))
            for reading, values in found
            if reading.at_us >= begin and _is_number(values.get(names[0]))
        ]
        _, known = episodes([one for one, _ in found], watch.timing, stop)
        firings = tuple(_tried(entity_id, name, one) for one in known if one.start_us >= begin)
        return Curve(entity_id, name, names[0], tuple(_thinned(points)), firings)

    async def _page(self, tenant: str, types: Sequence[str], after: str) -> list[Entity]:
        return await self._work.read(lambda tx: self._past.entities(tx, tenant, types, after))

    async def _add(self, trial: Trial, tenant: str, watch: Watch, entity: Entity) -> None:
        start_us, end_us = to_us(trial.start), to_us(trial.end)

        def count(tx: Tx) -> tuple[int, list[Episode]]:
            found = _read_back(tx, self._past, tenant, watch, entity, start_us, end_us)
            readings = [one for one, _ in found]
            _, known = episodes(readings, watch.timing, end_us)
            inside = sum(one.at_us >= start_us for one in readings)
            return inside, [one for one in known if start_us <= one.start_us < end_us]

        inside, known = await self._work.read(count)
        trial.entities += 1
        trial.readings += inside
        trial.fired += len(known)
        name = name_of(entity, str(entity["id"]))
        for episode in known:
            trial.per_entity[entity["id"]] += 1
            trial.per_day[from_us(episode.start_us).astimezone(self._zone).date()] += 1
            if len(trial.firings) < MOST_FIRINGS:
                trial.firings.append(_tried(entity["id"], name, episode))


def last_month(now: datetime) -> tuple[datetime, datetime]:
    """Return the 30 days before an instant."""
    return now - timedelta(days=30), now


def _read_back(
    tx: Tx,
    past: RulePast,
    tenant: str,
    watch: Watch,
    entity: Entity,
    start_us: int,
    end_us: int,
) -> list[tuple[Reading, dict[str, Any]]]:
    """Return every reading of an entity from before the start, as far as it counts, to the end."""
    timing = watch.timing
    before = max(timing.within_us or 0, timing.for_us, timing.recovers_us, timing.silent_us or 0)
    looking = partial(past.entity, tx, tenant)
    wanted = watch.links.followed(entity, looking) if watch.links.terms else {}
    wanted[entity["id"]] = wanted.get(entity["id"], set()) | watch.names
    written: list[tuple[int, str, str, Instance]] = []
    stood: dict[str, Entity | None] = {}
    for name, asked in wanted.items():
        now = entity if name == entity["id"] else looking(name)
        known = past.past(tx, tenant, name, sorted(asked), start_us - before, end_us)
        written += [(at, name, key, one) for key, series in known.items() for at, one in series]
        stood[name] = now and {key: value for key, value in now.items() if key not in known}
    written.sort(key=lambda found: found[:3])
    found: list[tuple[Reading, dict[str, Any]]] = []
    then = stood[entity["id"]]
    assert then is not None
    for position, (at, name, key, one) in enumerate(written):
        if (changed := stood[name]) is None:
            continue
        _put(changed, key, one)
        more = position + 1 < len(written) and written[position + 1][0] == at
        if not more and not _is_gone(one):
            found.append((watch.read(then, at, stood.get), watch.values(then, stood.get)))
    return found


def _put(entity: Entity, name: str, one: Instance) -> None:
    if _is_gone(one):
        entity.pop(name, None)
    else:
        entity[name] = [one]


def _is_gone(one: Instance) -> bool:
    kind = str(one.get("type"))
    return "deletedAt" in one or VALUE_MEMBER.get(kind, "value") not in one


def _tried(entity_id: str, name: Text, episode: Episode) -> TriedFiring:
    end = None if episode.end_us is None else from_us(episode.end_us)
    return TriedFiring(entity_id, name, from_us(episode.start_us), end)


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


def _thinned(points: list[tuple[datetime, float]]) -> list[tuple[datetime, float]]:
    """Return at most `MOST_POINTS` of the points: of each stretch the lowest and the highest."""
    if len(points) <= MOST_POINTS:
        return points
    step = -(-len(points) * 2 // MOST_POINTS)
    kept: list[tuple[datetime, float]] = []
    for begin in range(0, len(points), step):
        stretch = points[begin : begin + step]
        ends = {min(stretch, key=lambda one: one[1]), max(stretch, key=lambda one: one[1])}
        kept += sorted(ends)
    return kept
