"""The simulated city's signals: pure functions of (seed, thing, instant).

Daily, weekly and seasonal patterns, weather that moves traffic, air and load together, and incidents on
top. The shapes are our own and stand for no real place; their sizes are chosen to be plausible.
"""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from chengmai.connect.simulate.chance import bell, drift
from chengmai.connect.simulate.incidents import Incident
from chengmai.connect.simulate.nature import HOUR, Nature, bump, hours, minute, whole_town
from chengmai.connect.simulate.networks import networks
from chengmai.connect.simulate.registers import registers
from chengmai.connect.simulate.services import services
from chengmai.connect.simulate.shared import shared
from chengmai.connect.simulate.signals import Generator, Values
from chengmai.connect.simulate.town import Thing, Town, load_town

_RATED_MVA = 50.0


class SimulatedCity:
    """A city with `seed`, on the clock of `zone`; `origin` is where its first day's story begins."""

    def __init__(
        self, seed: int, origin: datetime, zone: ZoneInfo, town: Town | None = None
    ) -> None:
        self.seed = seed
        self.town = town or load_town()
        self._nature = Nature(seed, origin, zone, self.town)

    def labels(self, start: datetime, end: datetime) -> list[Incident]:
        """Return the incidents that touch [start, end): the ground truth for tests and drills."""
        return self._nature.incidents.between(start, end)

    def generator(self, name: str) -> tuple[tuple[Thing, ...], Generator]:
        """Return the things and the signal of one generator of a feed's `[source]`; `KeyError` if none."""
        town = self.town
        known: dict[str, tuple[tuple[Thing, ...], Generator]] = {
            "road_detectors": (town.detectors, self.road),
            "bike_areas": (town.one_each("bike", "单车 bikes"), self.bikes),
            "air_stations": (town.one_each("air", "空气站 air"), self.air),
            "weather_stations": (town.one_each("weather", "气象站 weather"), self.weather),
            "transformers": (town.one_each("transformer", "主变 transformer"), self.transformer),
            "grid_points": (town.one_each("grid", "母线 busbar"), self.grid),
            "sentinel_clinics": (
                (whole_town(town, "sentinel", "哨点医院 sentinel clinics"),),
                self.clinics,
            ),
            **networks(self._nature),
            **services(self._nature),
            **shared(self._nature),
            **registers(self._nature),
        }
        return known[name]

    def road(self, thing: Thing, at: datetime) -> Values | None:
        """Mean speed at an expressway detector, km/h."""
        district = thing.district
        if self._nature.active("silent", district.id, at):
            return None
        key = self._nature.key(thing.id)
        free = 82 + 8 * bell(key, 0)
        jam = 0.30 * self._nature.rush(at) * district.busy / 1.2
        storm = self._nature.strength("rainstorm", district.id, at)
        crash = self._nature.strength("accident", district.id, at)
        slow = (1 - jam) * (1 - 0.12 * min(1.0, self._nature.rain(at) / 5)) * (1 - 0.76 * storm)
        slow *= 1 - 0.5 * crash
        speed = free * slow * (1 + 0.05 * bell(key, minute(at)) + 0.04 * drift(key, hours(at), 1.5))
        return {"averageSpeed": round(max(3.0, speed), 1), "roadClass": "expressway"}

    def bikes(self, thing: Thing, at: datetime) -> Values | None:
        """Trips that began in the district in the past hour."""
        local = self._nature.local(at - HOUR)
        day = 0.12 + 0.9 * self._nature.rush(at - HOUR / 2) + 0.5 * bump(local.hour, 13, 4)
        weather = bump(self._nature.temperature(at), 21, 16) * (
            1 - 0.8 * min(1.0, self._nature.rain(at) / 4)
        )
        weather *= 1 - 0.8 * self._nature.strength("rainstorm", thing.district.id, at)
        level = 260 * thing.district.busy * day * max(0.05, weather)
        trips = round(level * (1 + 0.15 * bell(self._nature.key(thing.id), minute(at))))
        casual = round(trips * (0.35 if local.weekday() >= 5 else 0.15))
        return {
            "tripCount": trips,
            "casualTripCount": casual,
            "registeredTripCount": trips - casual,
        }

    def air(self, thing: Thing, at: datetime) -> Values | None:
        """Hourly concentrations at an air station, µg/m³ and for CO mg/m³."""
        stuck = self._nature.active("stuck", thing.district.id, at)
        if stuck is not None and at > stuck.start:
            return self._air_at(thing, stuck.start)
        return self._air_at(thing, at)

    def _air_at(self, thing: Thing, at: datetime) -> Values:
        key = self._nature.key(thing.id)
        inversion = self._nature.strength("inversion", thing.district.id, at)
        winter = 0.5 + 0.5 * math.cos(2 * math.pi * (self._nature.day_of_year(at) - 15) / 365.25)
        wind = (
            1 + 0.45 * drift(self._nature.key("calm"), hours(at), 60) - 0.1 * self._nature.rain(at)
        )
        calm = max(0.35, wind, inversion)
        dirty = (0.85 + 0.3 * self._nature.rush(at)) * calm * (1 + 0.12 * bell(key, minute(at)))
        fine = (16 + 22 * winter) * dirty * (1 + 2.5 * inversion) + 125 * inversion
        sun = bump(self._nature.local(at).hour, 14, 5)
        ozone = (
            (22 + 90 * (1 - winter) * sun + 30 * sun) * (1.25 - 0.25 * calm) * (1 - 0.5 * inversion)
        )
        return {
            "pm25": round(fine, 1),
            "pm10": round(fine * 1.35 + 8, 1),
            "so2": round(5 + 6 * dirty * (1 + inversion), 1),
            "no2": round((18 + 14 * winter) * dirty * (1 + 1.2 * inversion), 1),
            "co": round((0.35 + 0.3 * winter) * dirty * (1 + 1.5 * inversion), 3),
            "o3": round(max(2.0, ozone), 1),
        }

    def weather(self, thing: Thing, at: datetime) -> Values | None:
        """Weather of the past hour at a district's station."""
        key = self._nature.key(thing.id)
        storm = self._nature.strength("rainstorm", thing.district.id, at)
        gust = 2.4 + 1.6 * drift(self._nature.key("wind"), hours(at), 9) + 7.5 * storm
        points = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
        turn = drift(self._nature.key("turn"), hours(at), 24)
        return {
            "temperature": round(
                self._nature.temperature(at) + 0.6 * bell(key, minute(at)) - 4 * storm, 1
            ),
            "pressure": round(
                1016 + 9 * drift(self._nature.key("pressure"), hours(at), 70) - 6 * storm, 1
            ),
            "rainfall": round(
                self._nature.rain(at) * (1 + 0.3 * bell(key, minute(at))) + 32 * storm, 1
            ),
            "windSpeed": round(max(0.1, gust + 0.5 * bell(key, minute(at) + 1)), 1),
            "windDirection": points[int((turn + 1) * 4) % 8],
            "visibility": round(self._visibility(thing, at, storm)),
            "snowfall": round(self._nature.rain(at) if self._nature.temperature(at) < 0 else 0, 1),
        }

    def _visibility(self, thing: Thing, at: datetime, storm: float) -> float:
        """Metres: fog at dawn on calm, cool days, and what heavy rain leaves."""
        hour = self._nature.local(at).hour
        fog = max(0.0, drift(self._nature.key("fog"), hours(at), 20) - 0.6) / 0.4
        fog *= bump(hour, 6, 3) * bump(self._nature.temperature(at), 8, 9)
        clear = 16_000 + 4000 * bell(self._nature.key(thing.id), minute(at) + 2)
        return max(40.0, clear * (1 - 0.99 * fog) * (1 - 0.9 * storm))

    def transformer(self, thing: Thing, at: datetime) -> Values | None:
        """Load and oil temperature of a district's transformer; the oil follows the load by hours."""
        loads = [self._load(thing, at - hours * HOUR) for hours in (0, 1, 2)]
        over = self._nature.strength("overload", thing.district.id, at)
        heat = (0.5 * loads[0] + 0.3 * loads[1] + 0.2 * loads[2]) / _RATED_MVA
        oil = 0.55 * self._nature.temperature(at) + 26 + 36 * heat**1.6 + 22 * over
        active = loads[0] * 0.97
        return {
            "oilTemperature": round(oil + 0.5 * bell(self._nature.key(thing.id), minute(at)), 1),
            "activePower": round(active, 2),
            "reactivePower": round(math.sqrt(max(0.0, loads[0] ** 2 - active**2)), 2),
            "middleActivePower": round(active * 0.58, 2),
            "lowActivePower": round(active * 0.40, 2),
            "ratedPower": _RATED_MVA,
        }

    def _load(self, thing: Thing, at: datetime) -> float:
        """Apparent power, MVA."""
        local = self._nature.local(at)
        temperature = self._nature.temperature(at)
        climate = 0.012 * max(0.0, temperature - 24) + 0.007 * max(0.0, 10 - temperature)
        day = 0.30 + 0.20 * bump(local.hour, 11, 4) + 0.26 * bump(local.hour, 19, 4)
        week = 0.92 if local.weekday() >= 5 else 1.0
        over = self._nature.strength("overload", thing.district.id, at)
        rate = (day + climate) * week * (0.75 + 0.25 * thing.district.busy)
        noise = 1 + 0.03 * bell(self._nature.key(thing.id), minute(at))
        return _RATED_MVA * (rate * noise * (1 - over) + over * (1.04 + 0.03 * noise))

    def grid(self, thing: Thing, at: datetime) -> Values | None:
        """Frequency of the system and voltage of a district's 10 kV busbar."""
        elapsed = hours(at)
        swing = 0.03 * drift(self._nature.key("hertz"), elapsed, 0.5) + 0.012 * bell(
            self._nature.key("hertz"), minute(at)
        )
        key = self._nature.key(thing.id)
        high = self._nature.strength("voltage", thing.district.id, at)
        deviation = (
            0.012 + 0.016 * drift(key, elapsed, 5) - 0.012 * self._nature.rush(at) + 0.07 * high
        )
        return {
            "frequency": round(50 + swing, 3),
            "voltage": round(10 * (1 + deviation + 0.002 * bell(key, minute(at))), 3),
            "nominalVoltage": 10.0,
        }

    def clinics(self, thing: Thing, at: datetime) -> Values | None:
        """Visits for influenza-like illness in the week that ends at `at`."""
        key = self._nature.key(thing.id)
        winter = self._nature.day_of_year(at)
        peak = 25 + 12 * bell(key, (at - 180 * 24 * HOUR).year)
        height = 3.2 + 1.4 * bell(key, 7000 + (at - 180 * 24 * HOUR).year)
        away = min(abs(winter - peak), 365.25 - abs(winter - peak))
        share = 1.05 + height * math.exp(-((away / 26) ** 2)) + 0.12 * bell(key, minute(at))
        visits = round(21_000 * (1 + 0.05 * bell(key, minute(at) + 1)))
        ill = round(visits * share / 100)
        return {
            "iliShare": round(100 * ill / visits, 3),
            "iliVisits": ill,
            "totalVisits": visits,
            "providers": 46,
        }
