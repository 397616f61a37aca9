"""From what is expected of the members to a suggestion, or to the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from chengmai.kernel.ids import urn
from chengmai.kernel.instants import from_us
from chengmai.kernel.texts import Text
from chengmai.packs.pools import RouteSpec
from chengmai.pools.model import (
    Expected,
    Limits,
    Member,
    Move,
    Outlook,
    Pool,
    Suggestion,
    Why,
)
from chengmai.pools.solving import (
    Needy,
    Pair,
    Plan,
    Task,
    cost_of,
    most_of,
    shortage_with,
    solve,
)
from chengmai.pools.telling import Teller

STALE_STEPS = 3
"""After so many steps without a reading nothing is planned for a member: silence is not a free space."""
MOST_SIDES = 40
"""Needy members and helpers that are planned for: those who lack most and those who have most to spare."""
_EARTH_KM = 6371.0088


@dataclass(frozen=True)
class Planned:
    """What came of planning: a suggestion, or why there is none, and the sentence that says so."""

    why: Why
    sentence: Text
    suggestion: Suggestion | None = None


@dataclass(frozen=True, eq=False)
class Side:
    """A member as the plan sees it: what is expected in the window and what lacks in each scenario."""

    member: Member
    outlook: Outlook
    expected: tuple[Expected, ...]
    lack: np.ndarray[tuple[int, ...], np.dtype[np.float64]]

    @property
    def is_needy(self) -> bool:
        return bool((self.lack > 0).any())


@dataclass(frozen=True)
class _Way:
    cost: float
    takes: timedelta


def plan(
    pool: Pool,
    members: Sequence[Member],
    outlooks: Mapping[str, Outlook],
    *,
    at_us: int,
    tenant: str,
    teller: Teller,
    time_limit_s: float = 5.0,
) -> Planned:
    """Return what to move after `at_us`, the end of the last whole step, or why nothing.

    Members of whom nothing is known are left out of both sides, and the sentence says so.
    """
    sides = sides_of(pool, members, outlooks, at_us)
    needy = sorted((s for s in sides if s.is_needy), key=_worst)[:MOST_SIDES]
    unknown = len(members) - len(sides)
    if not sides:
        return Planned("unknown", teller.unknown(len(members)))
    if not needy:
        return Planned("no_shortage", teller.no_shortage(sides, unknown))
    given = {s.member.id: spare_of(pool, s) for s in sides if not s.is_needy}
    rich = sorted(
        (s for s in sides if given.get(s.member.id, 0) > 0), key=lambda s: -given[s.member.id]
    )
    helpers = sorted(rich[:MOST_SIDES], key=lambda s: s.member.id)
    task = task_of(pool, needy, helpers, [given[s.member.id] for s in helpers])
    nothing = shortage_with(task, (0,) * len(task.pairs))
    if not task.pairs:
        return Planned("no_help", teller.no_help(needy, nothing))
    found = solve(task, time_limit_s=time_limit_s)
    if not any(found.units):
        why: Why = "not_worth" if found.is_best else "no_answer"
        return Planned(why, teller.no_gain(needy, nothing, is_best=found.is_best))
    made = _suggestion(pool, needy, helpers, task, found, at_us, tenant, teller)
    return Planned("moves", made.summary, made)


def sides_of(
    pool: Pool, members: Sequence[Member], outlooks: Mapping[str, Outlook], at_us: int
) -> list[Side]:
    """Return the members of whom something is expected in every step of the window, in order of "
    "their ids."""
    usable, start = 1 - pool.spec.reserve, at_us + pool.step_us
    sides = []
    for member in sorted(members, key=lambda one: one.id):
        outlook = outlooks.get(member.id)
        if outlook is None or not member.hours or _is_silent(pool, member, at_us):
            continue
        capacity = member.hours[max(member.hours)].capacity
        ahead = {step.at_us: step for step in outlook.steps}
        wanted = [start + n * pool.step_us for n in range(pool.window)]
        if any(tick not in ahead for tick in wanted):
            continue
        expected = tuple(
            Expected(at=from_us(t), low=a.low, median=a.median, high=a.high, capacity=capacity)
            for t in wanted
            for a in [ahead[t]]
        )
        lack = np.array(
            [
                [one.low - usable * capacity for one in expected],
                [one.median - usable * capacity for one in expected],
                [one.high - usable * capacity for one in expected],
            ]
        )
        sides.append(Side(member, outlook, expected, lack))
    return sides


