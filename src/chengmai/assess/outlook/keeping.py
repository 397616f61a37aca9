"""Forecasts that are kept as NGSI-LD entities, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, get_args

import numpy as np

from chengmai.assess.outlook.model import Kept, Promise, Report
from chengmai.assess.outlook.periods import Step, begin_of, end_of, period_of
from chengmai.assess.panel.columns import Columns
from chengmai.assess.panel.model import Point
from chengmai.assess.records import PLACE_TYPE
from chengmai.kernel.ids import urn
from chengmai.ngsild.entity import Entity, entity, opaque, prop, rel, value_of

FORECAST_TYPE = "IndicatorForecast"
_NUMBERS = ("value", "low", "high", "covers", "naive")


def promises_of(report: Report) -> list[Promise]:
    """Return the forecasts of a report."""
    made = []
    for line in report.lines:
        for step in line.trend.steps if line.trend else ():
            made.append(
                Promise(
                    subject=subject_key(report),
                    indicator=line.meaning.id,
                    made_on=report.on,
                    based_on=line.on,
                    target=end_of(line.period + step.ahead, line.step),
                    step=line.step,
                    value=step.value,
                    low=step.low,
                    high=step.high,
                    covers=step.covers,
                    model=line.trend.model if line.trend else "",
                    naive=step.naive,
                    points=len(line.values),
                )
            )
    return made


def subject_key(report: Report) -> str:
    """Return what names the subject in its forecasts: a code, or a group with its level."""
    subject = report.subject
    return subject.code if subject.kind == "place" else f"group:{subject.code}:{subject.level}"


def promise_id(one: Promise) -> str:
    """Return the id of the entity: of one subject, indicator, basis and target there is one forecast."""
    days = (one.based_on.strftime("%Y%m%d"), one.target.strftime("%Y%m%d"))
    return urn(FORECAST_TYPE, one.subject, one.indicator, *days)


def promise_entity(one: Promise) -> Entity:
    """Return the NGSI-LD entity of a forecast."""
    is_place = ":" not in one.subject
    return entity(
        promise_id(one),
        FORECAST_TYPE,
        subject=prop(one.subject),
        refPlace=rel(urn(PLACE_TYPE, one.subject)) if is_place else None,
        indicator=prop(one.indicator),
        madeOn=prop(_day(one.made_on)),
        basedOn=prop(_day(one.based_on)),
        targetOn=prop(_day(one.target)),
        period=prop(one.step),
        model=prop(one.model),
        points=prop(one.points),
        forecast=opaque({name: getattr(one, name) for name in _NUMBERS}),
    )


def read_promise(found: Entity) -> Promise | None:
    """Return the forecast that an entity is; None where somebody wrote something else."""
    numbers = value_of(found, "forecast")
    days = [_read_day(value_of(found, name)) for name in ("madeOn", "basedOn", "targetOn")]
    step = value_of(found, "period")
    if not isinstance(numbers, dict) or None in days or step not in get_args(Step):
        return None
    told = [numbers.get(name) for name in _NUMBERS]
    if not all(type(one) in (int, float) for one in told):
        return None
    made_on, based_on, target = (day for day in days if day is not None)
    points = value_of(found, "points")
    return Promise(
        subject=str(value_of(found, "subject")),
        indicator=str(value_of(found, "indicator")),
        made_on=made_on,
        based_on=based_on,
        target=target,
        step=step,
        value=float(told[0] or 0),
        low=float(told[1] or 0),
        high=float(told[2] or 0),
        covers=float(told[3] or 0),
        model=str(value_of(found, "model")),
        naive=float(told[4] or 0),
        points=points if isinstance(points, int) else 0,
        entity_id=found["id"],
    )


def settled(promise: Promise, columns: Columns, members: frozenset[str], on: date) -> Kept:
    """Return a forecast with what came until a day: of a group the median of its places."""
    first = begin_of(period_of(promise.target, promise.step), promise.step).toordinal()
    places, days, values = columns.history(promise.indicator, min(on, promise.target))
    numbers = columns.book.places.numbers
    ours = np.array([numbers[code] for code in members if code in numbers], dtype=np.int64)
    chosen = np.flatnonzero((days >= first) & np.isin(places, ours))
    if not len(chosen):
        return Kept(promise)
    # Rows come by place and day: the last one of a place counts.
    last = chosen[np.flatnonzero(np.diff(places[chosen], append=-1))]
    came_on = date.fromordinal(int(days[last].max()))
    record = ""
    if len(members) == 1:
        point = columns.at(next(iter(members)), promise.indicator, came_on)
        record = point.ref.entity_id if point else ""
    return Kept(promise, float(np.median(values[last])), came_on, record)


def settled_by(promise: Promise, computed: Sequence[Point], on: date) -> Kept:
    """Return a forecast of what the platform computes with what came, once its period is over."""
    first = begin_of(period_of(promise.target, promise.step), promise.step)
    within = [one for one in computed if first <= one.on <= promise.target]
    if promise.target >= on or not within:
        return Kept(promise)
    last = within[-1]
    return Kept(promise, last.value, last.on, last.ref.entity_id)


def filled(kept: Kept) -> Entity:
    """Return what is written to the entity of a forecast when the value has come."""
    return entity(
        kept.promise.entity_id,
        FORECAST_TYPE,
        cameOn=prop(_day(kept.came_on)) if kept.came_on else None,
        outcome=opaque(
            {
                "value": kept.came,
                "error": kept.error,
                "naiveError": kept.naive_error,
                "inside": kept.is_inside,
                "record": kept.record or None,
            }
        ),
    )


def _day(day: date) -> dict[str, str]:
    return {"@type": "Date", "@value": day.isoformat()}


def _read_day(value: Any) -> date | None:
    text = value.get("@value") if isinstance(value, dict) else value
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
