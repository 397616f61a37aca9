"""A city: its rooms, put together, set going and ended in order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import structlog

from chengmai.app.rooms import RoomsFloor
from chengmai.kernel.actors import system
from chengmai.kernel.clock import Clock
from chengmai.rounds import attempt, every
from chengmai.settings import Settings
from chengmai.store.retaining import Retaining
from chengmai.vitals.signs import PreparedPacks

_SEAL_AT_MOST = 50_000
_FIT_S = 30.0
"""Seconds after which a round of vital signs fits no further model: levels must not wait for forecasts."""
_INDEX_EVERY_S = 1.0
_LOOK_AT_SOURCES_EVERY_S = 30.0
_RETAIN_EVERY_S = 3600.0
_INDICATORS_EVERY_S = 60.0
_LOOK_ELSEWHERE_EVERY_S = 3.0
_log = structlog.get_logger(__name__)


class City(RoomsFloor):
    """A city: its rooms, put together. `start` sets it going, `stop` ends it in order."""

    def __init__(
        self,
        settings: Settings,
        *,
        real_clock: Clock | None = None,
        prepared: PreparedPacks | None = None,
    ) -> None:
        super().__init__(settings, real_clock, prepared)
        self._tasks: list[asyncio.Task[None]] = []
        self._elsewhere = 0

    async def start(self) -> None:
        """Mend what a crash left, then set feeds, vital signs, sealing and delivery going."""
        await self.store.history.recover()
        await self.shelf.load()
        await self.subscribing.load()
        await self.registry.load()
        await self.watching.start()
        await self.snapshots.load()
        await self.delivery.start()
        await self.timetable.start()
        await self.far.placing.load()
        await self.rules.load()
        self._spawn("rules", self.rules.watcher.run())
        self._spawn("commands", self.rules.sender.run())
        self._spawn("placing", self.far.placing.run())
        self._spawn("expiring", self.expiring.run())
        if self.settings.feeds:
            await self.feeds.tell_off()
        self._spawn("feeds", self.runner.run())
        if (log := self.feeds.incident_log(self.store.work, self.model)) is not None:
            self._spawn("incidents", log.run())
        self._spawn("vitals", self._watch())
        if self.settings.keep_history:
            by = system("history", self.settings.tenant)
            kept, rolled = self.settings.keep_history, self.settings.keep_rollups
            store, audit = self.store, self.trust.audit
            old = Retaining(store.work, store.sealed, audit, self.clock, kept, rolled, by)
            self._spawn("retaining", every(_RETAIN_EVERY_S, old.round))
        self._spawn("values", every(_INDEX_EVERY_S, self._index))
        if self.settings.feeds:
            # A city without feeds is a broker: it holds what its clients wrote, and nothing besides.
            self._spawn("indicators", self._record_indicators())
        self._spawn("assessment", self._keep_assessment())
        self._spawn("snapshots", every(5.0, self.snapshots.round))
        self._spawn("sources", every(_LOOK_AT_SOURCES_EVERY_S, self._sources_round))
        self._spawn("sealing", every(self.settings.seal_every_s, self._seal))
        self._spawn("tending", every(self.settings.seal_every_s, self.store.history.tend))

    async def stop(self) -> None:
        """Stop everything and close the files; what was acknowledged is on disk long before."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.rules.stop()
        await self.timetable.stop()
        await self.delivery.stop()
        await self.watching.stop()
        await self.snapshots.stop()
        await attempt(self.registry.save_tallies)
        await self._sources.close()
        await self._receiver.close()
        await self._documents.close()
        await asyncio.to_thread(self.store.close)

    async def evaluate(self) -> None:
        """Evaluate every vital sign now, and look ahead where a step was completed."""
        if self.settings.feeds:
            await self.loads.publish()
        report = await self.vitals.tick(self.settings.tenant)
        for failure in report.failures:
            _log.warning("vital.failed", sign=failure.sign, why=failure.detail)
        await self.vitals.forecast(self.settings.tenant, fits_until_s=_FIT_S)
        await self.incidents.settle(self.settings.tenant)
        for late in await self.pools.round(self.settings.tenant):
            _log.warning("pool.failed", pool=late.pool, why=late.detail)

    async def _watch(self) -> None:
        # Vital signs begin when the feeds have brought their past, so that none starts without a history.
        await self.feeds.filled()
        await attempt(self._look_back)
        await every(self.settings.vitals_every_s, self.evaluate)

    async def _record_indicators(self) -> None:
        # A day's value is written down when it is first known; before the past is in, it would be of nothing.
        await self.feeds.filled()
        await every(_INDICATORS_EVERY_S, self._record_today)

    async def _record_today(self) -> None:
        if await self.indicators.record(self.settings.tenant):
            await self.outlook.settle(system("assess", self.settings.tenant))

    async def _keep_assessment(self) -> None:
        await self.feeds.filled()
        await attempt(self._warm)
        await every(_LOOK_ELSEWHERE_EVERY_S, self._look_elsewhere)

    async def _warm(self) -> None:
        await self.assess.warm(self.settings.tenant)
        self._elsewhere = await self.store.work.elsewhere()

    async def _look_elsewhere(self) -> None:
        # A command writes beside a running city, whose news do not tell of it.
        found = await self.store.work.elsewhere()
        if found != self._elsewhere:
            self._elsewhere = found
            self.assess.forget(self.settings.tenant)

    async def _look_back(self) -> None:
        await self.vitals.backfill(self.settings.tenant, self.clock.now() - timedelta(weeks=6))

    async def _sources_round(self) -> None:
        await self.registry.end_expired()
        await self.registry.save_tallies()

    async def _seal(self) -> None:
        moved = _SEAL_AT_MOST
        while moved == _SEAL_AT_MOST:
            moved = await self.store.history.seal(at_most=_SEAL_AT_MOST)

    async def _index(self) -> None:
        await self._entities.values.fill(self.store.work)

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))
