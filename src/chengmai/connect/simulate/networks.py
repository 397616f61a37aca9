"""Signals of the simulated city's networks and ground: water, noise, power quality, gas, heat, bridges."""

from __future__ import annotations

from datetime import datetime

from chengmai.connect.simulate.nature import HOUR, Nature, bump, busiest, whole_town
from chengmai.connect.simulate.signals import Signals, Values
from chengmai.connect.simulate.town import Thing

_ZONES = ("1", "2", "3", "4a")


def networks(nature: Nature) -> Signals:
    """Return the generators of networks and ground."""
    found = Networks(nature)
    town = nature.town
    hubs = busiest(town, "hv", "110 kV 母线 110 kV busbar", 2)
    works = whole_town(town, "water-works", "水厂 water works")
    mains = busiest(town, "water-main", "供水管网 water mains", 3)
    return {
        "ponding_points": (busiest(town, "ponding", "积水点 ponding", 4), found.ponding),
        "river_gauges": (busiest(town, "river", "水文站 river gauge", 3), found.river),
        "water_sections": (busiest(town, "section", "断面 river section", 3), found.section),
        "noise_points": (busiest(town, "noise", "声环境点 noise", 4), found.noise),
        "power_quality": (busiest(town, "quality", "台区 low-voltage area", 4), found.quality),
        "substations": (hubs, found.substation),
        "outages": (busiest(town, "feeder", "配电网 distribution", 4), found.outage),
        "water_supply": ((works, *mains), found.water),
        "gas_network": (busiest(town, "gas", "燃气管网 gas network", 3), found.gas),
        "heated_rooms": (busiest(town, "rooms", "供热用户 heated rooms", 3), found.rooms),
        "bridges": (busiest(town, "bridge", "桥梁 bridge", 3), found.bridge),
    }


