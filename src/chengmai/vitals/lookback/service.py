"""Looks back on one sign in one area: against another period, against its like, and at what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from statistics import fmean
from zoneinfo import ZoneInfo

from chengmai.kernel.instants import from_us, to_us
from chengmai.kernel.problems import Problem
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity, name_iri, value_of
from chengmai.vitals.entities import VALUE_IRI
from chengmai.vitals.lookback import marks
from chengmai.vitals.lookback.days import Day, DayKinds, Days
from chengmai.vitals.lookback.exchange import EntityExplainer, Stretch, read_from
from chengmai.vitals.lookback.explaining import Amount, Explanation, explain_mean, explain_sum
from chengmai.vitals.lookback.likeness import Likeness, Weather, WeatherAt, compare
from chengmai.vitals.lookback.periods import Period, Versus, as_long_as, compared, until
from chengmai.vitals.lookback.ports import Happened, RainGauge
from chengmai.vitals.lookback.shape import Shape, shape_of
from chengmai.vitals.model import Sign
from chengmai.vitals.ports import Points, Ports, StandingSigns
from chengmai.vitals.problems import VitalNotFound
from chengmai.vitals.reading import SignReader
from chengmai.vitals.ticks import DAY, tick_after

_MANY = 100_000
_LIKE_BEFORE = timedelta(weeks=8)
"""How far back the like of a period is looked for, and as far around the same days a year earlier."""
_AROUND = timedelta(weeks=3)
_LONGEST_PARTS = 31
_LONGEST_EXCHANGE = 7
"""Days of readings that are explained by entity: exactly, and by exchange (which evaluates two dozen times)."""
_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_TOO_LONG = Text(
    zh="所选时段长于 {days} 天，不逐实体分解；请选更短的时段。",
    en="The period is longer than {days} days, too long to be explained by entity; choose a shorter one.",
)
_NO_READINGS = Text(
    zh="两个时段之一没有可用的读数，无法逐实体分解。",
    en="One of the two periods has no readings to explain by entity.",
)
_FAILED = Text(zh="无法逐实体分解：{why}", en="It cannot be explained by entity: {why}")


@dataclass(frozen=True)
class Side:
    """One of the two periods: its values, and their mean."""

    period: Period
    points: Points
    mean: float | None


@dataclass(frozen=True)
class Causes:
    """What explains the change, by hour of the day (weekday for daily signs), by area, and by entity.

    `no_entities` says why there is no explanation by entity where there is none.
    """

    by_hour: Explanation | None = None
    by_area: Explanation | None = None
    by_entity: Explanation | None = None
    no_entities: Text | None = None


@dataclass(frozen=True)
class Review:
    """A sign of an area in a period, looked back on."""

    sign: Sign
    area: str
    now: Side
    before: Side
    causes: Causes
    likeness: Likeness
    marks: tuple[marks.Mark, ...]
    days: tuple[Day, ...]
    """The days of the period that are not ordinary: holidays, days made up, days nobody announced."""


class LookBack:
    """Looks back on signs. Reads only."""

    def __init__(
        self,
        ports: Ports,
        standing: StandingSigns,
        happened: Happened,
        days: Days,
        zone: ZoneInfo,
        gauge: RainGauge | None = None,
        feeds: Mapping[str, str] | None = None,
    ) -> None:
        """Take, beside the ports, the calendar, where rain is measured, and the type each feed brings."""
        self._ports, self._standing, self._happened = ports, standing, happened
        self._kinds, self._zone, self._gauge = DayKinds(days, zone), zone, gauge
        self._feeds = dict(feeds or {})
        self._reader = SignReader(ports.work, ports.model, ports.readings, ports.analysis, zone)
        self._explainer = EntityExplainer(ports.analysis, zone)
        self._shapes: dict[str, Shape] = {}

    async def review(
        self,
        tenant: str,
        vital_id: str,
        period: Period,
        versus: Versus,
        *,
        entities: bool = True,
        brief: bool = False,
    ) -> Review:
        """Return what is to be said of a sign in a period; raises `VitalNotFound`.

        A period that is not over is compared with as many days of the other. Without `entities` the readings
        behind the sign are not looked at; a `brief` review looks at them only where that takes no exchange, and
        says nothing of what happened.
        """
        now = self._ports.clock.now()
        period = until(period, now)
        other = as_long_as(compared(period, versus), period)
        end_us = min(period.end_us, to_us(now) + 1)
        shift_us = period.start_us - other.start_us

        def read(tx: Tx) -> tuple[Sign, str, int, dict[str, Points], dict[str, Points], Points]:
            sign, area, ids = self._whereabouts(tx, tenant, vital_id)
            own = self._points(tx, tenant, vital_id, period.start_us, end_us)
            # Both sides reach equally far: to the end of the last tick that there is.
            end = min(end_us, tick_after(own[-1][0], sign.spec.step, self._zone)) if own else end_us
            new = self._by_area(tx, tenant, ids, period.start_us, end)
            old = self._by_area(tx, tenant, ids, other.start_us, end - shift_us)
            return sign, area, end, new, old, self._like(tx, tenant, vital_id, period)

        sign, area, end_us, new, old, like = await self._ports.work.read(read)
        weather = await self._weather(tenant, area, like, new[area])
        causes = self._causes(sign, area, new, old)
        if entities and not (brief and self._shape(sign).kind == "formula"):
            causes = await self._with_entities(
                tenant,
                sign,
                area,
                causes,
                ((other.start_us, end_us - shift_us), (period.start_us, end_us)),
            )
        return Review(
            sign,
            area,
            Side(period, new[area], _mean(new[area])),
            Side(other, old[area], _mean(old[area])),
            causes,
            compare(new[area], like, self._kinds, self._zone, weather),
            () if brief else await self._marks(tenant, sign, area, vital_id, new[area], period),
            self._odd_days(period),
        )

    def _whereabouts(self, tx: Tx, tenant: str, vital_id: str) -> tuple[Sign, str, dict[str, str]]:
        """Return sign and area of a vital sign, and the ids of that sign in all its areas."""
        found = self._ports.model.get(tx, tenant, vital_id)
        signs = self._standing.signs_in(tx, tenant)
        sign = signs.get(_key_of(found)) if found is not None else None
        if found is None or sign is None:
            raise VitalNotFound(vital_id)
        ids = {
            str(value_of(one, "areaServed")): one["id"]
            for one in self._ports.model.find(tx, tenant, "VitalSign", limit=_MANY)
            if _key_of(one) == sign.key
        }
        return sign, str(value_of(found, "areaServed")), ids

    def _points(self, tx: Tx, tenant: str, vital_id: str, start_us: int, end_us: int) -> Points:
        return self._ports.past.numbers(tx, tenant, vital_id, VALUE_IRI, start_us, end_us)

    def _by_area(
        self, tx: Tx, tenant: str, ids: Mapping[str, str], start_us: int, end_us: int
    ) -> dict[str, Points]:
        found = self._ports.past.numbers_of(
            tx, tenant, list(ids.values()), VALUE_IRI, start_us, end_us
        )
        return {area: found.get(vital_id, []) for area, vital_id in ids.items()}

    def _like(self, tx: Tx, tenant: str, vital_id: str, period: Period) -> Points:
        """Return the past that the like is looked for in: some weeks before, and a year earlier."""
        back = _LIKE_BEFORE // timedelta(microseconds=1)
        around = _AROUND // timedelta(microseconds=1)
        year = timedelta(days=364) // timedelta(microseconds=1)
        early = self._points(
            tx,
            tenant,
            vital_id,
            period.start_us - year - around,
            min(period.end_us - year + around, period.start_us - back),
        )
        late = self._points(tx, tenant, vital_id, period.start_us - back, period.start_us)
        return [*early, *late]

    def _causes(
        self, sign: Sign, area: str, new: Mapping[str, Points], old: Mapping[str, Points]
    ) -> Causes:
        """Return what the values themselves explain."""
        name = self._weekday if sign.spec.step >= DAY else self._hour
        by_hour = explain_mean(_amounts(old[area], name), _amounts(new[area], name))
        by_area = None
        if len(new) > 1:
            if self._shape(sign).kind == "sum":
                by_area = explain_sum(_means(old), _means(new))
            else:
                by_area = explain_mean(_per_area(old), _per_area(new))
        return Causes(by_hour, by_area)

    async def _with_entities(
        self,
        tenant: str,
        sign: Sign,
        area: str,
        causes: Causes,
        spans: tuple[tuple[int, int], tuple[int, int]],
    ) -> Causes:
        """Return the causes with those by entity between two spans of time, or why there are none."""
        shape = self._shape(sign)
        longest = _LONGEST_PARTS if shape.kind != "formula" else _LONGEST_EXCHANGE
        if max(end - start for start, end in spans) > longest * _DAY_US:
            return replace(causes, no_entities=_TOO_LONG.format(days=longest))
        try:
            old, new = [
                Stretch(
                    start, end, await self._reader.views(tenant, sign, read_from(sign, start), end)
                )
                for start, end in spans
            ]
            if shape.kind != "formula":
                found = await asyncio.to_thread(
                    self._explainer.by_parts, sign, shape, area, old, new
                )
            else:
                found = await asyncio.to_thread(self._explainer.by_exchange, sign, area, old, new)
        except Problem as problem:
            return replace(causes, no_entities=_FAILED.format(why=problem.detail))
        if found is None:
            return replace(causes, no_entities=_NO_READINGS)
        return replace(causes, by_entity=found)

    async def _weather(self, tenant: str, area: str, like: Points, now: Points) -> WeatherAt | None:
        """Return the weather by hour, None where none was measured in the area in that time."""
        gauge, points = self._gauge, [*like, *now]
        if gauge is None or not points:
            return None
        start, end = min(at for at, _ in points), max(at for at, _ in points) + _HOUR_US
        rows = await self._ports.work.read(
            lambda tx: self._ports.readings.columns(
                tx, tenant, gauge.entity_type, [gauge.attribute], gauge.area_from, start, end
            )
        )
        rain: dict[int, float] = {}
        everywhere = area not in rows.areas
        for entity, at_us, value in zip(
            rows.entity.tolist(), rows.at_us.tolist(), rows.value.tolist(), strict=True
        ):
            if everywhere or rows.areas[entity] == area:
                hour = at_us // _HOUR_US
                rain[hour] = max(value, rain.get(hour, 0.0))
        if not rain:
            return None

        def at(at_us: int) -> Weather | None:
            fallen = rain.get(at_us // _HOUR_US)
            return None if fallen is None else "wet" if fallen >= gauge.wet_from else "dry"

        return at

    async def _marks(
        self,
        tenant: str,
        sign: Sign,
        area: str,
        vital_id: str,
        points: Points,
        period: Period,
    ) -> tuple[marks.Mark, ...]:
        """Return what happened in the period: cases, incidents, silence, thresholds, notes."""
        types = {source.entity_type for source in sign.sources}

        def read(tx: Tx) -> list[marks.Mark]:
            find = self._ports.model.find
            found = marks.of_cases(find(tx, tenant, "CityCase", limit=_MANY), vital_id)
            incidents = find(tx, tenant, "Incident", limit=_MANY)
            found += marks.of_incidents(incidents, vital_id, area)
            found += marks.of_notes(find(tx, tenant, "VitalNote", limit=_MANY), vital_id)
            for feed in find(tx, tenant, "DataFeed", limit=_MANY):
                if self._feeds.get(feed["id"]) in types:
                    states = self._happened.texts(
                        tx,
                        tenant,
                        feed["id"],
                        name_iri("feedState"),
                        period.start_us,
                        period.end_us,
                    )
                    found += marks.of_feed(feed, [(from_us(us), text) for us, text in states])
            return found

        found = await self._ports.work.read(read)
        found += marks.of_gaps(points, sign.spec)
        found += marks.of_thresholds(sign.spec, period.start, self._midnight)
        return marks.within(found, period.start, period.end)

    def _odd_days(self, period: Period) -> tuple[Day, ...]:
        every = (self._kinds(period.first + n * DAY) for n in range(period.days))
        return tuple(
            day for day in every if day.kind == "holiday" or day.is_made_up or not day.is_known
        )

    def _shape(self, sign: Sign) -> Shape:
        shape = self._shapes.get(sign.key)
        if shape is None:
            shape = self._shapes[sign.key] = shape_of(sign.checked)
        return shape

    def _hour(self, at_us: int) -> str:
        return f"{from_us(at_us).astimezone(self._zone):%H}"

    def _weekday(self, at_us: int) -> str:
        return f"{from_us(at_us).astimezone(self._zone):%u}"

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone).astimezone(UTC)


def _key_of(found: Entity) -> str:
    return f"{value_of(found, 'pack')}/{value_of(found, 'sign')}"


def _mean(points: Points) -> float | None:
    return fmean(value for _, value in points) if points else None


def _amounts(points: Points, name: Callable[[int], str]) -> dict[str, Amount]:
    made: dict[str, Amount] = {}
    for at_us, value in points:
        sofar = made.get(name(at_us), Amount(0.0, 0.0))
        made[name(at_us)] = Amount(sofar.total + value, sofar.weight + 1)
    return made


def _per_area(areas: Mapping[str, Points]) -> dict[str, Amount]:
    return {
        area: Amount(sum(value for _, value in points), float(len(points)))
        for area, points in areas.items()
        if points
    }


def _means(areas: Mapping[str, Points]) -> dict[str, float]:
    return {area: fmean(v for _, v in points) for area, points in areas.items() if points}
