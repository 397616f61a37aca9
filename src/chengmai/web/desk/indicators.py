"""Indicators from what a running city holds."""

from __future__ import annotations

from collections.abc import Sequence

from chengmai.app import City
from chengmai.assess.live.model import Live
from chengmai.kernel.actors import Actor
from chengmai.web.cockpit.views import Point


class IndicatorScreens:
    """What screens show of indicators."""

    def __init__(self, city: City) -> None:
        self._city = city

    async def all(self, actor: Actor) -> Sequence[Live]:
        return await self._city.indicators.all(actor)

    async def one(self, actor: Actor, indicator: str) -> Live:
        return await self._city.indicators.one(actor, indicator)

    async def past(self, actor: Actor, indicator: str) -> Sequence[Point]:
        found = await self._city.indicators.past(actor, indicator)
        return [Point(at, value) for at, value in found]
