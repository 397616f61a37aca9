"""Use cases on frameworks: take one in, score the places that have values, try what would happen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Protocol

import numpy as np

from chengmai.assess.frameworks.crosswalk import check_maps
from chengmai.assess.frameworks.kept import kept_frameworks, to_entity
from chengmai.assess.frameworks.many import Floats, Lazily, totals
from chengmai.assess.frameworks.model import Framework, read_framework
from chengmai.assess.frameworks.scoring import Scored, Spread, score
from chengmai.assess.frameworks.valuing import Overlay, laid_over, with_computed
from chengmai.assess.frameworks.whatif import WhatIf, what_if
from chengmai.assess.model import CheckResult, IndicatorValue
from chengmai.assess.panel.columns import Columns
from chengmai.assess.panel.model import Point
from chengmai.assess.problems import FrameworkUnknown, PlaceUnknown
from chengmai.assess.shipped import shipped_frameworks
from chengmai.assess.statistics import Rank, ranked
from chengmai.kernel.actors import Actor
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.model import Model
from chengmai.trust.policy import allow

_NONE: Floats = np.empty((0, 0))


class Computed(Protocol):
    """Port: what the platform computes of the city's own place. `assess.live.own.OwnValues` is it."""

    async def computed(self, actor: Actor, on: date) -> list[Point]:
        """Return the values of a day."""
        ...


class Values(Protocol):
    """Port: where values come from. `assess.service.AssessService` is it."""

    async def columns(self, actor: Actor) -> Columns:
        """Return the values of all places."""
        ...

    async def values(self, actor: Actor) -> list[IndicatorValue]:
        """Return the values that were entered one by one, of all places."""
        ...

    async def checks(self, actor: Actor) -> list[CheckResult]:
        """Return what security checks found, of all places."""
        ...


@dataclass(frozen=True)
class Board:
    """The places that have values in a framework on a day, by their totals.

    `values` are those that count: of each place and indicator the newest of the day or before.
    """

    framework: Framework
    on: date
    scores: Mapping[str, Scored]
    ranks: tuple[Rank, ...]
    values: Mapping[str, Mapping[str, Point]]
    known: tuple[tuple[str, ...], tuple[str, ...], Floats] = ((), (), _NONE)
    """Indicators, places, and a row of values a place."""
    overlay: Overlay = field(default_factory=Overlay)

    def numbers(self, place: str) -> dict[str, float]:
        """Return the values of a place by indicator; raises `PlaceUnknown`."""
        if place not in self.values:
            raise PlaceUnknown(place)
        return {indicator: one.value for indicator, one in self.values[place].items()}

    def spreads(self, place: str) -> dict[str, Spread]:
        """Return the intervals of the values of a place that are estimates."""
        return self.overlay.spreads(self.values.get(place, {}))

    def rank_of(self, place: str, scored: Scored) -> int:
        """Return which place in the ranking a score of `place` would give, all others by its framework."""
        if scored.framework == self.framework:
            others = [rank.value for rank in self.ranks if rank.code != place]
            return 1 + sum(other > float(scored.total) for other in others)
        return 1 + sum(
            total > scored.total
            for code, total in self._totals(scored.framework).items()
            if code != place
        )

    def _totals(self, framework: Framework) -> dict[str, Decimal]:
        indicators, codes, wide = self.known
        return dict(zip(codes, totals(framework, indicators, wide), strict=True))


def board_of(
    framework: Framework,
    columns: Columns,
    on: date,
    values: Sequence[IndicatorValue] = (),
    checks: Sequence[CheckResult] = (),
    computed: Sequence[Point] = (),
) -> Board:
    """Return the scores of all places by their values on a day; each is worked out when it is looked at.

    `values` tell which are estimates, `checks` what security checks found, `computed` what the platform
    worked out of the city's own place.
    """
    indicators = sorted({leaf.indicator for leaf in framework.leaves() if leaf.indicator})
    overlay = laid_over(framework, columns, on, values, checks)
    overlay = with_computed(overlay, framework, columns, on, computed)
    codes, wide = overlay.over(*columns.matrix(indicators, on), indicators)

    def values_of(place: str) -> dict[str, Point]:
        found = ((one, overlay.at(columns, place, one, on)) for one in indicators)
        return {indicator: point for indicator, point in found if point is not None}

    shown = Lazily(codes, values_of)

    def scored(place: str) -> Scored:
        own = shown[place]
        return score(framework, {i: one.value for i, one in own.items()}, overlay.spreads(own))

    if not framework.has_weights:
        return Board(framework, on, {}, (), shown, overlay=overlay)
    made = totals(framework, indicators, wide)
    names = {place: Text(zh=place, en=place) for place in codes}
    ranks = ranked({c: float(total) for c, total in zip(codes, made, strict=True)}, names)
    known = (tuple(indicators), tuple(codes), wide)
    return Board(framework, on, Lazily(codes, scored), tuple(ranks), shown, known, overlay)


class FrameworkService:
    """Frameworks of all tenants: those that come with the program, and those a tenant took in."""

    def __init__(
        self,
        work: Work[Tx],
        model: Model,
        values: Values,
        own: Computed | None = None,
    ) -> None:
        self._work, self._model, self._values, self._own = work, model, values, own

    async def frameworks(self, actor: Actor) -> list[Framework]:
        """Return the frameworks; one that was taken in replaces a shipped one of its id."""
        allow(actor, "assess.read")
        shipped = {one.id: one for one in shipped_frameworks()}
        own = await self._work.read(lambda tx: kept_frameworks(self._model, tx, actor.tenant))
        return sorted({**shipped, **own}.values(), key=lambda one: (one.in_force_from, one.id))

    async def framework(self, actor: Actor, framework_id: str) -> Framework:
        """Return a framework; raises `FrameworkUnknown`."""
        found = await self.frameworks(actor)
        for one in found:
            if one.id == framework_id:
                return one
        raise FrameworkUnknown(framework_id, [one.id for one in found])

    async def take_in(self, by: Actor, text: str) -> Framework:
        """Take in a JSON package; raises `FrameworkInvalid` or `WeightsDoNotSum`."""
        allow(by, "assess.manage")
        framework = read_framework(text)
        check_maps(framework, await self.frameworks(by))
        made = to_entity(framework, text)
        await self._work.write(
            lambda tx: self._model.put(tx, made, by=by, note="assess import framework")
        )
        return framework

    async def board(self, actor: Actor, framework_id: str, on: date) -> Board:
        """Return the scores of all places that have values on a day, ranked by their totals."""
        framework = await self.framework(actor, framework_id)
        columns = await self._values.columns(actor)
        values, checks = await self._values.values(actor), await self._values.checks(actor)
        own = await self._own.computed(actor, on) if self._own is not None else []
        return await asyncio.to_thread(board_of, framework, columns, on, values, checks, own)

    async def tried(
        self,
        actor: Actor,
        board: Board,
        place: str,
        *,
        changed: Mapping[str, float] | None = None,
        weights: Mapping[str, Decimal] | None = None,
    ) -> WhatIf:
        """Return what would happen to a place; nothing is kept."""
        allow(actor, "assess.read")
        return what_if(
            board.framework,
            board.numbers(place),
            changed=changed,
            weights=weights,
            spreads=board.spreads(place),
        )
