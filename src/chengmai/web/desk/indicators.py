"""Indicators from the vital signs of a running city."""

from __future__ import annotations

from chengmai.app import City
from chengmai.assess.catalogue import Computed, Reading, computed
from chengmai.kernel.actors import Actor
from chengmai.trust.policy import allow


async def computed_indicators(city: City, actor: Actor) -> list[Computed]:
    """Return the catalogue of indicators, with what the vital signs give now."""
    allow(actor, "assess.read")
    allow(actor, "vitals.read")
    return computed(
        Reading(v.id, v.pack, v.sign, v.area, v.value, v.unit, v.definition, v.at, v.stale)
        for v in await city.board.board(actor.tenant)
    )
