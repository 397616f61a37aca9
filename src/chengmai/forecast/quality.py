"""How good the forecasts of a city have been: those that were stored, against what really happened."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
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

    def numbers_of(
        self,
        tx: Any,
        tenant: str,
        entity_ids: Sequence[str],
        attribute: str,
        start_us: int,
        end_us: int,
    ) -> Mapping[str, Sequence[tuple[int, float]]]:
        """Return (instant in µs, value) observed in [start, end), in order, of each entity that has any."""
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
            found = await self._judged(tenant, found, since)
        return sorted(found, key=lambda one: (one.pack, one.sign, one.area))

    async def _judged(
        self, tenant: str, found: Sequence[Standing], since: datetime | None
    ) -> list[Standing]:
        """Return standings with their records: the values are read at once, the forecasts a sign at a time."""
        start_us = to_us(since or self._clock.now() - LOOKED_AT)
        end_us = to_us(self._clock.now() + _AHEAD)
        stamps = {
            one.vital: f"{one.latest['origin']} {since}" for one in found if one.latest is not None
        }
        fresh = [
            vital
            for vital, stamp in stamps.items()
            if self._kept.get((tenant, vital), ("",))[0] != stamp
        ]
        if fresh:
            actual = await self._work.read(
                lambda tx: self._past.numbers_of(tx, tenant, fresh, _VALUE, start_us, end_us)
            )
            for vital in fresh:
                stored = await self._work.read(
                    partial(self._stored, tenant=tenant, vital=vital, span=(start_us, end_us))
                )
                record = record_of(stored, dict(actual.get(vital, ())))
                self._kept[tenant, vital] = (stamps[vital], record)
                await asyncio.sleep(0)
        return [
            replace(one, record=self._kept[tenant, one.vital][1]) if one.vital in stamps else one
            for one in found
        ]

    def _stored(self, tx: Tx, *, tenant: str, vital: str, span: tuple[int, int]) -> list[Any]:
        forecast = vital.replace(":VitalSign:", ":Forecast:", 1)
        found = self._past.instances_of(tx, tenant, forecast, _FORECAST, *span)
        return [instance["json"] for instance in found if "json" in instance]


def _standing(item: Entity, forecasts: Mapping[str, Entity]) -> Standing:
    found = forecasts.get(value_of(item, "refForecast") or "")
    return Standing(
        item["id"],
        str(value_of(item, "pack")),
        str(value_of(item, "sign")),
        str(value_of(item, "areaServed")),
        value_of(found, "forecast") if found else None,
    )
