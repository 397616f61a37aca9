"""The city's own computed indicators as values of its place: what frameworks score beside what was entered."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from chengmai.assess.live.recording import indicator_id
from chengmai.assess.live.service import LiveIndicators
from chengmai.assess.panel.model import Point, Ref
from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import from_us
from chengmai.trust.policy import allow

OWN = "own"
"""The code of the city itself where its settings name none."""
SOURCE = "平台计算 computed · {grade} · {entities}"
RECORDED = "平台计算并记录 computed and written down"


class OwnValues:
    """Implements `frameworks.service.Computed`: what is computed now; of earlier days what was written down."""

    def __init__(self, indicators: LiveIndicators, place: str, clock: Clock) -> None:
        self._indicators, self._clock = indicators, clock
        self._place = place or OWN

    async def computed(self, actor: Actor, on: date) -> list[Point]:
        """Return the computed values of the city's place on a day."""
        allow(actor, "assess.read")
        zone = self._indicators.zone
        if on >= self._clock.now().astimezone(zone).date():
            return await self._now(actor)
        end = datetime.combine(on + timedelta(days=1), time(), zone)
        found = await self._indicators.until(actor.tenant, end)
        return [
            self._point(one, from_us(at).astimezone(zone).date(), value, RECORDED)
            for one, (at, value) in found.items()
        ]

    async def _now(self, actor: Actor) -> list[Point]:
        today = self._clock.now().astimezone(self._indicators.zone).date()
        made = []
        for one in await self._indicators.present(actor.tenant):
            if one.value is not None and one.quality is not None:
                said = SOURCE.format(grade=one.quality.grade, entities=one.entity_count)
                made.append(self._point(one.indicator.id, today, one.value, said))
        return made

    def _point(self, indicator: str, on: date, value: float, said: str) -> Point:
        ref = Ref(
            indicator_id(indicator), self._place, f"/assessment/indicators/{indicator}", said, on
        )
        return Point(self._place, indicator, on, value, ref)
