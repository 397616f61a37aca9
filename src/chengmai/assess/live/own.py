"""The city's own computed indicators as values of its place: what frameworks score beside what was entered."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from chengmai.assess.live.recording import indicator_id
from chengmai.assess.live.service import LiveIndicators
from chengmai.assess.panel.model import Point, Ref
from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import from_us
from chengmai.kernel.texts import Text
from chengmai.trust.policy import allow

OWN = "own"
"""The code of the city itself where its settings name none."""
SOURCE = "平台计算 computed · {grade} · {entities}"
RECORDED = "平台计算并记录 computed and written down"


class OwnValues:
    """Implements `frameworks.service.Computed` and `outlook.service.Own`: what is computed now, and what was
    written down on earlier days."""

    def __init__(self, indicators: LiveIndicators, place: str, title: Text, clock: Clock) -> None:
        self._indicators, self._clock = indicators, clock
        self._place, self._title = place or OWN, title

    @property
    def place(self) -> str:
        """The code of the city's own place."""
        return self._place

    @property
    def title(self) -> Text:
        """The name of the city."""
        return self._title

    async def computed(self, actor: Actor, on: date) -> list[Point]:
        """Return the computed values of the city's place on a day."""
        allow(actor, "assess.read")
        zone = self._indicators.zone
        if on >= self._clock.now().astimezone(zone).date():
            return await self._now(actor)
        return [points[-1] for points in (await self._recorded(actor, on)).values()]

    async def series(self, actor: Actor, on: date) -> dict[str, list[Point]]:
        """Return by indicator what was computed, a value a day until a day: the last of each."""
        allow(actor, "assess.read")
        found = await self._recorded(actor, on)
        if on >= self._clock.now().astimezone(self._indicators.zone).date():
            for point in await self._now(actor):
                before = found.setdefault(point.indicator, [])
                before[:] = [*(one for one in before if one.on < point.on), point]
        return found

    async def _recorded(self, actor: Actor, on: date) -> dict[str, list[Point]]:
        zone = self._indicators.zone
        end = datetime.combine(on + timedelta(days=1), time(), zone)
        made = {}
        for one, points in (await self._indicators.until(actor.tenant, end)).items():
            days = {from_us(at).astimezone(zone).date(): value for at, value in points}
            made[one] = [
                self._point(one, day, value, RECORDED) for day, value in sorted(days.items())
            ]
        return made

    async def _now(self, actor: Actor) -> list[Point]:
        today = self._clock.now().astimezone(self._indicators.zone).date()
        made = []
        for one in await self._indicators.present(actor.tenant):
            if one.value is not None and one.quality is not None:
                said = SOURCE.format(grade=one.quality.grade, entities=one.entity_count)
                point = self._point(one.indicator.id, today, one.value, said)
                parts = (one.numerator, one.denominator) if one.denominator else (None, None)
                made.append(replace(point, numerator=parts[0], denominator=parts[1]))
        return made

    def _point(self, indicator: str, on: date, value: float, said: str) -> Point:
        ref = Ref(
            indicator_id(indicator), self._place, f"/assessment/indicators/{indicator}", said, on
        )
        return Point(self._place, indicator, on, value, ref)