def _is_silent(pool: Pool, member: Member, at_us: int) -> bool:
    return max(member.hours) < at_us - STALE_STEPS * pool.step_us


def spare_of(pool: Pool, side: Side) -> int:
    """Return the units a member can give (or take in) and not fall short at its upper quantile in "
    "any step."""
    usable = 1 - pool.spec.reserve
    if pool.spec.move.kind == "use":
        free = min(usable * one.capacity - one.high for one in side.expected)
    else:
        free = min(one.capacity - one.high / usable for one in side.expected)
    return max(0, math.floor(free + 1e-9))


def needs_of(pool: Pool, side: Side) -> int:
    """Return how many units can help a needy member: no more than lack, and than are there to be "
    "led away."""
    lot, worth = pool.spec.move.lot, _worth(pool)
    most = math.ceil(float(side.lack.max()) / worth / lot - 1e-9) * lot
    if pool.spec.move.kind == "use":
        short = np.atleast_1d((side.lack > 0).any(axis=0)).tolist()
        there = min(one.low for one, is_short in zip(side.expected, short, strict=True) if is_short)
        most = min(most, math.floor(there))
    return max(0, most)


def task_of(
    pool: Pool, needy: Sequence[Side], helpers: Sequence[Side], spare: Sequence[int]
) -> Task:
    """Return the task of moving units between helpers and needy members, by the ways there are."""
    move = pool.spec.move
    pairs = [
        Pair(i, j, way.cost, begins)
        for i, one in enumerate(needy)
        for j, other in enumerate(helpers)
        if (way := _way(pool, one.member, other.member)) is not None
        and (begins := math.ceil(way.takes / pool.spec.step)) < pool.window
    ]
    return Task(
        needy=tuple(Needy(one.lack, needs_of(pool, one)) for one in needy),
        spare=tuple(spare),
        pairs=tuple(pairs),
        hours=pool.hours,
        worth=_worth(pool),
        lot=move.lot,
        most=move.most,
        moves=move.moves,
    )


def task_again(made: Suggestion) -> Task:
    """Return the task of the moves of a suggestion alone, to judge other amounts of them."""
    limits = made.limits
    usable = 1 - limits.reserve
    ends = [_ends(made, move) for move in made.moves]
    needy = list(dict.fromkeys(one for one, _ in ends))
    helpers = list(dict.fromkeys(other for _, other in ends))
    lacks = [
        np.array(
            [
                [getattr(e, which) - usable * e.capacity for e in made.expected[one]]
                for which in _SCALE
            ]
        )
        for one in needy
    ]
    return Task(
        needy=tuple(Needy(lack, limits.needs[one]) for lack, one in zip(lacks, needy, strict=True)),
        spare=tuple(limits.spare[other] for other in helpers),
        pairs=tuple(
            Pair(needy.index(one), helpers.index(other), move.cost, move.begins)
            for (one, other), move in zip(ends, made.moves, strict=True)
        ),
        hours=limits.hours,
        worth=1.0 if limits.kind == "use" else usable,
        lot=limits.lot,
        most=limits.most,
        moves=limits.moves,
    )


_SCALE = ("low", "median", "high")


def _ends(made: Suggestion, move: Move) -> tuple[str, str]:
    """Return (needy, helper) of a move."""
    is_use = made.limits.kind == "use"
    return (move.source, move.target) if is_use else (move.target, move.source)


def _worst(side: Side) -> tuple[float, str]:
    return -float(np.maximum(0, side.lack).sum()), side.member.id


def _worth(pool: Pool) -> float:
    """Return how much of the lack a unit takes away: one brought in has its own reserve."""
    return 1.0 if pool.spec.move.kind == "use" else 1 - pool.spec.reserve


