"""Vital signs, as the screens see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

import numpy as np

from chengmai.cases.model import SeenVital
from chengmai.forecast.baseline import CYCLES, KindOf, usual
from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import format_instant, from_us, parse_instant, to_us
from chengmai.kernel.texts import Text
from chengmai.packs.model import Pack, VitalSpec
from chengmai.trust.policy import allow
from chengmai.vitals.board import VitalsBoard
from chengmai.vitals.model import VitalView
from chengmai.web.cockpit.views import (
    BandView,
    BaselinePoint,
    FaultView,
    FeedRef,
    ForecastPoint,
    ForecastView,
    Point,
    Trust,
    VitalCard,
    VitalDetail,
    VitalHistory,
)
from chengmai.web.desk.cases import position
from chengmai.web.desk.seen import Days, SeenVitals

_MOST_POINTS = 2000
_EVIDENCE = 12
_LONGEST_BASELINE = 1500


class VitalScreens:
    """Turns vital signs into the views of the screens."""

    def __init__(
        self,
        board: VitalsBoard,
        packs: Sequence[Pack],
        clock: Clock,
        seen: SeenVitals,
        kind_of: KindOf | None = None,
    ) -> None:
        self._kind_of = kind_of
        self._board = board
        self._clock = clock
        self._seen = seen
        self._packs = {pack.info.id: pack for pack in packs}
        self._specs: dict[tuple[str, str], VitalSpec] = {
            (pack.info.id, spec.id): spec for pack in packs for spec in pack.vitals
        }

    async def cards(
        self,
        actor: Actor,
        cases: Mapping[str, str],
        *,
        recent: bool = True,
        pack: str | None = None,
    ) -> list[VitalCard]:
        """Return every sign (of a pack) as a card; `cases` gives the open case of a sign.

        Without `recent` the cards come without their last day, which costs a look into the history each.
        """
        allow(actor, "vitals.read")
        days: Days = await self._seen.days(actor.tenant) if recent else {}
        return [
            self._card(view, days.get(view.id, ()), cases.get(view.id))
            for view in await self._seen.views(actor.tenant)
            if pack is None or view.pack == pack
        ]

    async def detail(
        self, actor: Actor, vital_id: str, case_id: str | None, feeds: tuple[FeedRef, ...]
    ) -> VitalDetail:
        """Return one sign with what it is made of."""
        allow(actor, "vitals.read")
        view = await self._board.vital(actor.tenant, vital_id)
        spec = self._specs[view.pack, view.sign]
        anomaly = view.anomaly if view.anomaly and view.anomaly.get("is_anomaly") else None
        return VitalDetail(
            card=self._card(view, await self._seen.recent(actor.tenant, view), case_id),
            about=view.about,
            definition=view.definition,
            sql=spec.sql.strip(),
            step=spec.step,
            stale_after=spec.stale_after,
            bands=tuple(
                BandView(
                    level="act" if band.level == "act" else "watch",
                    above=band.above,
                    below=band.below,
                    source=band.source,
                    trust=cast(Trust, band.trust),
                    clear=band.clear,
                    grade=band.grade,
                    inclusive=band.inclusive,
                    from_date=_day(band.from_on),
                    until_date=_day(band.until_on),
                    in_force=band.in_force,
                )
                for band in view.bands
            ),
            forecast=forecast_view(view.forecast, spec.step) if view.forecast else None,
            anomaly=Text(**anomaly["sentence"]) if anomaly else None,
            fault=_fault(view.fault),
            feeds=feeds,
        )

    async def history(
        self, actor: Actor, vital_id: str, start: datetime, end: datetime
    ) -> VitalHistory:
        """Return values and the usual band in [start, end]."""
        allow(actor, "vitals.read")
        view = await self._board.vital(actor.tenant, vital_id)
        spec = self._specs[view.pack, view.sign]
        before = start - CYCLES * spec.season - 2 * spec.step
        end_us = to_us(end) + 1
        points = await self._board.history(actor.tenant, vital_id, before, from_us(end_us))
        start_us = to_us(start)
        shown = [(us, value) for us, value in points if us >= start_us]
        thinned = shown[:: max(1, -(-len(shown) // _MOST_POINTS))]
        return VitalHistory(
            start=start,
            end=end,
            points=tuple(Point(from_us(us), value) for us, value in thinned),
            baseline=_baselines(points, start_us, spec, self._kind_of),
        )

    async def seen(self, actor: Actor, vital_id: str) -> SeenVital:
        """Return a sign as a person sees it who opens a case about it."""
        allow(actor, "vitals.read")
        view = await self._board.vital(actor.tenant, vital_id)
        spec = self._specs[view.pack, view.sign]
        evidence = [
            {"at": format_instant(point.at), "value": point.value, "unit": view.unit}
            for point in (await self._seen.recent(actor.tenant, view))[-_EVIDENCE:]
        ]
        return SeenVital(
            vital=view.id,
            title=view.title,
            category=spec.opens.category if spec.opens else None,
            area=view.area,
            level=view.level if view.level in ("watch", "act") else "watch",
            reason=view.reason,
            location=view.location,
            evidence=tuple(evidence),
        )

    def _card(self, view: VitalView, recent: tuple[Point, ...], case_id: str | None) -> VitalCard:
        pack = self._packs[view.pack]
        baseline = view.baseline or {}
        return VitalCard(
            id=view.id,
            title=view.title,
            pack=view.pack,
            pack_title=pack.info.title,
            area=view.area,
            level=view.level,
            value=view.value,
            unit=view.unit,
            observed_at=parse_instant(view.at) if view.at else None,
            since=parse_instant(view.since) if view.since else None,
            reason=view.reason,
            decimals=view.decimals,
            expected_low=baseline.get("low"),
            expected_high=baseline.get("high"),
            recent=recent,
            position=position(view.location),
            case_id=case_id,
        )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _fault(stored: Mapping[str, Any] | None) -> FaultView | None:
    if not stored or stored["kind"] is None:
        return None
    return FaultView(stored["kind"], parse_instant(stored["since"]), Text(**stored["sentence"]))


def forecast_view(stored: Mapping[str, Any], step: timedelta) -> ForecastView:
    """Return a stored forecast as the screens show it."""
    backtest = stored.get("backtest") or {}
    return ForecastView(
        model=stored["model"],
        version=str(stored["version"]),
        origin=parse_instant(stored["origin"]),
        step=step,
        interval=float(stored["level"]),
        points=tuple(
            ForecastPoint(
                parse_instant(one["at"]), one["median"], one["low"], one["high"], one.get("naive")
            )
            for one in stored["points"]
        ),
        shown=bool(stored["shown"]),
        because=Text(**stored["because"]),
        mae=backtest.get("mae"),
        naive_mae=backtest.get("naive_mae"),
        skill=backtest.get("skill"),
        coverage=backtest.get("coverage"),
        origins=backtest.get("origins"),
    )


def _baselines(
    points: Sequence[tuple[int, float]],
    start_us: int,
    spec: VitalSpec,
    kind_of: KindOf | None,
) -> tuple[BaselinePoint, ...]:
    """Return the usual band at each step that is shown, from earlier seasons only."""
    if not points:
        return ()
    step_us = int(spec.step.total_seconds() * 1_000_000)
    first, last = points[0][0], points[-1][0]
    values = np.full((last - first) // step_us + 1, np.nan)
    for us, value in points:
        values[(us - first) // step_us] = value
    lengths = (int(spec.step.total_seconds()), int(spec.season.total_seconds()))
    begin = max(0, -(-(start_us - first) // step_us))
    stride = max(1, (len(values) - begin) // _LONGEST_BASELINE)
    made = []
    for index in range(begin, len(values), stride):
        band = usual(values, index, first, *lengths, kind_of)
        if band is not None:
            at = from_us(first + index * step_us)
            made.append(BaselinePoint(at, band.low, band.mid, band.high))
    return tuple(made)
