"""Looks ahead: a forecast for every sign with a new completed tick, and the crossings it expects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from chengmai.kernel.actors import system
from chengmai.kernel.events import VitalCrossed
from chengmai.kernel.instants import from_us, parse_us, to_us
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity, instances, name_iri, opaque, rel
from chengmai.packs.model import Band
from chengmai.vitals.bands import bands_at, level_of
from chengmai.vitals.companions import Companions
from chengmai.vitals.deciding import Decider, evidence_of, location_of
from chengmai.vitals.entities import (
    VALUE_IRI,
    forecast_entity,
    forecast_id,
    state_json,
    state_of,
    vital_id,
)
from chengmai.vitals.model import LEVEL_RANK, Level, Outcome, Sign, State
from chengmai.vitals.ports import Points, Ports
from chengmai.vitals.rules import foresee
from chengmai.vitals.ticks import tick_after
from chengmai.vitals.words import foretold, symbol_of

_EVIDENCE = 12
_log = structlog.get_logger("chengmai.vitals")
_HORIZON = 24


@dataclass(frozen=True)
class Expected:
    """A point ahead at which the median lies beyond a band."""

    level: Level
    band: Band
    at_us: int
    value: float


@dataclass(frozen=True)
class _Made:
    area: str
    past: Points
    forecast: dict[str, Any]


class Foreseer:
    """Makes and keeps forecasts; remembers which origin it has looked ahead from."""

    def __init__(self, ports: Ports, zone: ZoneInfo) -> None:
        self._ports, self._zone = ports, zone
        self._origins: dict[str, int] = {}
        self._stored: dict[str, int | None] = {}

    async def run(
        self,
        tenant: str,
        decider: Decider,
        kept: Mapping[str, Entity],
        companions: Companions,
        *,
        may_fit: Callable[[], bool] = lambda: True,
    ) -> Outcome:
        """Return what was foreseen for one sign in the areas that have a new completed tick.

        The past of its other areas is looked at too, and of its companions: they learn from each other. Where
        models are due to be fitted and `may_fit` says no, nothing is done, and the next pass asks again.
        """
        now_us = to_us(self._ports.clock.now())
        due = self._due(tenant, decider.sign, kept, now_us)
        if not due:
            return Outcome()
        last_us, key = max(due.values()), _group(tenant, decider.sign)
        await self._recall(tenant, decider.sign)
        wanted = self._ports.foresight.wants_beside(key, last_us)
        fits = self._ports.foresight.is_fit_due(key, last_us)
        if fits and not may_fit():
            return Outcome()
        reach = (last_us, self._span_us(decider.sign, fits=fits))
        pasts, beside = await self._ports.work.read(
            lambda tx: self._pasts(
                tx, tenant, decider.sign, kept, reach, companions if wanted else {}
            )
        )
        ahead = await asyncio.to_thread(
            self._compute, tenant, decider.sign, pasts, beside if wanted else None
        )
        made = [one for one in ahead if one.area in due]
        outcome = await self._ports.work.write(lambda tx: self._write(tx, tenant, decider, made))
        await self._keep_models(tenant, decider.sign)
        for area, tick_us in due.items():
            self._origins[f"{tenant} {vital_id(decider.sign, area)}"] = tick_us
        return outcome

    async def backtests(
        self, tenant: str, sign: Sign, kept: Mapping[str, Entity], companions: Companions
    ) -> list[tuple[str, dict[str, Any]]]:
        """Return (area, forecast with its back-test) of a sign in its areas, fitted to its past as it is now.

        Nothing is kept and nothing is written.
        """
        reach = (to_us(self._ports.clock.now()), self._span_us(sign, fits=True))
        pasts, beside = await self._ports.work.read(
            lambda tx: self._pasts(tx, tenant, sign, kept, reach, companions)
        )
        step_s, season_s = _lengths(sign)
        found = await asyncio.to_thread(
            self._ports.foresight.judge,
            pasts,
            step_s=step_s,
            season_s=season_s,
            horizon=_HORIZON,
            beside=beside,
        )
        return sorted(found.items())

    def _due(
        self, tenant: str, sign: Sign, kept: Mapping[str, Entity], now_us: int
    ) -> dict[str, int]:
        """Return the last completed tick of each area that has not been looked ahead from."""
        due = {}
        for area, item in kept.items():
            ticks = [
                tick_us
                for tick_us, _ in state_of(item).trail
                if tick_after(tick_us, sign.spec.step, self._zone) <= now_us
            ]
            if ticks and self._origins.get(f"{tenant} {vital_id(sign, area)}") != ticks[-1]:
                due[area] = ticks[-1]
        return due

    def _pasts(
        self,
        tx: Tx,
        tenant: str,
        sign: Sign,
        areas: Iterable[str],
        reach: tuple[int, int],
        companions: Companions,
    ) -> tuple[dict[str, Points], dict[str, dict[str, Points]]]:
        """Return the past of a sign by area, and that of its companions by their key and area.

        `reach` is the last tick and how far before it the past is read.
        """
        tick_us, span_us = reach
        vitals = {area: vital_id(sign, area) for area in sorted(areas)}
        every = [*vitals.values(), *(v for some in companions.values() for v in some.values())]
        found = self._ports.past.numbers_of(
            tx, tenant, every, VALUE_IRI, tick_us - span_us, tick_us + 1
        )
        beside = {
            key: {area: found.get(vital, ()) for area, vital in some.items()}
            for key, some in companions.items()
        }
        return {area: found.get(vital, ()) for area, vital in vitals.items()}, beside

    def _span_us(self, sign: Sign, *, fits: bool) -> int:
        foresight = self._ports.foresight
        span = foresight.fit_span_s if fits else foresight.span_s
        return 1_000_000 * span(*_lengths(sign))

    async def _recall(self, tenant: str, sign: Sign) -> None:
        """Take the fitted models of a sign from the store, once after a start."""
        key = _group(tenant, sign)
        if key in self._stored:
            return
        state = await self._ports.work.read(lambda tx: self._ports.models.load(tx, tenant, key))
        if state is not None and not self._ports.foresight.restore_model(key, state):
            _log.info("stored model left aside", sign=sign.key, tenant=tenant)
        self._stored[key] = self._ports.foresight.trained_us(key)

    async def _keep_models(self, tenant: str, sign: Sign) -> None:
        """Store the models of a sign when they were fitted since."""
        key, foresight = _group(tenant, sign), self._ports.foresight
        trained_us, state = foresight.trained_us(key), foresight.model_state(key)
        if trained_us is None or state is None or self._stored.get(key) == trained_us:
            return
        await self._ports.work.write(
            lambda tx: self._ports.models.save(tx, tenant, key, state, trained_us=trained_us)
        )
        self._stored[key] = trained_us

    def _compute(
        self,
        tenant: str,
        sign: Sign,
        pasts: Mapping[str, Points],
        beside: Mapping[str, Mapping[str, Points]] | None,
    ) -> list[_Made]:
        step_s, season_s = _lengths(sign)
        ahead = self._ports.foresight.forecasts(
            _group(tenant, sign),
            pasts,
            step_s=step_s,
            season_s=season_s,
            horizon=_HORIZON,
            beside=beside,
        )
        return [_Made(area, pasts[area], forecast) for area, forecast in ahead.items()]

    def _write(self, tx: Tx, tenant: str, decider: Decider, made: Sequence[_Made]) -> Outcome:
        sign, actor = decider.sign, system("vitals", tenant)
        changed, news = [], 0
        for one in made:
            kept = self._ports.model.get(tx, tenant, vital_id(sign, one.area))
            if kept is None:
                continue
            ahead = expectations(sign, one.forecast, self._zone)
            item = forecast_entity(sign, one.area, one.forecast, _worst(one.forecast, ahead))
            self._ports.model.put(tx, item, by=actor)
            changed.append(item["id"])
            state = state_of(kept)
            due = _due_crossing(sign, state, ahead)
            memory, is_news = foresee(state.prediction, expected=due is not None)
            self._remember(
                tx, tenant, forecast_id(sign, one.area), kept, replace(state, prediction=memory)
            )
            if due is not None and is_news:
                self._ports.events.emit(tx, self._event(tx, tenant, sign, one, kept, due))
                news += 1
        return Outcome(tuple(changed), news)

    def _remember(self, tx: Tx, tenant: str, forecast: str, kept: Entity, state: State) -> None:
        item: Entity = {"id": kept["id"], "type": kept["type"]}
        if not instances(kept, "refForecast"):
            item[name_iri("refForecast")] = [rel(forecast)]
        if state != state_of(kept):
            item[name_iri("evaluation")] = [opaque(state_json(state))]
        if len(item) > 2:
            self._ports.model.put(tx, item, by=system("vitals", tenant))

    def _event(
        self, tx: Tx, tenant: str, sign: Sign, made: _Made, kept: Entity, due: Expected
    ) -> VitalCrossed:
        spec = sign.spec
        return VitalCrossed(
            tenant=tenant,
            at=tx.now,
            kind="predicted",
            vital_id=kept["id"],
            sign=spec.id,
            pack=sign.pack,
            area=made.area,
            level=due.level,
            previous_level=state_of(kept).told,
            value=due.value,
            unit=symbol_of(spec),
            title=spec.title,
            reason=foretold(spec, due.band, due.at_us, due.value, self._zone),
            category=spec.opens.category if spec.opens else None,
            location=location_of(kept),
            expected_at=from_us(due.at_us),
            evidence=evidence_of(made.past[-_EVIDENCE:]),
        )


def expectations(sign: Sign, forecast: Mapping[str, Any], zone: ZoneInfo) -> list[Expected]:
    """Return the points at which the median lies beyond a band in force then; none without skill."""
    if not forecast["shown"]:
        return []
    found = []
    for point in forecast["points"]:
        at_us = parse_us(point["at"])
        verdict = level_of(point["median"], bands_at(sign.spec.bands, at_us, zone))
        if verdict.band is not None:
            found.append(Expected(verdict.level, verdict.band, at_us, point["median"]))
    return found


def _worst(
    forecast: Mapping[str, Any], ahead: Sequence[Expected]
) -> tuple[Level, int | None] | None:
    """Return the worst level ahead and when it is reached first; None when nothing may be said."""
    if not forecast["shown"]:
        return None
    worst = max(ahead, key=lambda point: (LEVEL_RANK[point.level], -point.at_us), default=None)
    return ("normal", None) if worst is None else (worst.level, worst.at_us)


def _due_crossing(sign: Sign, state: State, ahead: Sequence[Expected]) -> Expected | None:
    """Return the first crossing that would open a case, None when it is there already or not expected."""
    opens = sign.spec.opens
    if opens is None or not opens.predicted or state.told == "unknown":
        return None
    if LEVEL_RANK[state.told] >= LEVEL_RANK[opens.at]:
        return None
    return next((p for p in ahead if LEVEL_RANK[p.level] >= LEVEL_RANK[opens.at]), None)


def _lengths(sign: Sign) -> tuple[int, int]:
    return int(sign.spec.step.total_seconds()), int(sign.spec.season.total_seconds())


def _group(tenant: str, sign: Sign) -> str:
    """Return the key of the group of series that a sign is in its areas."""
    return f"{tenant} {sign.key}"
