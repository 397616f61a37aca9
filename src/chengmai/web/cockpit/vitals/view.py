"""View model of one vital sign's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from chengmai.forecast.telling import model_title
from chengmai.web.cockpit.cases.lines import CaseLine, case_line
from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.svg.chart import chart
from chengmai.web.cockpit.svg.plot import NARROW, WIDE, ChartData, Threshold
from chengmai.web.cockpit.tiles import Tile, tile
from chengmai.web.cockpit.views import BandView, FeedRef, ForecastView, VitalDetail, VitalHistory
from chengmai.web.cockpit.visit import link

RANGES: dict[str, timedelta] = {
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "6w": timedelta(weeks=6),
}
USUAL_RANGE = "24h"
TABLE_ROWS = 48


@dataclass(frozen=True)
class BandLine:
    level: str
    grade: str
    condition: str
    clears: str
    source: str
    dates: str
    unverified: bool
    trust_word: str
    in_force: bool


@dataclass(frozen=True)
class ForecastLines:
    """The look ahead in words and numbers; `because` says why when it is not shown."""

    shown: bool
    because: str
    sentence: str
    model: str
    mae: str
    naive_mae: str
    skill: str
    coverage: str
    interval: str
    origins: str
    horizon: str
    origin: str
    rows: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True)
class VitalPageView:
    id: str
    pack: str
    tile: Tile
    sentences: tuple[str, ...]
    about: str
    definition: str
    sql: str
    step: str
    stale_after: str
    since: str
    range: str
    ranges: tuple[str, ...]
    thresholds: tuple[Threshold, ...]
    chart_wide: Markup
    chart_narrow: Markup
    rows: tuple[tuple[str, str, str], ...]
    bands: tuple[BandLine, ...]
    forecast: ForecastLines | None
    anomaly: str
    fault: tuple[str, str] | None
    fault_href: str
    case: CaseLine | None
    open_action: str
    feeds: tuple[FeedRef, ...]


def range_named(name: str) -> str:
    """Return a range that exists; the usual one for any other name."""
    return name if name in RANGES else USUAL_RANGE


def page_view(
    vital: VitalDetail, history: VitalHistory, chosen: str, formats: Formats
) -> VitalPageView:
    """Return everything the page shows."""
    words, card = formats.words, vital.card
    front = tile(card, formats)
    sentences = summary(vital, formats)
    data = chart_data(vital, history, chosen, formats)
    description = " ".join(sentences)
    return VitalPageView(
        id=card.id,
        pack=card.pack,
        tile=front,
        sentences=sentences,
        about=words.pick(vital.about),
        definition=words.pick(vital.definition),
        sql=vital.sql.strip(),
        step=formats.span(vital.step),
        stale_after=formats.span(vital.stale_after),
        since=formats.near(card.since),
        range=chosen,
        ranges=tuple(RANGES),
        thresholds=data.thresholds,
        chart_wide=chart(data, WIDE, formats, card.unit, description),
        chart_narrow=chart(data, NARROW, formats, card.unit, description),
        rows=_rows(vital, history, formats),
        bands=tuple(band_line(band, vital, formats) for band in vital.bands),
        forecast=_forecast(vital, formats),
        anomaly=words.pick(vital.anomaly) if vital.anomaly else "",
        fault=_fault(vital, formats),
        fault_href=link("cases", vital.fault.case_id)
        if vital.fault and vital.fault.case_id
        else "",
        case=case_line(vital.case, formats) if vital.case else None,
        open_action=link("vitals", card.id) + "/case" if vital.may_open_case else "",
        feeds=vital.feeds,
    )


def summary(vital: VitalDetail, formats: Formats) -> tuple[str, ...]:
    """Return the sign in whole sentences: value and level, why, trend, what is usual, what is expected."""
    words, card = formats.words, vital.card
    front = tile(card, formats)
    value = formats.quantity(card.value, card.unit, card.decimals)
    facts = {"title": front.title, "area": card.area, "value": value, "age": front.age}
    found = [words(f"summary.{card.level}", **facts), words.pick(card.reason)]
    if front.trend != "none" and card.level != "unknown":
        found.append(words(f"summary.{front.trend}"))
    if front.expected:
        found.append(words("summary.usual", range=front.expected, unit=card.unit))
    ahead = forecast_sentence(vital, formats)
    return (*found, ahead) if ahead else tuple(found)


def forecast_sentence(vital: VitalDetail, formats: Formats) -> str:
    """Return what is expected at the end of the horizon, with its interval, or nothing."""
    look, card = vital.forecast, vital.card
    if look is None or not look.shown or not look.points:
        return ""
    last = look.points[-1]
    return formats.words(
        "summary.ahead",
        at=formats.near(last.at),
        median=formats.quantity(last.median, card.unit, card.decimals),
        low=formats.number(last.low, card.decimals),
        high=formats.number(last.high, card.decimals),
        share=formats.percent(look.interval),
    )


def chart_data(
    vital: VitalDetail, history: VitalHistory, chosen: str, formats: Formats
) -> ChartData:
    """Return what the chart draws: the range, and at most as long a future."""
    now, length = formats.now, RANGES[chosen]
    points = vital.forecast.points if vital.forecast and vital.forecast.shown else ()
    ahead = tuple(p for p in points if now <= p.at <= now + length)
    end = max([now, *(p.at for p in ahead)])
    return ChartData(
        start=now - length,
        end=end + (end - (now - length)) * 0.01,
        now=now,
        points=history.points,
        baseline=history.baseline,
        forecast=ahead,
        thresholds=tuple(_threshold(b, vital, formats) for b in vital.bands if b.in_force),
        doubtful_since=vital.fault.since if vital.fault else None,
    )


def condition(band: BandView, vital: VitalDetail, formats: Formats) -> str:
    """Return `above 150 µg/m³`, `at least 50 mm` or `below 0.05 mg/L`."""
    decimals, unit = vital.card.decimals, vital.card.unit
    bound = band.above if band.above is not None else band.below
    value = formats.quantity(bound, unit, decimals)
    if band.above is not None:
        return formats.words("band.above_or_on" if band.inclusive else "band.above", value=value)
    return formats.words("band.below_or_on" if band.inclusive else "band.below", value=value)


def band_line(band: BandView, vital: VitalDetail, formats: Formats) -> BandLine:
    """Return one row of the table of thresholds."""
    words = formats.words
    clears = ""
    if band.clear is not None:
        clears = formats.quantity(band.clear, vital.card.unit, vital.card.decimals)
    return BandLine(
        level=band.level,
        grade=words(f"grade.{band.grade}") if band.grade else "",
        condition=condition(band, vital, formats),
        clears=clears,
        source=words.pick(band.source),
        dates=_dates(band, formats),
        unverified=band.trust in ("M", "C"),
        trust_word=words(f"trust.{band.trust}"),
        in_force=band.in_force,
    )


def _dates(band: BandView, formats: Formats) -> str:
    words = formats.words
    if band.from_date and band.until_date:
        first, last = formats.day(band.from_date), formats.day(band.until_date)
        return words("band.between", first=first, last=last)
    if band.from_date:
        return words("band.since", day=formats.day(band.from_date))
    if band.until_date:
        return words("band.until", day=formats.day(band.until_date))
    return words("band.always")


def _threshold(band: BandView, vital: VitalDetail, formats: Formats) -> Threshold:
    value = band.above if band.above is not None else band.below
    label = formats.words(
        "band.label",
        level=formats.words(f"level.{band.level}"),
        condition=condition(band, vital, formats),
    )
    return Threshold(value or 0.0, band.level, label)


def _rows(
    vital: VitalDetail, history: VitalHistory, formats: Formats
) -> tuple[tuple[str, str, str], ...]:
    usual: dict[datetime, tuple[float, float]] = {p.at: (p.low, p.high) for p in history.baseline}
    decimals = vital.card.decimals
    rows = []
    for point in reversed(history.points[-TABLE_ROWS:]):
        bounds = usual.get(point.at)
        between = ""
        if bounds:
            low, high = (formats.number(bound, decimals) for bound in bounds)
            between = formats.words("range.from_to", low=low, high=high)
        rows.append((formats.instant(point.at), formats.number(point.value, decimals), between))
    return tuple(rows)


def _fault(vital: VitalDetail, formats: Formats) -> tuple[str, str] | None:
    """Return what a suspected sensor is called, and what is said of it."""
    if vital.fault is None:
        return None
    kind = formats.words(f"fault.{vital.fault.kind}")
    called = formats.words("vitals.fault", kind=kind)
    return called, formats.words.pick(vital.fault.sentence)


def _forecast(vital: VitalDetail, formats: Formats) -> ForecastLines | None:
    look = vital.forecast
    if look is None:
        return None
    card = vital.card
    return ForecastLines(
        shown=look.shown,
        because=formats.words.pick(look.because),
        sentence=forecast_sentence(vital, formats),
        model=f"{formats.words.pick(model_title(look.model))} {look.version}",
        mae=formats.quantity(look.mae, card.unit, card.decimals + 1),
        naive_mae=formats.quantity(look.naive_mae, card.unit, card.decimals + 1),
        skill=formats.percent(look.skill),
        coverage=formats.percent(look.coverage),
        interval=formats.percent(look.interval),
        origins=formats.number(look.origins),
        horizon=_horizon(look, formats),
        origin=formats.instant(look.origin),
        rows=_forecast_rows(look, vital, formats) if look.shown else (),
    )


def _horizon(look: ForecastView, formats: Formats) -> str:
    steps = len(look.points)
    return formats.words("forecast.horizon_value", n=steps, span=formats.span(look.step * steps))


def _forecast_rows(
    look: ForecastView, vital: VitalDetail, formats: Formats
) -> tuple[tuple[str, str, str, str], ...]:
    decimals = vital.card.decimals
    return tuple(
        (
            formats.instant(p.at),
            formats.number(p.median, decimals),
            formats.words(
                "range.from_to",
                low=formats.number(p.low, decimals),
                high=formats.number(p.high, decimals),
            ),
            formats.number(p.naive, decimals),
        )
        for p in look.points
    )
