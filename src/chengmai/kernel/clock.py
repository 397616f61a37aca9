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


class Instants:
    """Instants of a clock, no two the same: two changes must never be taken for one.

    While the clock stands still, or steps back by less than `STEP`, time goes on by a microsecond at a time.
    A clock that jumps back further was wrong before: it is believed.
    """

    STEP = timedelta(seconds=5)
    _TICK = timedelta(microseconds=1)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = datetime.min.replace(tzinfo=UTC)

    def next(self) -> datetime:
        """Return the present instant, or the first one after the last that was given."""
        now = self._clock.now()
        if now <= self._last < now + self.STEP:
            now = self._last + self._TICK
        self._last = now
        return now


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
