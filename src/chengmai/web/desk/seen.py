"""What the screens saw of vital signs last, read again only when one was published since."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from chengmai.history.service import HistoryService
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import from_us, to_us
from chengmai.ngsild.entity import name_iri
from chengmai.vitals.board import VitalsBoard
from chengmai.vitals.entities import VALUE_IRI
from chengmai.vitals.model import VitalView
from chengmai.web.cockpit.views import Point

T = TypeVar("T")
Days = Mapping[str, tuple[Point, ...]]

_RECENT = timedelta(hours=24)
_AHEAD = timedelta(hours=1)
_MOST_RECENT = 48


class SeenVitals:
    """The vital signs of a tenant and their last days.

    One screen of the desk asks for them four times, every open tab after every round: what was read stands
    until a vital sign or a forecast is published (`told`), and who asks meanwhile waits for one reading.
    """

    def __init__(self, board: VitalsBoard, history: HistoryService, clock: Clock) -> None:
        self._board, self._history, self._clock = board, history, clock
        self._told: Counter[str] = Counter()
        self._kept: dict[tuple[str, str], tuple[int, Any]] = {}
        self._locks: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    def told(self, tenant: str, topic: str, data: dict[str, Any]) -> None:
        """Hear of a change after its commit."""
        if topic == "vitals":
            self._told[tenant] += 1

    async def views(self, tenant: str) -> Sequence[VitalView]:
        """Return all vital signs, the most urgent first."""
        return await self._once(tenant, "views", lambda: self._board.board(tenant))

    async def days(self, tenant: str) -> Days:
        """Return the last day of every vital sign by id, thinned out; one without a value is left out."""
        return await self._once(tenant, "days", lambda: self._last_days(tenant))

    async def recent(self, tenant: str, view: VitalView) -> tuple[Point, ...]:
        """Return the last day, or the last 24 steps, of one sign."""
        now = self._clock.now()
        span = max(_RECENT, 24 * timedelta(seconds=view.step_s))
        return _thinned(await self._board.history(tenant, view.id, now - span, now + _AHEAD))

    async def _once(self, tenant: str, what: str, read: Callable[[], Awaitable[T]]) -> T:
        key = (tenant, what)
        async with self._locks[key]:
            # Counted before the reading: what is published during it makes the next one read again.
            count = self._told[tenant]
            kept = self._kept.get(key)
            if kept is None or kept[0] != count:
                kept = self._kept[key] = (count, await read())
        found: T = kept[1]
        return found

    async def _last_days(self, tenant: str) -> Days:
        now = self._clock.now()
        found = await self._history.columns(
            tenant,
            name_iri("VitalSign"),
            [VALUE_IRI],
            name_iri("areaServed"),
            to_us(now - _RECENT),
            to_us(now + _AHEAD),
        )
        points: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        rows = zip(found.entity.tolist(), found.at_us.tolist(), found.value.tolist(), strict=True)
        for entity, at_us, value in rows:
            points[found.entities[entity]].append((at_us, value))
        return {vital_id: _thinned(values) for vital_id, values in points.items()}


def _thinned(points: Sequence[tuple[int, float]]) -> tuple[Point, ...]:
    kept = points[:: max(1, -(-len(points) // _MOST_RECENT))]
    return tuple(Point(from_us(us), value) for us, value in kept)