class Networks:
    """The signals; each is a method of (thing, instant)."""

    def __init__(self, nature: Nature) -> None:
        self._nature = nature

    def ponding(self, thing: Thing, at: datetime) -> Values:
        """Water on the road, cm: what the last hours' rain leaves."""
        wet = sum(self._rain(thing, at - back * HOUR) / (1 + back) for back in range(3))
        return {"depth": round(max(0.0, 0.62 * wet - 4 + self._nature.noise(thing, at)), 1)}

    def river(self, thing: Thing, at: datetime) -> Values:
        """Level of the river, m: a slow season and the rain of the past hours."""
        wet = sum(self._rain(thing, at - back * HOUR) for back in range(1, 9))
        level = 3.1 + 0.35 * self._nature.slow(thing, at, 300) + 0.011 * wet
        return {
            "waterLevel": round(level + 0.01 * self._nature.noise(thing, at), 2),
            "warningLevel": 4.5,
            "guaranteeLevel": 5.2,
        }

    def section(self, thing: Thing, at: datetime) -> Values:
        """Water of a river section: class II to III, worse for a while after something is let in."""
        spill = self._nature.strength("pollution", thing.district.id, at)
        drift = self._nature.slow(thing, at, 90)
        return {
            "ph": round(7.6 + 0.2 * drift, 2),
            "dissolvedOxygen": round(7.4 + 0.9 * drift - 3.5 * spill, 2),
            "permanganateIndex": round(3.6 + 0.8 * drift + 5 * spill, 2),
            "cod": round(14 + 2 * drift + 18 * spill, 1),
            "bod5": round(2.6 + 0.3 * drift + 4 * spill, 2),
            "ammoniaNitrogen": round(0.42 + 0.2 * drift + 1.9 * spill, 3),
            "totalPhosphorus": round(0.11 + 0.03 * drift + 0.2 * spill, 3),
            "waterBody": "river",
            "targetClass": 3,
        }

    def noise(self, thing: Thing, at: datetime) -> Values:
        """Equivalent level of the past hour, dB(A), below the limit of its class but for work at night."""
        number = [t.id for t in busiest(self._nature.town, "noise", "", 4)].index(thing.id)
        quiet = (46.0, 49.0, 53.0, 57.0)[number]
        work = self._nature.strength("night_work", thing.district.id, at)
        level = quiet - 8 + 12 * self._nature.working(at) + 2 * self._nature.noise(thing, at)
        return {"soundLevel": round(level + 14 * work, 1), "zoneClass": _ZONES[number]}

    def quality(self, thing: Thing, at: datetime) -> Values:
        """Power quality of a low-voltage area."""
        evening = bump(self._nature.local(at).hour, 19, 3.5)
        high = self._nature.strength("voltage", thing.district.id, at)
        drift = self._nature.slow(thing, at, 6)
        return {
            "phaseVoltage": round(228 - 9 * evening + 2.2 * drift + 12 * high, 1),
            "unbalance": round(max(0.1, 0.9 + 0.6 * evening + 0.3 * drift + 1.2 * high), 2),
            "harmonicDistortion": round(max(0.3, 2.4 + 1.1 * evening + 0.3 * drift), 2),
            "voltageLevel": "0.38",
        }

    def substation(self, thing: Thing, at: datetime) -> Values:
        """Voltage of a 110 kV busbar, and the frequency of the system."""
        swing = 0.02 * self._nature.noise(thing, at)
        deviation = 0.012 + 0.018 * self._nature.slow(thing, at, 5)
        return {
            "frequency": round(50 + swing, 3),
            "voltage": round(110 * (1 + deviation), 2),
            "nominalVoltage": 110.0,
        }

    def outage(self, thing: Thing, at: datetime) -> Values:
        """Customers without power."""
        served = round(42_000 * thing.district.busy)
        cut = self._nature.strength("outage", thing.district.id, at)
        share = 0.022 * cut + 0.0002 * max(0.0, self._nature.slow(thing, at, 8))
        return {"customersOut": round(served * share), "customersServed": served}

    def water(self, thing: Thing, at: datetime) -> Values:
        """Water works: turbidity and chlorine on leaving; mains: pressure, and chlorine at the tap."""
        drift = self._nature.slow(thing, at, 30)
        if thing.district.id == "city":
            return {
                "turbidity": round(max(0.05, 0.22 + 0.08 * drift), 2),
                "worksChlorine": round(0.62 + 0.1 * drift, 2),
            }
        burst = self._nature.strength("pipe_burst", thing.district.id, at)
        draw = 0.05 * self._nature.rush(at)
        volume = 1900 * thing.district.busy * (0.5 + self._nature.rush(at))
        return {
            "suppliedVolume": round(volume * (1 + burst), 1),
            "billedVolume": round(volume * (0.905 + 0.01 * drift), 1),
            "tapChlorine": round(max(0.02, 0.24 + 0.08 * drift), 3),
            "networkPressure": round(0.29 - draw + 0.01 * drift - 0.16 * burst, 3),
        }

    def gas(self, thing: Thing, at: datetime) -> Values:
        """Methane in the manholes beside the gas pipes, and the pressure in these."""
        leak = self._nature.strength("gas_leak", thing.district.id, at)
        evening = bump(self._nature.local(at).hour, 18.5, 2)
        seep = max(0.0, 1.2 + 1.4 * self._nature.slow(thing, at, 12))
        return {
            "methane": round(seep + 52 * leak, 1),
            "gasPressure": round(200 * (1 - 0.04 * evening - 0.06 * leak), 1),
            "nominalGasPressure": 200.0,
        }

    def rooms(self, thing: Thing, at: datetime) -> Values:
        """Temperature of heated rooms, °C: the coldest that is measured, and the mean."""
        cold = max(0.0, 12 - self._nature.temperature(at))
        mean = 21.4 - 0.05 * cold + 0.5 * self._nature.slow(thing, at, 20)
        fault = self._nature.strength("heat_fault", thing.district.id, at)
        return {
            "meanRoomTemperature": round(mean - 2 * fault, 1),
            "coldestRoomTemperature": round(mean - 2.1 - 3.6 * fault, 1),
        }

    def bridge(self, thing: Thing, at: datetime) -> Values:
        """Deflection in the middle of the span, mm: traffic and heat."""
        heat = 0.25 * (self._nature.temperature(at) - 17)
        load = 9 * self._nature.rush(at) * thing.district.busy
        return {
            "deflection": round(14 + heat + load + self._nature.noise(thing, at), 1),
            "designDeflection": 60.0,
        }

    def _rain(self, thing: Thing, at: datetime) -> float:
        """Rain of an hour in the district, mm."""
        storm = self._nature.strength("rainstorm", thing.district.id, at)
        return self._nature.rain(at) + 32 * storm
