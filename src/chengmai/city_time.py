"""The clock of a city: real time, or a demo's that runs faster and never goes back."""

from __future__ import annotations

from datetime import datetime

from chengmai.kernel.clock import CityClock, Clock
from chengmai.kernel.instants import from_us
from chengmai.settings import Settings
from chengmai.store.sqlite.file import newest_instant_us


def city_clock(settings: Settings, key: str, real: Clock) -> Clock:
    """Return the clock of a city; one that runs fast goes on after the newest instant that is kept."""
    if settings.clock_rate == 1:
        return real
    now, newest = real.now(), newest_instant_us(settings.data / "state.db", key)
    origin: datetime = now if newest is None else max(now, from_us(newest))
    return CityClock(base=real, base_origin=now, origin=origin, rate=settings.clock_rate)
