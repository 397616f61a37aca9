"""Evaluates all signs: load, decide, save, tell. One failing sign stops no other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from chengmai.kernel.actors import system
from chengmai.kernel.events import Event, VitalCrossed
from chengmai.kernel.instants import format_us, to_us
from chengmai.kernel.problems import Problem
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity, value_of
from chengmai.vitals.companions import companions_of
from chengmai.vitals.deciding import Decider, Plan, Readout, Seen, location_of
from chengmai.vitals.entities import VALUE_IRI, state_of, vital_id
from chengmai.vitals.foreseeing import Foreseer
from chengmai.vitals.looking import LookBack
from chengmai.vitals.model import Crossing, Failure, Outcome, Quality, Sign, TickReport
from chengmai.vitals.ports import Ports, StandingSigns
from chengmai.vitals.problems import VitalNotFound
from chengmai.vitals.reading import Observed, SignReader
from chengmai.vitals.suspecting import Suspected, is_late, kept_suspicion, news_of
from chengmai.vitals.ticks import tick_before, tick_of

_MANY = 100_000
_EVIDENCE = 12
_OPEN = 2
"""Completed buckets evaluated again beside the running one, for readings that come late."""
_CATCH_UP = timedelta(days=7)
"""The longest gap (the platform was off) that a tick evaluates; what is older takes a backfill."""
_log = structlog.get_logger("chengmai.vitals")


class VitalsService:
    """Keeps the vital signs of a city current."""

    def __init__(
        self,
        ports: Ports,
        signs: Sequence[Sign],
        zone: ZoneInfo,
        *,
        standing: StandingSigns | None = None,
    ) -> None:
        self._ports, self._zone = ports, zone
        self._standing = standing
        self._deciders = {sign.key: Decider(sign, zone) for sign in signs}
        self._reader = SignReader(
            ports.work, ports.model, ports.readings, ports.analysis, zone, signs
        )
        self._looking = LookBack(ports.past, ports.foresight)
        self._placed: dict[str, int] = {}
        self._foreseer = Foreseer(ports, zone)

    async def tick(self, tenant: str) -> TickReport:
        """Return what changed after evaluating all signs over their latest ticks.

        The running bucket and the two before it are evaluated, and whatever was missed since the last
        pass (up to seven days). Each sign is written in one transaction together with its crossings.
        """
        kept = await self._kept(tenant)
        return await self._each(
            tenant,
            lambda decider: self._tick_sign(tenant, decider, kept.get(decider.sign.key, {})),
        )

    async def backfill(self, tenant: str, since: datetime) -> TickReport:
        """Return what was written of the past since an instant: values, and the level at the end.

        No event is told of the past. A level that stands at the end is told by the next `tick`, so that a
        city which starts with something abnormal has its case. Signs in areas that are in the model already
        are left as they are; the same `since` again brings nothing in twice.
        """
        kept = await self._kept(tenant)
        return await self._each(
            tenant,
            lambda decider: self._backfill_sign(
                tenant, decider, kept.get(decider.sign.key, {}), to_us(since)
            ),
        )

    async def forecast(self, tenant: str, *, fits_until_s: float | None = None) -> TickReport:
        """Return which forecasts were made: one for each sign and area with a new completed tick.

        With `fits_until_s`, no further model is fitted after so many seconds: its sign waits for the next call.

        A crossing that the median expects is told once an episode, when the model has skill, the sign opens
        cases on predictions, and its present level lies below.
        """
        kept = await self._kept(tenant)
        began = time.monotonic()

        def may_fit() -> bool:
            return fits_until_s is None or time.monotonic() - began < fits_until_s

        return await self._each(
            tenant,
            lambda decider: self._foreseer.run(
                tenant,
                decider,
                kept.get(decider.sign.key, {}),
                companions_of(decider.sign, self._signs(), kept),
                may_fit=may_fit,
            ),
        )

    async def backtests(self, tenant: str, sign: str | None = None) -> list[Quality]:
        """Return how well each sign can be looked ahead from in each area, fitted to its past as it is now.

        `sign` is `pack/sign` or the name of a sign; None means all. Raises `VitalNotFound` for a sign that
        is not there. Nothing is written.
        """
        chosen = [
            decider.sign
            for key, decider in (await self._current(tenant)).items()
            if sign in (None, key, decider.sign.spec.id)
        ]
        if not chosen:
            raise VitalNotFound(str(sign))
        kept = await self._kept(tenant)
        return [
            Quality(one.key, area, forecast)
            for one in chosen
            for area, forecast in await self._foreseer.backtests(
                tenant, one, kept.get(one.key, {}), companions_of(one, self._signs(), kept)
            )
        ]

    def _signs(self) -> list[Sign]:
        return [decider.sign for decider in self._deciders.values()]

    async def _each(self, tenant: str, run: Callable[[Decider], Awaitable[Outcome]]) -> TickReport:
        changed: list[str] = []
        failures: list[Failure] = []
        crossings = 0
        deciders = await self._current(tenant)
        for key, decider in deciders.items():
            try:
                outcome = await run(decider)
            except Problem as problem:
                _log.warning("sign failed", sign=key, tenant=tenant, detail=problem.detail)
                failures.append(Failure(key, problem.detail))
                continue
            except Exception as error:  # a faulty sign must not take the others with it
                _log.exception("sign failed", sign=key, tenant=tenant)
                failures.append(Failure(key, str(error)))
                continue
            changed += outcome.changed
            crossings += outcome.crossings
        return TickReport(len(deciders) - len(failures), tuple(changed), crossings, tuple(failures))

    async def _current(self, tenant: str) -> dict[str, Decider]:
        """Return what decides each sign now: a city may have given it thresholds of its own."""
        if self._standing is None:
            return self._deciders
        for key, sign in (await self._standing.signs(tenant)).items():
            if self._deciders[key].sign is not sign:
                self._deciders[key] = Decider(sign, self._zone)
        return self._deciders

    async def _kept(self, tenant: str) -> dict[str, dict[str, Entity]]:
        """Return the vital signs of the model by sign and area."""
        found = await self._ports.work.read(
            lambda tx: self._ports.model.find(tx, tenant, "VitalSign", limit=_MANY)
        )
        kept: dict[str, dict[str, Entity]] = {}
        for item in found:
            key = f"{value_of(item, 'pack')}/{value_of(item, 'sign')}"
            kept.setdefault(key, {})[str(value_of(item, "areaServed"))] = item
        return kept

    async def _tick_sign(
        self, tenant: str, decider: Decider, kept: Mapping[str, Entity]
    ) -> Outcome:
        now_us = to_us(self._ports.clock.now())
        observed = await self._observe(tenant, decider.sign, kept, now_us)
        seen = [
            Seen(area, observed.ticks.get(area, ()), observed.newest_of(area), now_us)
            for area in sorted({*kept, *observed.ticks})
        ]
        due = [one for one in seen if decider.is_due(kept.get(one.area), one)]
        places = await self._places(tenant, decider.sign, kept, due, now_us)
        late = [one for one in seen if one not in due and self._turns_late(decider, kept, one)]
        if not due and not late:
            return Outcome()
        looks = await self._look_back(tenant, decider, kept, due)
        faults = await asyncio.to_thread(self._faults, tenant, decider, kept, due)
        return await self._ports.work.write(
            lambda tx: self._write(tx, tenant, decider, [*due, *late], looks, places, faults)
        )

    def _turns_late(self, decider: Decider, kept: Mapping[str, Entity], seen: Seen) -> bool:
        """Return whether all that changes of a sign in an area is that its readings are late, or no longer."""
        item = kept.get(seen.area)
        if item is None or value_of(item, "level") == "unknown":
            return False
        before = kept_suspicion(item)
        late = is_late(decider.sign, seen)
        return before is None if late else before is not None and before.kind == "late"

    def _faults(
        self, tenant: str, decider: Decider, kept: Mapping[str, Entity], due: Sequence[Seen]
    ) -> Mapping[str, dict[str, Any] | None]:
        """Return the verdict over the sensors of each area, judged beside all other areas."""
        spec = decider.sign.spec
        keys = {
            area: f"{tenant} {vital_id(decider.sign, area)}"
            for area in sorted({*kept, *(one.area for one in due)})
        }
        before = {one.area: kept_suspicion(kept.get(one.area)) for one in due}
        return self._ports.foresight.faults(
            keys,
            {area: told.kind if told else None for area, told in before.items()},
            step_s=int(spec.step.total_seconds()),
            one_field=spec.one_field,
        )

    async def _backfill_sign(
        self, tenant: str, decider: Decider, kept: Mapping[str, Entity], since_us: int
    ) -> Outcome:
        sign, now_us = decider.sign, to_us(self._ports.clock.now())
        start = tick_of(since_us, sign.spec.step, self._zone)
        observed = await self._reader.observe(
            tenant,
            sign,
            start_us=start,
            end_us=now_us + 1,
            read_from_us=start - _us(sign.spec.lookback),
        )
        fresh = {area: ticks for area, ticks in observed.ticks.items() if area not in kept}
        await self._ports.past.import_values(
            tenant,
            f"vitals/{sign.key}/{format_us(since_us)}",
            [
                (vital_id(sign, area), VALUE_IRI, tick_us, value, sign.spec.unit)
                for area, ticks in fresh.items()
                for tick_us, value in ticks
            ],
        )
        due = [Seen(area, ticks, observed.newest_of(area), now_us) for area, ticks in fresh.items()]
        if not due:
            return Outcome()
        places = await self._places(tenant, sign, kept, due, now_us)
        looks = await self._look_back(tenant, decider, kept, due)

        def write(tx: Tx) -> Outcome:
            actor = system("vitals", tenant)
            made = [
                decider.first(
                    one, look_back=looks.get(one.area, (None, None)), location=places.get(one.area)
                )
                for one in due
            ]
            for item in made:
                self._ports.model.put(tx, item, by=actor, note="evaluated over the past")
            return Outcome(tuple(item["id"] for item in made))

        return await self._ports.work.write(write)

    async def _observe(
        self, tenant: str, sign: Sign, kept: Mapping[str, Entity], now_us: int
    ) -> Observed:
        spec = sign.spec
        start = tick_before(tick_of(now_us, spec.step, self._zone), spec.step, self._zone, _OPEN)
        seen_last = [state.trail[-1][0] for state in map(state_of, kept.values()) if state.trail]
        if seen_last:
            limit = tick_of(now_us - _us(_CATCH_UP), spec.step, self._zone)
            start = min(start, max(max(seen_last), limit))
        # Silence can only be told from a window as long as the silence that is allowed.
        read_from = min(start - _us(spec.lookback), now_us - _us(spec.stale_after))
        return await self._reader.observe(
            tenant, sign, start_us=start, end_us=now_us + 1, read_from_us=read_from
        )

    async def _places(
        self,
        tenant: str,
        sign: Sign,
        kept: Mapping[str, Entity],
        due: Sequence[Seen],
        now_us: int,
    ) -> Mapping[str, dict[str, Any]]:
        """Return where areas lie that have no place yet; asked at most once a step and sign."""
        lost = [one for one in due if location_of(kept.get(one.area)) is None]
        asked = self._placed.get(f"{tenant} {sign.key}")
        if not lost or (asked is not None and now_us - asked < _us(sign.spec.step)):
            return {}
        self._placed[f"{tenant} {sign.key}"] = now_us
        return await self._reader.places(tenant, sign)

    async def _look_back(
        self, tenant: str, decider: Decider, kept: Mapping[str, Entity], due: Sequence[Seen]
    ) -> dict[str, Readout]:
        """Return baseline and anomaly of the areas whose last tick is new or has a new value."""
        return await self._ports.work.read(
            lambda tx: self._looking.of(tx, tenant, decider, kept, due)
        )

    def _write(
        self,
        tx: Tx,
        tenant: str,
        decider: Decider,
        due: Sequence[Seen],
        looks: Mapping[str, Readout],
        places: Mapping[str, dict[str, Any]],
        faults: Mapping[str, dict[str, Any] | None],
    ) -> Outcome:
        changed, news = [], 0
        actor = system("vitals", tenant)
        for one in due:
            kept = self._ports.model.get(tx, tenant, vital_id(decider.sign, one.area))
            plan = decider.plan(
                kept,
                one,
                look_back=looks.get(one.area, (None, None)),
                location=location_of(kept) or places.get(one.area),
            )
            suspected = Suspected.of(decider.sign, kept, one, plan, faults.get(one.area))
            if plan is None and not suspected.is_news:
                continue
            item = plan.entity if plan else {"id": kept["id"], "type": kept["type"]} if kept else {}
            item |= suspected.attribute(one)
            self._ports.model.put(
                tx, item, by=actor, note=plan.because.en if plan else "readings late"
            )
            if plan is not None and plan.earlier:
                self._ports.past.record(tx, tenant, item["id"], plan.earlier)
            changed.append(item["id"])
            for event in self._news(tx, tenant, decider, one, plan, suspected):
                self._ports.events.emit(tx, event)
                news += isinstance(event, VitalCrossed)
        return Outcome(tuple(changed), news)

    def _news(
        self,
        tx: Tx,
        tenant: str,
        decider: Decider,
        seen: Seen,
        plan: Plan | None,
        suspected: Suspected,
    ) -> Iterator[Event]:
        place = plan.location if plan else None
        yield from news_of(tenant, decider.sign, seen, suspected.before, suspected.now, place)
        if plan is None:
            return
        if plan.crossing is None and suspected.is_cleared and plan.level != "unknown":
            # What crossed meanwhile was told as the sensor's: now it is told as what it is.
            plan = replace(plan, crossing=Crossing("unknown", plan.level))
        if decider.is_news(plan):
            evidence = self._evidence(tx, tenant, decider, seen)
            yield replace(decider.event(tenant, seen, plan, evidence), fault=suspected.doubt)

    def _evidence(
        self, tx: Tx, tenant: str, decider: Decider, seen: Seen
    ) -> Sequence[tuple[int, float]]:
        """Return the last values of the sign; what this transaction wrote may not be readable yet."""
        spec = decider.sign.spec
        until = seen.now_us + 1
        since = until - (_EVIDENCE + 2) * _us(spec.step)
        before = self._ports.past.numbers(
            tx, tenant, vital_id(decider.sign, seen.area), VALUE_IRI, since, until
        )
        return sorted({**dict(before), **dict(seen.ticks)}.items())[-_EVIDENCE:]


def _us(length: timedelta) -> int:
    return length // timedelta(microseconds=1)
