"""How good the forecasts of a city have been: those that were stored, against what really happened."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from chengmai.forecast.record import Record, record_of
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import to_us
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Entity, Instance, name_iri, value_of
from chengmai.ngsild.model import Model

LOOKED_AT = timedelta(days=30)
_MANY = 100_000
_AHEAD = timedelta(days=2)
"""How much longer the values are read than the forecasts: the last of them reach into the present."""
_VALUE = name_iri("currentValue")
_FORECAST = name_iri("forecast")


class StoredPast(Protocol):
    """Port: what was stored of an entity over time."""

    def instances_of(
        self, tx: Any, tenant: str, entity_id: str, attribute: str, start_us: int, end_us: int
    ) -> Sequence[Instance]:
        """Return the instances of one attribute that were recorded in [start, end), in order."""
        ...

    def numbers(
        self, tx: Any, tenant: str, entity_id: str, attribute: str, start_us: int, end_us: int
    ) -> Sequence[tuple[int, float]]:
        """Return (instant in µs, value) observed in [start, end), in order."""
        ...


@dataclass(frozen=True)
class Standing:
    """A sign of an area: its forecast as it is, and what the forecasts before it have been worth.

    `latest` is the stored forecast with its back-test, None when none was made yet.
    """

    vital: str
    pack: str
    sign: str
    area: str
    latest: Mapping[str, Any] | None
    record: Record | None = None


class ForecastQuality:
    """Judges stored forecasts. Reads only; what was judged is kept until a newer forecast is stored."""

    def __init__(self, work: Work[Tx], model: Model, past: StoredPast, clock: Clock) -> None:
        self._work, self._model, self._past, self._clock = work, model, past, clock
        self._kept: dict[tuple[str, str], tuple[str, Record]] = {}

    async def standings(
        self,
        tenant: str,
        *,
        pack: str | None = None,
        sign: str | None = None,
        judge: bool = True,
        since: datetime | None = None,
    ) -> list[Standing]:
        """Return every sign and area (of a pack, of a sign) with its forecast; with `judge` also its record.

        The record is over the last thirty days, or since an instant.
        """

        def wanted(item: Entity) -> bool:
            return (pack is None or value_of(item, "pack") == pack) and (
                sign is None or value_of(item, "sign") == sign
            )

        def read(tx: Tx) -> list[Standing]:
            forecasts = {f["id"]: f for f in self._model.find(tx, tenant, "Forecast", limit=_MANY)}
            vitals = self._model.find(tx, tenant, "VitalSign", limit=_MANY)
            return [_standing(item, forecasts) for item in vitals if wanted(item)]

        found = await self._work.read(read)
        if judge:
            found = [await self._judged(tenant, one, since) for one in found]
        return sorted(found, key=lambda one: (one.pack, one.sign, one.area))

    async def _judged(self, tenant: str, one: Standing, since: datetime | None) -> Standing:
        if one.latest is None:
            return one
        key = (tenant, one.vital)
        stamp = f"{one.latest['origin']} {since}"
        kept = self._kept.get(key)
        if kept is None or kept[0] != stamp:
            start = since or self._clock.now() - LOOKED_AT
            record = await self._work.read(lambda tx: self._judge(tx, tenant, one.vital, start))
            kept = self._kept[key] = (stamp, record)
            await asyncio.sleep(0)
        return Standing(one.vital, one.pack, one.sign, one.area, one.latest, kept[1])

    def _judge(self, tx: Tx, tenant: str, vital: str, start: datetime) -> Record:
        end_us = to_us(self._clock.now() + _AHEAD)
        forecast = vital.replace(":VitalSign:", ":Forecast:", 1)
        stored = self._past.instances_of(tx, tenant, forecast, _FORECAST, to_us(start), end_us)
        actual = self._past.numbers(tx, tenant, vital, _VALUE, to_us(start), end_us)
        return record_of((i["json"] for i in stored if "json" in i), dict(actual))


def _standing(item: Entity, forecasts: Mapping[str, Entity]) -> Standing:
    found = forecasts.get(value_of(item, "refForecast") or "")
    return Standing(
        item["id"],
        str(value_of(item, "pack")),
        str(value_of(item, "sign")),
        str(value_of(item, "areaServed")),
        value_of(found, "forecast") if found else None,
    )
