"""Use cases on frameworks: take one in, score the places that have values, try what would happen."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from chengmai.assess.frameworks.model import Framework, read_framework
from chengmai.assess.frameworks.scoring import Scored, score
from chengmai.assess.frameworks.whatif import WhatIf, what_if
from chengmai.assess.model import IndicatorValue
from chengmai.assess.problems import FrameworkInvalid, FrameworkUnknown, PlaceUnknown
from chengmai.assess.shipped import shipped_frameworks
from chengmai.assess.statistics import Rank, ranked
from chengmai.kernel.actors import Actor
from chengmai.kernel.ids import urn
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import entity, opaque, prop, value_of, words
from chengmai.ngsild.model import Model
from chengmai.trust.policy import allow

TYPE = "IndicatorFramework"
_MOST = 100


class Values(Protocol):
    """Port: where values come from. `assess.service.AssessService` is it."""

    async def values(self, actor: Actor) -> list[IndicatorValue]:
        """Return the values of all places."""
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
    values: Mapping[str, Mapping[str, IndicatorValue]]

    def numbers(self, place: str) -> dict[str, float]:
        """Return the values of a place by indicator; raises `PlaceUnknown`."""
        if place not in self.values:
            raise PlaceUnknown(place)
        return {indicator: one.value for indicator, one in self.values[place].items()}

    def rank_of(self, place: str, scored: Scored) -> int:
        """Return which place in the ranking a score of `place` would give, all others by its framework."""
        others = (score(scored.framework, self.numbers(c)).total for c in self.values if c != place)
        return 1 + sum(other > scored.total for other in others)


class FrameworkService:
    """Frameworks of all tenants: those that come with the program, and those a tenant took in."""

    def __init__(self, work: Work[Tx], model: Model, values: Values) -> None:
        self._work, self._model, self._values = work, model, values

    async def frameworks(self, actor: Actor) -> list[Framework]:
        """Return the frameworks; one that was taken in replaces a shipped one of its id."""
        allow(actor, "assess.read")
        shipped = {one.id: one for one in shipped_frameworks()}
        own = await self._work.read(self._reading(actor.tenant))
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
        made = entity(
            urn(TYPE, framework.id),
            TYPE,
            frameworkId=prop(framework.id),
            name=words(framework.title.as_language_map()),
            inForceFrom=prop(framework.in_force_from.isoformat()),
            package=opaque(json.loads(text)),
        )
        await self._work.write(
            lambda tx: self._model.put(tx, made, by=by, note="assess import framework")
        )
        return framework

    async def board(self, actor: Actor, framework_id: str, on: date) -> Board:
        """Return the scores of all places that have values on a day, ranked by their totals."""
        framework = await self.framework(actor, framework_id)
        used = {leaf.indicator for leaf in framework.leaves()}
        newest: dict[str, dict[str, IndicatorValue]] = {}
        for one in await self._values.values(actor):
            if one.on > on or one.indicator not in used:
                continue
            of_place = newest.setdefault(one.place, {})
            if one.indicator not in of_place or of_place[one.indicator].on <= one.on:
                of_place[one.indicator] = one
        scores = {
            place: score(framework, {i: one.value for i, one in values.items()})
            for place, values in newest.items()
            if framework.has_weights
        }
        names = {place: Text(zh=place, en=place) for place in scores}
        ranks = ranked({place: float(one.total) for place, one in scores.items()}, names)
        return Board(framework, on, scores, tuple(ranks), newest)

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
        return what_if(board.framework, board.numbers(place), changed=changed, weights=weights)

    def _reading(self, tenant: str) -> Callable[[Tx], dict[str, Framework]]:
        def read(tx: Tx) -> dict[str, Framework]:
            found: dict[str, Framework] = {}
            for one in self._model.find(tx, tenant, TYPE, limit=_MOST):
                try:
                    made = read_framework(json.dumps(value_of(one, "package")))
                except FrameworkInvalid:
                    continue
                found[made.id] = made
            return found

        return read
