"""Signals of what the simulated city's people share: bikes, charging points, rooms."""

from __future__ import annotations

from datetime import datetime

from chengmai.connect.simulate.nature import Nature, bump, busiest
from chengmai.connect.simulate.signals import Signals, Values
from chengmai.connect.simulate.town import Thing

_BIKES = 560
_CHARGERS = 120
_ROOMS = 14


def shared(nature: Nature) -> Signals:
    """Return the generators of shared resources."""
    found, town = Shared(nature), nature.town
    return {
        "bike_fleets": (busiest(town, "fleet", "共享单车 shared bikes", 5), found.fleet),
        "charging_sites": (busiest(town, "charging", "充电站 charging site", 4), found.charging),
        "activity_rooms": (busiest(town, "rooms-shared", "活动室 activity rooms", 4), found.rooms),
    }


class Shared:
    """The signals; each is a method of (thing, instant)."""

    def __init__(self, nature: Nature) -> None:
        self._nature = nature

    def fleet(self, thing: Thing, at: datetime) -> Values:
        """Bikes of a district: how many there are, are out, and were wanted and not had.

        People leave some districts in the morning and others in the evening, and every fleet is the same size.
        """
        hour, working = self._hour(at), self._nature.working(at)
        weekend = self._nature.local(at).weekday() >= 5
        morning, evening = bump(hour, 8, 1.6), bump(hour, 18, 1.9)
        lean = 0.5 + 0.5 * self._nature.slow(thing, at, 24 * 365)
        rush = 1.2 * (lean * morning + (1 - lean) * evening) * (0.35 if weekend else 1.0)
        wet = min(1.0, self._nature.rain(at) / 4)
        share = (0.12 + 0.3 * working + 0.85 * rush * thing.district.busy) * (1 - 0.7 * wet)
        wanted = _BIKES * max(0.02, share + 0.03 * self._nature.noise(thing, at))
        return self._met(wanted, _BIKES, ("bikesInUse", "bikesWanted", "fleetBikes"))

    def charging(self, thing: Thing, at: datetime) -> Values:
        """Charging points: in use, cars that wait, and how many there are."""
        hour = self._hour(at)
        noon, evening = 0.35 * bump(hour, 12.5, 1.8), 0.62 * bump(hour, 20, 2.6)
        cold = 0.008 * max(0.0, 10 - self._nature.temperature(at))
        share = 0.18 + (noon + evening + cold) * 0.75 * thing.district.busy**2
        wanted = _CHARGERS * (share + 0.025 * self._nature.noise(thing, at))
        names = ("pointsInUse", "vehiclesWaiting", "chargingPoints")
        cars = round(1460 * thing.district.busy)
        return self._met(max(0.0, wanted), _CHARGERS, names) | {"electricVehicles": cars}

    def rooms(self, thing: Thing, at: datetime) -> Values:
        """Rooms of community centres: taken, asked for in vain, and how many there are."""
        local = self._nature.local(at)
        open_ = 8 <= local.hour < 22
        busy = 0.3 + 0.3 * bump(local.hour, 10, 2) + 0.62 * bump(local.hour, 19, 2.2)
        busy *= (1.15 if local.weekday() >= 5 else 1.0) * 0.6 * thing.district.busy**2
        wanted = _ROOMS * (busy + 0.07 * self._nature.noise(thing, at)) if open_ else 0.0
        return self._met(max(0.0, wanted), _ROOMS, ("roomsTaken", "roomsRefused", "rooms"))

    def _hour(self, at: datetime) -> float:
        local = self._nature.local(at)
        return local.hour + local.minute / 60

    @staticmethod
    def _met(wanted: float, there: int, names: tuple[str, str, str]) -> Values:
        """Return what is taken, what waits and what there is, as whole units."""
        used, waiting, capacity = names
        asked = round(wanted)
        return {used: min(asked, there), waiting: max(0, asked - there), capacity: there}
