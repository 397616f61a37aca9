"""What goes wrong in the simulated city, when and where; every incident is a ground-truth label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from chengmai.connect.simulate.chance import key_of, uniform
from chengmai.connect.simulate.town import Town
from chengmai.kernel.instants import EPOCH
from chengmai.kernel.texts import Text

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LONGEST = timedelta(days=2)

KINDS = {
    "rainstorm": Text(zh="暴雨，车速下降", en="Rainstorm; speeds drop"),
    "inversion": Text(zh="逆温，颗粒物累积", en="Inversion; particles build up"),
    "accident": Text(zh="交通事故，路段拥堵", en="Accident; the road is congested"),
    "overload": Text(zh="变压器过负荷、油温升高", en="Transformer overloaded, its oil heats up"),
    "voltage": Text(zh="供电电压偏高", en="Supply voltage too high"),
    "stuck": Text(zh="监测站读数卡死", en="A station's readings are stuck"),
    "silent": Text(zh="检测断面无数据", en="Road detectors are silent"),
    "crowd": Text(zh="大客流活动", en="Crowds at an event"),
    "outage": Text(zh="停电", en="Power outage"),
    "pipe_burst": Text(zh="供水管爆裂，水压下降", en="Water main bursts; the pressure drops"),
    "gas_leak": Text(zh="燃气泄漏", en="Gas leak"),
    "heat_fault": Text(zh="供热故障，室温下降", en="Heating fails; rooms cool down"),
    "pollution": Text(zh="河道污染，水质变差", en="The river is polluted"),
    "night_work": Text(zh="夜间施工噪声", en="Noise of building work"),
    "patients": Text(zh="就诊高峰", en="A rush of patients"),
    "cooling_fault": Text(
        zh="机房制冷故障，能耗升高", en="Cooling of a data centre fails; it uses more"
    ),
    "devices_down": Text(zh="感知设备离线", en="Devices go silent"),
    "wlan_down": Text(zh="无线网络故障", en="The WLAN fails"),
}
"""Kinds of incident, in both languages."""

_DAILY = {
    # kind: (chance that an area has one on a day, least and most hours it lasts)
    "rainstorm": (0.006, 1.5, 4.0),
    "inversion": (0.006, 8.0, 30.0),
    "accident": (0.030, 0.5, 2.0),
    "overload": (0.008, 3.0, 7.0),
    "voltage": (0.012, 0.5, 2.0),
    "stuck": (0.008, 6.0, 24.0),
    "silent": (0.010, 2.0, 8.0),
    "crowd": (0.008, 2.0, 5.0),
    "outage": (0.006, 0.5, 3.0),
    "pipe_burst": (0.005, 1.0, 6.0),
    "gas_leak": (0.003, 1.0, 4.0),
    "heat_fault": (0.004, 4.0, 16.0),
    "pollution": (0.004, 12.0, 40.0),
    "night_work": (0.010, 2.0, 6.0),
    "patients": (0.006, 6.0, 30.0),
    "cooling_fault": (0.006, 3.0, 12.0),
    "devices_down": (0.008, 4.0, 20.0),
    "wlan_down": (0.008, 1.0, 5.0),
}
_FIRST_DAY = (
    # The story a newcomer meets: kind, district, hours from the origin to its start and to its end.
    ("rainstorm", "jiangwan", -1.5, 6.0),
    ("inversion", "shiping", -7.0, 16.0),
    ("inversion", "xingang", -5.0, 14.0),
    ("overload", "dongpu", 2.0, 9.0),
    ("silent", "beizhou", 1.0, 6.0),
    ("stuck", "qingling", 3.0, 24.0),
    ("voltage", "nantang", 4.0, 6.0),
)


@dataclass(frozen=True)
class Incident:
    """Something wrong in one district from `start` to `end`, with `strength` in (0, 1]."""

    id: str
    kind: str
    district: str
    area: str
    start: datetime
    end: datetime
    strength: float

    def at(self, at: datetime) -> float:
        """Return how strong it is at `at`: rising over the first tenth, falling over the last."""
        if not self.start <= at < self.end:
            return 0.0
        rise = (self.end - self.start) / 10
        return self.strength * min(
            1.0, (at - self.start) / rise + 0.2, (self.end - at) / rise + 0.2
        )


class Incidents:
    """All incidents of a city with `seed`; the first day's story is anchored at `origin`."""

    def __init__(self, seed: int, origin: datetime, town: Town) -> None:
        self._seed = seed
        self._town = town
        self._origin = origin
        areas = {district.id: district.name for district in town.districts}
        self._story = [
            Incident(
                f"story-{number}",
                kind,
                district,
                areas[district],
                origin + start * HOUR,
                origin + end * HOUR,
                1.0,
            )
            for number, (kind, district, start, end) in enumerate(_FIRST_DAY, 1)
        ]
        self._days: dict[int, dict[str, list[Incident]]] = {}

    def between(self, start: datetime, end: datetime) -> list[Incident]:
        """Return the incidents that touch [start, end), by their start."""
        first, last = _day(start - LONGEST), _day(end)
        found = [
            incident
            for day in range(first, last + 1)
            for incident in self._of_day(day)
            if incident.start < end and incident.end > start
        ]
        story = [i for i in self._story if i.start < end and i.end > start]
        return sorted(story + found, key=lambda incident: (incident.start, incident.id))

    def strength(self, kind: str, district: str, at: datetime) -> float:
        """Return how strongly incidents of `kind` are felt in `district` at `at`, 0 … 1."""
        return max((i.at(at) for i in self._near(district, at) if i.kind == kind), default=0.0)

    def active(self, kind: str, district: str, at: datetime) -> Incident | None:
        """Return the incident of `kind` going on in `district` at `at`."""
        for incident in self._near(district, at):
            if incident.kind == kind and incident.start <= at < incident.end:
                return incident
        return None

    def _near(self, district: str, at: datetime) -> list[Incident]:
        """Return what may go on in a district on the day of `at`; worked out once a day."""
        day = _day(at)
        known = self._days.get(day)
        if known is None:
            known = {}
            start = EPOCH + day * DAY
            for incident in self.between(start, start + DAY):
                known.setdefault(incident.district, []).append(incident)
            if len(self._days) > 400:
                self._days.clear()
            self._days[day] = known
        return known.get(district, [])

    def _of_day(self, day: int) -> Iterator[Incident]:
        # The first two days belong to the story: chance would blur it for a newcomer.
        if -1 <= day - _day(self._origin) <= 1:
            return
        for kind, (chance, least, most) in _DAILY.items():
            for district in self._town.districts:
                key = key_of(self._seed, f"{kind} {district.id}")
                if uniform(key, 4 * day) >= chance:
                    continue
                hours = least + (most - least) * uniform(key, 4 * day + 2)
                start = EPOCH + day * DAY + 24 * uniform(key, 4 * day + 1) * HOUR
                strength = 0.5 + 0.5 * uniform(key, 4 * day + 3)
                name = f"{kind}-{district.id}-{day}"
                yield Incident(
                    name, kind, district.id, district.name, start, start + hours * HOUR, strength
                )


def _day(at: datetime) -> int:
    return (at - EPOCH) // DAY