def _way(pool: Pool, needy: Member, helper: Member) -> _Way | None:
    """Return cost and time of moving a unit between two members; None where no way leads."""
    move = pool.spec.move
    source, target = (needy, helper) if move.kind == "use" else (helper, needy)
    route = next((r for r in pool.spec.routes if _leads(r, source, target)), None)
    if pool.spec.routes and route is None:
        return None
    km = kilometres(source.place, target.place)
    if move.within_km is not None and (km is None or km > move.within_km):
        return None
    cost = route.cost if route and route.cost is not None else move.cost
    takes = route.takes if route and route.takes is not None else move.takes
    return _Way(cost + move.cost_per_km * (km or 0.0), takes + move.takes_per_km * (km or 0.0))


def _leads(route: RouteSpec, source: Member, target: Member) -> bool:
    return route.from_ == source.area and route.to == target.area


def kilometres(one: tuple[float, float] | None, other: tuple[float, float] | None) -> float | None:
    """Return the great-circle distance of two places (longitude, latitude); None when one is not known."""
    if one is None or other is None:
        return None
    lon1, lat1, lon2, lat2 = map(math.radians, (*one, *other))
    half = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def _suggestion(
    pool: Pool,
    needy: Sequence[Side],
    helpers: Sequence[Side],
    task: Task,
    found: Plan,
    at_us: int,
    tenant: str,
    teller: Teller,
) -> Suggestion:
    start = from_us(at_us + pool.step_us)
    chosen = [index for index, units in enumerate(found.units) if units]
    moves = tuple(
        _move(pool, needy, helpers, task, found.units, index, number, teller)
        for number, index in enumerate(chosen, 1)
    )
    pairs = [task.pairs[index] for index in chosen]
    ones = {needy[pair.needy].member.id: needy[pair.needy] for pair in pairs}
    others = {helpers[pair.helper].member.id: helpers[pair.helper] for pair in pairs}
    before = shortage_with(task, (0,) * len(task.pairs))
    after = shortage_with(task, found.units)
    cost = cost_of(task, found.units)
    sides = {**ones, **others}
    return Suggestion(
        tenant=tenant,
        id=urn("ReallocationSuggestion", pool.pack, pool.spec.id, f"{start:%Y%m%dT%H%MZ}"),
        pack=pool.pack,
        pool=pool.spec.id,
        made_at=from_us(at_us),
        start=start,
        end=start + pool.spec.horizon,
        decide_by=start + pool.spec.step * (pool.window // 2),
        moves=moves,
        before=before,
        after=after,
        cost=cost,
        expected={name: sides[name].expected for name in sorted(sides)},
        basis={name: sides[name].outlook.basis for name in sorted(sides)},
        limits=Limits(
            kind=pool.spec.move.kind,
            reserve=pool.spec.reserve,
            hours=pool.hours,
            lot=pool.spec.move.lot,
            most=pool.spec.move.most,
            moves=pool.spec.move.moves,
            spare={name: spare_of(pool, side) for name, side in sorted(others.items())},
            needs={name: needs_of(pool, side) for name, side in sorted(ones.items())},
        ),
        solver=found.solver,
        is_best=found.is_best,
        gap=found.gap,
        summary=teller.summary(
            moves, before, after, cost, found, [s.outlook for s in sides.values()]
        ),
    )


def _move(
    pool: Pool,
    needy: Sequence[Side],
    helpers: Sequence[Side],
    task: Task,
    units: Sequence[int],
    index: int,
    number: int,
    teller: Teller,
) -> Move:
    pair = task.pairs[index]
    one, other = needy[pair.needy], helpers[pair.helper]
    source, target = (one, other) if pool.spec.move.kind == "use" else (other, one)
    without = [0 if i == index else count for i, count in enumerate(units)]
    saves = shortage_with(task, without) - shortage_with(task, units)
    place = target.member.place
    return Move(
        n=number,
        source=source.member.id,
        target=target.member.id,
        source_name=source.member.name,
        target_name=target.member.name,
        source_area=source.member.area,
        target_area=target.member.area,
        units=units[index],
        suggested=units[index],
        most=most_of(task, units, index),
        cost=pair.cost,
        begins=pair.begins,
        saves=saves,
        why=teller.why(one, other, units[index], saves),
        binds=teller.binds(task, units, index, one, other),
        location={"type": "Point", "coordinates": list(place)} if place else None,
    )
