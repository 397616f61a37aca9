"""Time as an argument. Nothing but `SystemClock` reads the machine's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Gives the present instant."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class FixedClock:
    """A clock that stands still until it is moved; for tests and replays."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        """Move forward (or, with a negative length, back) by `by`."""
        self.at += by


@dataclass(frozen=True)
class CityClock:
    """A clock that runs `rate` times as fast as `base`, from `origin` on.

    A demonstration city runs faster than life so that hourly data move within minutes. `rate` is 1 in
    every real city, and a rate other than 1 is shown on every page.
    """

    base: Clock
    base_origin: datetime
    origin: datetime
    rate: float = 1.0

    def now(self) -> datetime:
        return self.origin + (self.base.now() - self.base_origin) * self.rate

    def real_seconds(self, city: timedelta) -> float:
        """Return how many real seconds `city` time takes."""
        return city.total_seconds() / self.rate
