"""The read side: vital signs as people see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from chengmai.kernel.instants import parse_us, to_us
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Entity, instances, value_of
from chengmai.ngsild.model import Model
from chengmai.vitals.bands import bands_at
from chengmai.vitals.deciding import location_of
from chengmai.vitals.entities import VALUE, VALUE_IRI, last_tick
from chengmai.vitals.model import BandView, Level, Sign, VitalView
from chengmai.vitals.ports import Past, Points, StandingSigns
from chengmai.vitals.problems import VitalNotFound
from chengmai.vitals.suspecting import ATTRIBUTE
from chengmai.vitals.words import is_verified, symbol_of

_MANY = 100_000
_ORDER: dict[Level, int] = {"act": 0, "watch": 1, "unknown": 2, "normal": 3}


class VitalsBoard:
    """Answers what the vital signs of a city are, one by one and all at once."""

    def __init__(
        self,
        work: Work[Tx],
        model: Model,
        past: Past,
        signs: Sequence[Sign],
        zone: ZoneInfo,
        *,
        standing: StandingSigns | None = None,
    ) -> None:
        self._work, self._model, self._past = work, model, past
        self._standing = standing
        self._signs = {sign.key: sign for sign in signs}
        self._zone = zone

    def entity_types(self, pack: str, sign: str) -> frozenset[str]:
        """Return the entity types (IRIs) whose readings a sign is made of; none for an unknown sign."""
        found = self._signs.get(f"{pack}/{sign}")
        return frozenset(source.entity_type for source in found.sources) if found else frozenset()

    async def board(self, tenant: str) -> list[VitalView]:
        """Return all vital signs, the most urgent first, then by pack, sign and area.

        Signs whose pack is no longer installed are left out: nothing says what their values mean.
        """

        def read(tx: Tx) -> list[VitalView]:
            signs = self._signs_in(tx, tenant)
            vitals = self._model.find(tx, tenant, "VitalSign", limit=_MANY)
            forecasts = {
                found["id"]: found
                for found in self._model.find(tx, tenant, "Forecast", limit=_MANY)
            }
            return [
                view_of(sign, item, _forecast_of(item, forecasts), self._zone)
                for item in vitals
                if (sign := signs.get(_key_of(item))) is not None
            ]

        views = await self._work.read(read)
        return sorted(views, key=lambda v: (_ORDER[v.level], v.pack, v.sign, v.area))

    async def vital(self, tenant: str, vital_id: str) -> VitalView:
        """Return one vital sign; raises `VitalNotFound`."""

        def read(tx: Tx) -> VitalView:
            item = self._model.get(tx, tenant, vital_id)
            sign = self._signs_in(tx, tenant).get(_key_of(item)) if item is not None else None
            if item is None or sign is None:
                raise VitalNotFound(vital_id)
            reference = value_of(item, "refForecast")
            found = self._model.get(tx, tenant, reference) if reference else None
            return view_of(sign, item, found, self._zone)

        return await self._work.read(read)

    async def history(self, tenant: str, vital_id: str, start: datetime, end: datetime) -> Points:
        """Return (instant in µs, value) of a vital sign in [start, end)."""
        return await self._work.read(
            lambda tx: self._past.numbers(tx, tenant, vital_id, VALUE_IRI, to_us(start), to_us(end))
        )

    def _signs_in(self, tx: Tx, tenant: str) -> Mapping[str, Sign]:
        return self._signs if self._standing is None else self._standing.signs_in(tx, tenant)


def _key_of(item: Entity) -> str:
    return f"{value_of(item, 'pack')}/{value_of(item, 'sign')}"


def view_of(sign: Sign, item: Entity, forecast: Entity | None, zone: ZoneInfo) -> VitalView:
    """Return a vital sign as people see it, from its entities and its definition."""
    spec, last = sign.spec, last_tick(item)
    level: Level = value_of(item, "level") or "unknown"
    at = next((i.get("observedAt") for i in instances(item, VALUE)), None)
    return VitalView(
        id=item["id"],
        pack=sign.pack,
        sign=spec.id,
        title=spec.title,
        about=spec.about,
        definition=spec.definition,
        area=str(value_of(item, "areaServed")),
        value=last[1] if last else None,
        unit=symbol_of(spec),
        unit_code=spec.unit,
        decimals=spec.decimals,
        level=level,
        since=value_of(item, "since"),
        at=at,
        stale=level == "unknown",
        reason=_reason_of(item),
        step_s=int(spec.step.total_seconds()),
        location=location_of(item),
        baseline=value_of(item, "baseline"),
        anomaly=value_of(item, "anomaly"),
        fault=value_of(item, ATTRIBUTE),
        bands=_bands_of(sign, parse_us(at) if at else None, zone),
        forecast=value_of(forecast, "forecast") if forecast else None,
        expected_level=value_of(forecast, "expectedLevel") if forecast else None,
        expected_at=(value_of(forecast, "expectedAt") or None) if forecast else None,
    )


def _bands_of(sign: Sign, at_us: int | None, zone: ZoneInfo) -> tuple[BandView, ...]:
    in_force = bands_at(sign.spec.bands, at_us, zone) if at_us is not None else ()
    return tuple(
        BandView(
            level=band.level,
            grade=band.grade,
            above=band.above,
            below=band.below,
            inclusive=band.inclusive,
            clear=band.clear,
            from_on=band.from_.isoformat() if band.from_ else None,
            until_on=band.until.isoformat() if band.until else None,
            source=band.source,
            trust=band.trust,
            verified=is_verified(band),
            in_force=band in in_force,
        )
        for band in sign.spec.bands
    )


def _forecast_of(item: Entity, forecasts: Mapping[str, Entity]) -> Entity | None:
    reference = value_of(item, "refForecast")
    return forecasts.get(reference) if reference else None


def _reason_of(item: Entity) -> Text:
    found = value_of(item, "reason") or {}
    return Text(zh=found.get("zh") or "尚未评估。", en=found.get("en") or "Not evaluated yet.")
