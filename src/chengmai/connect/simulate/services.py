"""Signals of the simulated city's services: transport, health, government, carbon, devices, care."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from chengmai.connect.simulate.nature import Nature, bump, busiest, whole_town
from chengmai.connect.simulate.signals import Signals, Values
from chengmai.connect.simulate.town import Thing, Town

_BLOOD = ("A", "B", "O", "AB")
_TRIAGE = ("2", "3", "4")
_URGENCY = ("urgent", "prompt", "general", "hard")
_OLDEST = {"urgent": 0.7, "prompt": 9.0, "general": 70.0, "hard": 190.0}
_DEVICES_EACH = 3
_STOPS_EACH = 3
_BIKE_STATIONS_EACH = 3
_DOCKS = 24


def services(nature: Nature) -> Signals:
    """Return the generators of services."""
    found, town = Services(nature), nature.town
    one = partial(whole_town, town)
    return {
        "metro_lines": (_several(town, "metro", "地铁线 metro line", ("1", "2")), found.metro),
        "bus_depots": (busiest(town, "bus", "公交 buses", 4), found.bus),
        "bus_stops": (_each(town, "stop", "公交站 bus stop", _STOPS_EACH), found.stop),
        "bike_stations": (
            _each(town, "bike-station", "单车站 bike station", _BIKE_STATIONS_EACH),
            found.bike_station,
        ),
        "traffic_signals": (busiest(town, "signals", "信号灯 signals", 4), found.signals),
        "parking_lots": (busiest(town, "parking", "停车场 car parks", 4), found.parking),
        "bike_parking": (busiest(town, "parked-bikes", "单车停放 parked bikes", 4), found.parked),
        "hospitals": (busiest(town, "hospital", "医院 hospital", 4), found.hospital),
        "triage": (_several(town, "triage", "急诊分级 triage", _TRIAGE), found.triage),
        "ambulances": (busiest(town, "ambulance", "急救站 ambulances", 4), found.ambulance),
        "blood_stock": (_several(town, "blood", "血型 blood", _BLOOD), found.blood),
        "hotline": ((one("hotline", "12345 热线 hotline"),), found.hotline),
        "hotline_backlog": (_several(town, "backlog", "诉求 requests", _URGENCY), found.backlog),
        "service_halls": (busiest(town, "hall", "政务大厅 service hall", 4), found.hall),
        "security_alerts": ((one("siem", "安全告警 security alerts"),), found.alerts),
        "backups": (_several(town, "backup", "备份 backup", ("core", "archive")), found.backup),
        "data_centres": (busiest(town, "dc", "数据中心 data centre", 2), found.data_centre),
        "energy_use": ((one("energy", "全市用能 energy use"),), found.energy),
        "devices": (_each(town, "device", "感知设备 device", _DEVICES_EACH), found.device),
        "wlan_probes": (busiest(town, "wlan", "公共 WLAN public WLAN", 4), found.wlan),
        "public_safety": (busiest(town, "calls", "警情 calls", 4), found.calls),
        "lifts": (busiest(town, "lifts", "电梯 lifts", 4), found.lifts),
        "care": (busiest(town, "care", "独居照护 care", 4), found.care),
    }


def _several(town: Town, kind: str, title: str, names: tuple[str, ...]) -> tuple[Thing, ...]:
    """Return things of the whole town that differ by name."""
    return tuple(whole_town(town, f"{kind}-{name}", f"{title} {name}") for name in names)


def _each(town: Town, kind: str, title: str, count: int) -> tuple[Thing, ...]:
    """Return some numbered things of every district."""
    return tuple(
        Thing(f"{thing.id}-{number}", f"{thing.name} {number}", thing.district, thing.place)
        for thing in town.one_each(kind, title)
        for number in range(1, count + 1)
    )


def _kind(thing: Thing) -> str:
    return thing.id.rpartition("-")[2]


class Services:
    """The signals; each is a method of (thing, instant)."""

    def __init__(self, nature: Nature) -> None:
        self._nature = nature

    def metro(self, thing: Thing, at: datetime) -> Values | None:
        """Load of the fullest section of a line, % of its capacity; no trains run at night."""
        hour = self._nature.local(at).hour
        if not 6 <= hour < 23:
            return None
        crowd = self._nature.anywhere("crowd", at)
        load = 22 + 62 * self._nature.rush(at) + 4 * self._nature.noise(thing, at) + 45 * crowd
        return {"loadFactor": round(max(3.0, load), 1), "lineName": _kind(thing)}

    def bus(self, thing: Thing, at: datetime) -> Values:
        """Departures of the past hour, and how many were on time."""
        storm = self._nature.strength("rainstorm", thing.district.id, at)
        crash = self._nature.strength("accident", thing.district.id, at)
        late = 0.03 + 0.05 * self._nature.rush(at) + 0.22 * storm + 0.12 * crash
        departures = 12 + round(70 * self._nature.working(at) * thing.district.busy)
        late = min(1.0, max(0.0, late + 0.01 * self._nature.noise(thing, at)))
        routes, rides = round(24 * thing.district.busy), departures * 31
        return {
            "departures": departures,
            "onTimeDepartures": round(departures * (1 - late)),
            "busRoutes": routes,
            "busRoutesPredicted": routes - 1,
            "rides": rides,
            "ridesPaidElectronically": round(
                rides * (0.9 + 0.02 * self._nature.noise(thing, at, 2))
            ),
        }

    def stop(self, thing: Thing, at: datetime) -> Values | None:
        """Mean and longest headway of the line at a stop, s: uneven in a storm; no buses at night."""
        hour = self._nature.local(at).hour
        if not 6 <= hour < 23:
            return None
        mean = 900 - 480 * self._nature.rush(at)
        jam = self._nature.strength("rainstorm", thing.district.id, at)
        jam += self._nature.strength("accident", thing.district.id, at)
        uneven = 1.22 + 0.1 * self._nature.noise(thing, at) + 0.12 * self._nature.rush(at)
        longest = mean * max(1.0, uneven + 0.5 * jam)
        return {
            "headway": round(mean, 1),
            "longestHeadway": round(longest, 1),
            "regularity": round(longest / mean, 3),
            "route": _kind(thing),
            "stop": thing.id,
        }

    def bike_station(self, thing: Thing, at: datetime) -> Values:
        """Bikes and free docks of a station: some run empty when people set out, others fill up."""
        turn = 1 if _kind(thing) == "1" else -1
        share = 0.5 + 0.3 * turn * self._nature.rush(at) + 0.09 * self._nature.slow(thing, at, 5)
        share += 0.16 * turn * self._nature.strength("crowd", thing.district.id, at)
        bikes = round(_DOCKS * min(1.0, max(0.0, share)))
        return {
            "availableBikeNumber": bikes,
            "freeSlotNumber": _DOCKS - bikes,
            "totalSlotNumber": _DOCKS,
            "renting": True,
            "returning": True,
        }

    def signals(self, thing: Thing, at: datetime) -> Values:
        """Traffic signals installed, and how many the platform reaches."""
        installed = round(180 * thing.district.busy)
        dark = self._nature.strength("outage", thing.district.id, at)
        lost = 0.004 + 0.004 * self._nature.slow(thing, at, 9) + 0.09 * dark
        return {
            "installed": installed,
            "online": round(installed * (1 - max(0.0, lost))),
            "adaptive": round(installed * 0.46),
        }

    def parking(self, thing: Thing, at: datetime) -> Values:
        """Spaces of public car parks, and how many are taken."""
        total = round(2600 * thing.district.busy)
        drawn = 0.44 + 0.2 * (thing.district.busy - 1)
        share = 0.34 + drawn * self._nature.working(at) + 0.03 * self._nature.slow(thing, at, 7)
        crowd = self._nature.strength("crowd", thing.district.id, at)
        return {"occupiedSpaces": round(total * min(1.0, share + 0.2 * crowd)), "spaces": total}

    def parked(self, thing: Thing, at: datetime) -> Values:
        """Shared bikes parked in the district, and how many may be."""
        quota = round(5200 * thing.district.busy)
        share = 0.91 + 0.05 * self._nature.slow(thing, at, 60) + 0.03 * self._nature.rush(at)
        return {"parkedBikes": round(quota * share), "bikeQuota": quota}

    def hospital(self, thing: Thing, at: datetime) -> Values:
        """Beds, and how many are taken: fuller in winter and in the middle of the week."""
        beds = round(900 * thing.district.busy)
        winter = bump(min(self._nature.day_of_year(at), 380 - self._nature.day_of_year(at)), 20, 45)
        share = 0.865 + 0.04 * winter + 0.02 * self._nature.slow(thing, at, 80)
        rush = self._nature.strength("patients", thing.district.id, at)
        return {"occupiedBeds": round(beds * (share + 0.09 * rush)), "beds": beds}

    def triage(self, thing: Thing, at: datetime) -> Values:
        """The longest wait of an urgency in the city's emergency rooms, minutes."""
        usual = {"2": 5.0, "3": 15.0, "4": 32.0}[_kind(thing)]
        rush = self._nature.anywhere("patients", at)
        wait = usual * (0.75 + 0.4 * self._nature.working(at) + 0.9 * rush)
        wait *= 1 + 0.12 * self._nature.noise(thing, at)
        return {"longestWait": round(max(0.0, wait), 1), "triageLevel": _kind(thing)}

    def ambulance(self, thing: Thing, at: datetime) -> Values:
        """Calls answered in the past hour, and the mean time from call to arrival, minutes."""
        jam = self._nature.rush(at) + self._nature.strength("rainstorm", thing.district.id, at)
        calls = 1 + round(6 * self._nature.working(at) * thing.district.busy)
        mean = 8.6 + 2.2 * jam + 0.7 * self._nature.noise(thing, at)
        return {"ambulanceCalls": calls, "meanResponse": round(mean, 1)}

    def blood(self, thing: Thing, at: datetime) -> Values:
        """Blood in stock and used a day, units."""
        use = {"A": 90.0, "B": 80.0, "O": 95.0, "AB": 26.0}[_kind(thing)]
        days = 12.5 + 3.8 * self._nature.slow(thing, at, 220)
        return {"stockUnits": round(use * days), "dailyUse": use}

    def hotline(self, thing: Thing, at: datetime) -> Values:
        """Calls of the past hour, and how many were answered within 15 s."""
        storm = self._nature.anywhere("rainstorm", at)
        calls = 60 + round(520 * self._nature.working(at) * (1 + 0.7 * storm))
        missed = 0.022 + 0.01 * self._nature.slow(thing, at, 15) + 0.05 * storm
        return {"calls": calls, "answeredInTime": round(calls * (1 - max(0.0, missed)))}

    def backlog(self, thing: Thing, at: datetime) -> Values:
        """Requests without an answer yet of an urgency, and the age of the oldest, hours."""
        kind = _kind(thing)
        age = _OLDEST[kind] * (1 + 0.35 * self._nature.slow(thing, at, 40))
        waiting = {"urgent": 2, "prompt": 18, "general": 210, "hard": 40}[kind]
        due = round(waiting * 0.3 * (0.3 + self._nature.working(at)))
        asked = round(due * 0.6)
        solved = round(asked * (0.91 + 0.04 * self._nature.slow(thing, at, 50)))
        return {
            "openRequests": round(waiting * (1 + 0.2 * self._nature.noise(thing, at))),
            "oldestAge": round(age, 1),
            "urgency": kind,
            "feedbackDue": due,
            "feedbackInTime": max(0, due - (1 if age > _OLDEST[kind] else 0)),
            "followUps": asked,
            "followUpsSolved": solved,
            "followUpsSatisfied": round(solved * 0.96),
        }

    def hall(self, thing: Thing, at: datetime) -> Values | None:
        """People served at the counters in the past hour and their mean wait; closed outside working time."""
        local = self._nature.local(at)
        if local.weekday() >= 5 or not 9 <= local.hour < 17:
            return None
        crowd = bump(local.hour, 10, 1.6) + 0.7 * bump(local.hour, 15, 1.6)
        wait = 5 + 11 * crowd * thing.district.busy + 1.5 * self._nature.noise(thing, at)
        done = 30 + round(50 * crowd)
        return {
            "peopleServed": done,
            "meanWait": round(max(0.5, wait), 1),
            "finishedMatters": done,
            "finishedInTime": done - (1 if self._nature.noise(thing, at, 7) > 0.45 else 0),
            "handlingHours": round(done * (6.5 + 0.8 * self._nature.noise(thing, at, 9)), 1),
        }

    def alerts(self, thing: Thing, at: datetime) -> Values:
        """Security alerts of high severity that nobody has dealt with, and the age of the oldest, minutes."""
        wave = max(0.0, self._nature.slow(thing, at, 11) - 0.55)
        raised = 6 + round(5 * wave)
        return {
            "openAlerts": round(4 * wave),
            "oldestAlertAge": round(70 * wave, 1),
            "highAlerts": raised,
            "highAlertsInTime": raised - round(3 * wave),
        }

    def backup(self, thing: Thing, at: datetime) -> Values:
        """Age of the newest backup that was restored on trial, against the target, minutes."""
        target = 60.0 if _kind(thing) == "core" else 1440.0
        age = target * (0.55 + 0.2 * self._nature.slow(thing, at, 13))
        due = round(1440 / target)
        return {
            "recoveryPointAge": round(age, 1),
            "recoveryPointTarget": target,
            "backupsDue": due,
            "backupsDone": due - (1 if age > 0.7 * target else 0),
        }

    def data_centre(self, thing: Thing, at: datetime) -> Values:
        """Energy of the past hour, kWh, in all and for computing."""
        computing = 820 * (1 + 0.06 * self._nature.working(at)) * thing.district.busy
        fault = self._nature.strength("cooling_fault", thing.district.id, at)
        warm = max(0.0, self._nature.temperature(at) - 12) / 100
        ratio = 1.19 + warm + 0.35 * fault + 0.01 * self._nature.noise(thing, at)
        processors = round(20_000 * thing.district.busy)
        return {
            "totalEnergy": round(computing * ratio, 1),
            "computingEnergy": round(computing, 1),
            "processors": processors,
            "processorsUsed": round(processors * (0.52 + 0.12 * self._nature.working(at))),
        }

    def energy(self, thing: Thing, at: datetime) -> Values:
        """Energy of the past day: electricity in all and from renewables, heat bought."""
        local, temperature = self._nature.local(at), self._nature.temperature(at)
        climate = 0.011 * max(0.0, temperature - 24) + 0.009 * max(0.0, 12 - temperature)
        week = 0.9 if local.weekday() >= 5 else 1.0
        power = 7600 * (0.97 + climate + 0.06 * self._nature.slow(thing, at, 200)) * week
        green = 0.34 + 0.06 * self._nature.slow(thing, at, 120)
        return {
            "electricity": round(power, 1),
            "renewableElectricity": round(power * green, 1),
            "boughtHeat": round(160 * max(0.0, 14 - temperature), 1),
            "gridRegion": "east",
        }

    def device(self, thing: Thing, at: datetime) -> Values | None:
        """A device in the field: charge of its battery and strength of its signal; silent when it is down."""
        if self._nature.active("devices_down", thing.district.id, at) and _kind(thing) != "1":
            return None
        if self._nature.slow(thing, at, 70) > 0.97:
            return None
        charge = 62 + 35 * self._nature.slow(thing, at, 2000)
        return {
            "batteryLevel": round(min(100.0, max(4.0, charge))),
            "signalStrength": round(-84 + 9 * self._nature.slow(thing, at, 30)),
        }

    def wlan(self, thing: Thing, at: datetime) -> Values:
        """Public WLAN: probes that got through, access points that answer, points with enough signal, load."""
        down = self._nature.strength("wlan_down", thing.district.id, at)
        points = round(260 * thing.district.busy)
        lost = max(0.0, 0.003 + 0.003 * self._nature.noise(thing, at) + 0.14 * down)
        online = round(points * (1 - 0.006 - 0.16 * down))
        clients = points * (6 + 15 * self._nature.working(at))
        return {
            "probes": 240,
            "probesAnswered": round(240 * (1 - lost)),
            "accessPoints": points,
            "accessPointsOnline": online,
            "measuredPlaces": 400,
            "coveredPlaces": round(400 * (0.968 - 0.1 * down)),
            "clients": round(clients),
            "clientCapacity": points * 32,
            "downloadRate": round(58 + 9 * self._nature.slow(thing, at, 40) - 8 * down, 1),
        }

    def calls(self, thing: Thing, at: datetime) -> Values:
        """Calls to the police and the fire service in the past day."""
        people = 260_000 * thing.district.busy
        wave = 1 + 0.10 * self._nature.noise(thing, at)
        crowd = self._nature.strength("crowd", thing.district.id, at)
        return {
            "policeCalls": round(people / 10_000 * 2.6 * (wave + 0.5 * crowd)),
            "fireCalls": round(
                14 * thing.district.busy * (1 + 0.2 * self._nature.noise(thing, at, 3))
            ),
            "residents": round(people),
        }

    def lifts(self, thing: Thing, at: datetime) -> Values:
        """People trapped in lifts in the past hour, and the longest time until help came, minutes."""
        stuck = self._nature.strength("outage", thing.district.id, at)
        trapped = int(self._nature.noise(thing, at) > 0.55) + round(3 * stuck)
        arrival = (13 + 5 * self._nature.noise(thing, at, 5) + 20 * stuck) if trapped else 0.0
        return {"trapped": trapped, "longestArrival": round(arrival, 1)}

    def care(self, thing: Thing, at: datetime) -> Values:
        """Households of old people who live alone: how many drew no water for 24 h and for 48 h."""
        quiet = max(0.0, self._nature.slow(thing, at, 33) - 0.82)
        return {
            "households": round(420 * thing.district.busy),
            "silent24h": round(11 * quiet),
            "silent48h": round(max(0.0, 7 * (quiet - 0.12))),
        }
