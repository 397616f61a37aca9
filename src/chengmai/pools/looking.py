"""Looks at a pool: how its members were used, what is expected of them, and what comes of that."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from chengmai.kernel.instants import parse_us, to_us
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity, value_of
from chengmai.pools.entities import name_of
from chengmai.pools.model import Ahead, Hour, Look, Member, Outlook, Pool
from chengmai.pools.planning import plan
from chengmai.pools.ports import Points, Ports
from chengmai.pools.rules import WEEKS, total_of, usual_at
from chengmai.pools.telling import Teller

_MOST_MEMBERS = 500
_HORIZON = 24
_BASELINE = Text(
    zh="往周同一时刻的中位数与 10%–90% 分位。",
    en="Median and 10 to 90 % quantiles of the same hour of earlier weeks.",
)
_UNKNOWN = Text(
    zh="历史太短，既没有预测也没有基线。",
    en="The past is too short for a forecast and for a baseline.",
)


@dataclass(frozen=True)
class _Read:
    about: Mapping[str, Entity]
    rows: Any


class Looker:
    """Looks at pools; keeps the last look at each, which holds until the next step is whole."""

    def __init__(self, ports: Ports, zone: ZoneInfo, *, time_limit_s: float) -> None:
        self._ports, self._zone, self._time_limit_s = ports, zone, time_limit_s
        self._last: dict[str, Look] = {}

    def end_of_step(self, pool: Pool) -> int:
        """Return the end of the last whole step in µs."""
        now_us = to_us(self._ports.clock.now())
        return now_us - now_us % pool.step_us

    def last(self, tenant: str, pool: Pool) -> Look | None:
        """Return the last look at a pool, or None before the first."""
        return self._last.get(f"{tenant} {pool.key}")

    async def look(self, tenant: str, pool: Pool, *, fresh: bool = False) -> Look:
        """Return the look at a pool as of its last whole step; `fresh` reads again what may have "
        "come late."""
        at_us, key = self.end_of_step(pool), f"{tenant} {pool.key}"
        last = self._last.get(key)
        if last is not None and last.at_us == at_us and not fresh:
            return last
        start_us = at_us - self._span_us(pool)
        read = await self._ports.work.read(lambda tx: self._read(tx, tenant, pool, start_us, at_us))
        look = await asyncio.to_thread(self._compute, tenant, pool, read, start_us, at_us)
        self._last[key] = look
        return look

    def _span_us(self, pool: Pool) -> int:
        step_s, season_s = _lengths(pool)
        weeks = (WEEKS + 1) * season_s
        return 1_000_000 * max(self._ports.foresight.span_s(step_s, season_s), weeks)

    def _read(self, tx: Tx, tenant: str, pool: Pool, start_us: int, end_us: int) -> _Read:
        found = self._ports.model.find(tx, tenant, pool.spec.entity, limit=_MOST_MEMBERS)
        about = {one["id"]: one for one in found if _belongs(one, pool)}
        return _Read(about, self._ports.uses.read(tx, tenant, pool, start_us, end_us))

    def _compute(self, tenant: str, pool: Pool, read: _Read, start_us: int, at_us: int) -> Look:
        hours = self._ports.uses.measure(pool, read.rows, start_us, at_us)
        members = tuple(
            _member(pool, about, hours.get(name, {})) for name, about in sorted(read.about.items())
        )
        series = {m.id: {t: h.demand for t, h in m.hours.items()} for m in members if m.hours}
        series[""] = total_of([m for m in members if m.hours])
        outlooks = self._outlooks(tenant, pool, series, at_us)
        planned = plan(
            pool,
            members,
            outlooks,
            at_us=at_us,
            tenant=tenant,
            teller=Teller(pool.spec, self._zone),
            time_limit_s=self._time_limit_s,
        )
        look = Look(pool, at_us, members, outlooks)
        return replace(look, why=planned.why, sentence=planned.sentence, plan=planned.suggestion)

    def _outlooks(
        self, tenant: str, pool: Pool, series: Mapping[str, Mapping[int, float]], at_us: int
    ) -> dict[str, Outlook]:
        points: dict[str, Points] = {
            name: sorted(values.items()) for name, values in series.items() if values
        }
        if not points:
            return {}
        step_s, season_s = _lengths(pool)
        horizon = max(_HORIZON, pool.window + 4)
        made = self._ports.foresight.forecasts(
            f"pool {tenant} {pool.key}", points, step_s=step_s, season_s=season_s, horizon=horizon
        )
        wanted = [at_us + n * pool.step_us for n in range(max(_HORIZON, pool.window + 1))]
        return {
            name: outlook_of(pool, series[name], made[name], wanted, at_us)
            for name in points
            if name in made
        }


def outlook_of(
    pool: Pool,
    values: Mapping[int, float],
    forecast: Mapping[str, Any],
    wanted: Sequence[int],
    before_us: int,
) -> Outlook:
    """Return what is expected at the ticks `wanted`: the forecast where it has skill, else the baseline."""
    because = Text(**forecast["because"])
    points = {parse_us(point["at"]): point for point in forecast["points"]}
    if forecast["shown"]:
        steps = tuple(
            Ahead(
                tick,
                points[tick]["low"],
                points[tick]["median"],
                points[tick]["high"],
                points[tick]["naive"],
            )
            for tick in wanted
            if tick in points
        )
        return Outlook("forecast", steps, because, forecast["model"], forecast["backtest"])
    season_us = int(pool.spec.season.total_seconds() * 1_000_000)
    usual = {
        tick: usual_at(values, tick, season_us=season_us, step_us=pool.step_us, before_us=before_us)
        for tick in wanted
    }
    steps = tuple(
        Ahead(tick, one.low, one.mid, one.high, points.get(tick, {}).get("naive"))
        for tick, one in usual.items()
        if one is not None
    )
    if not steps:
        return Outlook(
            "unknown", (), Text(zh=because.zh + _UNKNOWN.zh, en=f"{because.en} {_UNKNOWN.en}")
        )
    told = Text(zh=because.zh + _BASELINE.zh, en=f"{because.en} {_BASELINE.en}")
    return Outlook("baseline", steps, told, "baseline", forecast["backtest"])


def _lengths(pool: Pool) -> tuple[int, int]:
    return int(pool.spec.step.total_seconds()), int(pool.spec.season.total_seconds())


def _belongs(found: Entity, pool: Pool) -> bool:
    return not pool.spec.areas or value_of(found, pool.entity.area_from) in pool.spec.areas


def _member(pool: Pool, about: Entity, hours: Mapping[int, Hour]) -> Member:
    place = value_of(about, "location")
    point = (
        place.get("coordinates")
        if isinstance(place, dict) and place.get("type") == "Point"
        else None
    )
    return Member(
        id=about["id"],
        name=name_of(about),
        area=str(value_of(about, pool.entity.area_from) or ""),
        place=(float(point[0]), float(point[1])) if point else None,
        hours=dict(sorted(hours.items())),
    )
