"""What the platform tells of itself for signs to watch: cases, feeds and signing in, as entities."""

from __future__ import annotations

from collections.abc import Sequence

from chengmai.cases.service import CaseService
from chengmai.connect.intake import Intake
from chengmai.kernel.clock import Clock
from chengmai.packs.feeds import FeedSpec
from chengmai.trust.load import AccessLoads

EVERY_S = 300
"""Seconds of the city's time between two tellings; the signs over them have steps of five minutes and more."""


class Loads:
    """Publishes `CaseLoad`, `FeedLoad` and `AccessLoad`, once in `EVERY_S` of the city's time."""

    def __init__(
        self,
        tenant: str,
        clock: Clock,
        cases: CaseService,
        intake: Intake,
        feeds: Sequence[FeedSpec],
        access: AccessLoads,
    ) -> None:
        self._tenant, self._clock = tenant, clock
        self._cases, self._intake, self._feeds, self._access = cases, intake, feeds, access
        self._last: int | None = None

    async def publish(self) -> bool:
        """Write the entities when they are due; return whether they were."""
        slot = int(self._clock.now().timestamp()) // EVERY_S
        if slot == self._last:
            return False
        await self._cases.publish_load(self._tenant)
        await self._intake.publish_load(self._feeds)
        await self._access.publish(self._tenant)
        self._last = slot
        return True
