"""What everything in the simulated city shares: its clock, its weather, its rush hours, its incidents.

Pure functions of (seed, thing, instant); the shapes are our own and stand for no real place.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from chengmai.connect.simulate.chance import bell, drift, key_of
from chengmai.connect.simulate.incidents import Incident, Incidents
from chengmai.connect.simulate.town import District, Thing, Town
from chengmai.kernel.instants import EPOCH
from chengmai.kernel.texts import WHOLE_CITY

HOUR = timedelta(hours=1)


class Nature:
    """The common ground of the signals of a town, on the clock of `zone`."""

    def __init__(self, seed: int, origin: datetime, zone: ZoneInfo, town: Town) -> None:
        self.town = town
        self.incidents = Incidents(seed, origin, town)
        self._seed, self._zone = seed, zone
        self._keys: dict[str, int] = {}

    def key(self, name: str) -> int:
        """Return the number that stands for a name under this seed."""
        key = self._keys.get(name)
        if key is None:
            key = self._keys[name] = key_of(self._seed, name)
        return key

    def local(self, at: datetime) -> datetime:
        """Return the wall time of the town."""
        return at.astimezone(self._zone)

    def day_of_year(self, at: datetime) -> float:
        return float(self.local(at).timetuple().tm_yday)

    def temperature(self, at: datetime) -> float:
        """Air temperature over the whole town, °C."""
        local = self.local(at)
        season = 17 - 12 * math.cos(2 * math.pi * (local.timetuple().tm_yday - 20) / 365.25)
        day = 4 * math.cos(2 * math.pi * (local.hour + local.minute / 60 - 15) / 24)
        return season + day + 3.5 * drift(self.key("temperature"), hours(at), 55)

    def rain(self, at: datetime) -> float:
        """Ordinary rain over the whole town, mm/h: dry most of the time."""
        wet = drift(self.key("rain"), hours(at), 14)
        return 0.0 if wet < 0.55 else round(9 * (wet - 0.55) ** 1.3, 2)

    def rush(self, at: datetime) -> float:
        """How much of a rush hour it is, 0 … 1."""
        local = self.local(at)
        hour = local.hour + local.minute / 60
        if local.weekday() >= 5:
            return 0.45 * bump(hour, 11, 2.5) + 0.5 * bump(hour, 17, 3)
        return bump(hour, 8, 1.3) + 0.95 * bump(hour, 17.8, 1.6) + 0.25 * bump(hour, 13, 3)

    def working(self, at: datetime) -> float:
        """How much people are at work or about, 0 … 1: little at night, less at weekends."""
        local = self.local(at)
        day = bump(local.hour + local.minute / 60, 13.5, 6.5)
        return day * (0.55 if local.weekday() >= 5 else 1.0)

    def strength(self, kind: str, district: str, at: datetime) -> float:
        """Return how strongly incidents of `kind` are felt in `district`, 0 … 1."""
        return self.incidents.strength(kind, district, at)

    def anywhere(self, kind: str, at: datetime) -> float:
        """Return how strongly an incident of `kind` is felt where it is felt most."""
        return max(self.strength(kind, district.id, at) for district in self.town.districts)

    def active(self, kind: str, district: str, at: datetime) -> Incident | None:
        """Return the incident of `kind` going on in `district`."""
        return self.incidents.active(kind, district, at)

    def noise(self, thing: Thing, at: datetime, salt: int = 0) -> float:
        """Return a number between -1 and 1 that is another one every minute."""
        return bell(self.key(thing.id), minute(at) + salt)

    def slow(self, thing: Thing, at: datetime, scale_h: float) -> float:
        """Return a smooth course between -1 and 1."""
        return drift(self.key(thing.id), hours(at), scale_h)


def whole_town(town: Town, kind: str, title: str) -> Thing:
    """Return a thing of the whole town, `kind` in its id and `title` its name."""
    centre = town.districts[0].place
    return Thing(kind, title, District("city", WHOLE_CITY, 1.0, centre), centre)


def busiest(town: Town, kind: str, title: str, count: int) -> tuple[Thing, ...]:
    """Return one thing in each of the `count` busiest districts."""
    chosen = sorted(town.districts, key=lambda district: -district.busy)[:count]
    return tuple(Thing(f"{d.id}-{kind}", f"{d.name} {title}", d, d.place) for d in chosen)


def bump(value: float, middle: float, width: float) -> float:
    """Return 1 at `middle`, falling to 0 over about `width`."""
    return math.exp(-(((value - middle) / width) ** 2))


def hours(at: datetime) -> float:
    """Return hours since 1970."""
    return (at - EPOCH) / HOUR


def minute(at: datetime) -> int:
    """Return whole minutes since 1970."""
    return int((at.astimezone(UTC) - EPOCH).total_seconds()) // 60
