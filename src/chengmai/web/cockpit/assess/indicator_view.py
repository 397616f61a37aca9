"""View models of indicators: lines of the catalogue, and one with everything that is known of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from urllib.parse import urlencode

from markupsafe import Markup

from chengmai.assess.live.grading import RULE
from chengmai.assess.live.model import Live
from chengmai.kernel.instants import parse_instant
from chengmai.web.cockpit.formats import NO_VALUE, Formats
from chengmai.web.cockpit.svg.chart import chart
from chengmai.web.cockpit.svg.plot import WIDE, ChartData
from chengmai.web.cockpit.texts import Words
from chengmai.web.cockpit.views import Point
from chengmai.web.cockpit.visit import link

_SHOWN = 50
_ORDER = {"computed": 0, "no_data": 1, "not_held": 2}
_BETTER = {"up": "up", "down": "down", "区间": "range"}
_PARTS = {"名": "trust.of_name", "式": "trust.of_formula"}
_PAGES = {"urn:ngsi-ld:VitalSign:": "vitals", "urn:ngsi-ld:CityCase:": "cases"}


@dataclass(frozen=True)
class IndicatorLine:
    id: str
    href: str
    title: str
    state: str
    value: str
    grade: str
    period: str
    how: str
    because: str
    source: str
    trust: str
    iso: str


@dataclass(frozen=True)
class CataloguePage:
    computed: int
    all: int
    lines: tuple[IndicatorLine, ...]
    domains: tuple[tuple[str, str], ...]
    domain: str
    state: str
    query: str


@dataclass(frozen=True)
class IndicatorPage:
    line: IndicatorLine
    domain: str
    domain_title: str
    formula: str
    original: str
    """The Chinese of which `formula` is our translation; empty on a Chinese page."""
    approximates: str
    better: str
    numerator: str
    denominator: str
    computed_at: str
    complete: str
    timely: str
    covered: str
    rule: str
    areas: tuple[tuple[str, str], ...]
    parts: tuple[tuple[str, str], ...]
    entities: tuple[tuple[str, str], ...]
    entity_count: str
    has_more: bool
    links: tuple[str, ...]
    chart: Markup | None
    chart_of: str


def chosen(every: Sequence[Live], domain: str, state: str) -> list[Live]:
    """Return the indicators of a domain and state, those with a value first."""
    found = [
        one for one in every if domain in ("", one.indicator.domain) and state in ("", one.state)
    ]
    return sorted(found, key=lambda one: _ORDER[one.state])


def catalogue_page(
    every: Sequence[Live], found: Sequence[Live], domain: str, state: str, formats: Formats
) -> CataloguePage:
    """Return the list."""
    pick = formats.words.pick
    domains = {one.indicator.domain: pick(one.indicator.domain_title) for one in every}
    return CataloguePage(
        computed=sum(one.is_computed for one in every),
        all=len(every),
        lines=tuple(_line(one, formats) for one in found),
        domains=tuple(domains.items()),
        domain=domain,
        state=state,
        query=urlencode({"domain": domain, "state": state}),
    )


def indicator_page(found: Live, past: Sequence[Point], formats: Formats) -> IndicatorPage:
    """Return one indicator with parts, sources, quality and course."""
    words, one, quality = formats.words, found.indicator, found.quality
    drawn, of = _course(found, past, formats)
    return IndicatorPage(
        line=_line(found, formats),
        domain=one.domain,
        domain_title=words.pick(one.domain_title),
        formula=words.pick(one.definition),
        original="" if words.lang.startswith("zh") else one.formula,
        approximates=words.pick(found.approximates) if found.approximates else "",
        better=words(f"assess.better_is.{_BETTER.get(one.better, 'none')}"),
        numerator=_plain(found.numerator, formats),
        denominator="" if found.denominator is None else _plain(found.denominator, formats),
        computed_at=formats.instant(parse_instant(found.computed_at)),
        complete=formats.percent(quality.complete) if quality else "",
        timely=formats.percent(quality.fresh) if quality else "",
        covered=formats.percent(quality.covered) if quality else "",
        rule=words.pick(RULE),
        areas=tuple((area, _written(value, found, formats)) for area, value in found.areas),
        parts=tuple((words.pick(t), _written(value, found, formats)) for t, value in found.parts),
        entities=tuple((name, _page_of(name)) for name in found.entities[:_SHOWN]),
        entity_count=formats.number(found.entity_count),
        has_more=found.entity_count > _SHOWN,
        links=found.links,
        chart=drawn,
        chart_of=of,
    )


def _line(found: Live, formats: Formats) -> IndicatorLine:
    one, pick = found.indicator, formats.words.pick
    return IndicatorLine(
        id=one.id,
        href=link("assessment", "indicators", one.id),
        title=pick(one.title),
        state=found.state,
        value=_written(found.value, found, formats),
        grade=found.quality.grade if found.quality else "",
        period=_period(found, formats),
        how=pick(found.how) if found.how else "",
        because=pick(found.because) if found.because else "",
        source=one.source,
        trust=_said_of(one.trust, formats.words),
        iso=one.iso_37122,
    )


def _said_of(trust: str, words: Words) -> str:
    """Return a mark of trust in words; of a name and a formula that differ, each (`S名/M式`)."""
    said = []
    for mark in re.split("[/+]", trust):
        told = words(f"trust.{mark[:1]}")
        part = _PARTS.get(mark[1:])
        said.append(words(part, mark=told) if part else told)
    return " · ".join(said)


def _period(found: Live, formats: Formats) -> str:
    if not found.is_computed:
        return ""
    if found.period is None:
        return formats.words("assess.period_now")
    start, end = (formats.local(parse_instant(at)).date() for at in found.period)
    return f"{formats.day(start)} – {formats.day(end)}"


def _written(value: float | None, found: Live, formats: Formats) -> str:
    if value is None:
        return NO_VALUE
    decimals = 4 if 0 < abs(value) < 0.1 else 2
    return formats.quantity(value, found.indicator.unit_in(formats.words.lang), decimals)


def _plain(value: float | None, formats: Formats) -> str:
    if value is None:
        return NO_VALUE
    return formats.number(value, 0 if float(value).is_integer() else 2)


def _page_of(entity: str) -> str:
    page = next((page for start, page in _PAGES.items() if entity.startswith(start)), None)
    return link(page, entity) if page else ""


def _course(found: Live, past: Sequence[Point], formats: Formats) -> tuple[Markup | None, str]:
    """Return the curve of the days of the period, else of what was written down; none of a single value."""
    zone = formats.local(formats.now).tzinfo
    days = [Point(datetime.combine(day, time(), zone), value) for day, value in found.days]
    points, of = (days, "assess.course_days") if len(days) > 1 else (past, "assess.course_recorded")
    if len(points) < 2:
        return None, ""
    end = max(formats.now, points[-1].at + timedelta(hours=1))
    data = ChartData(points[0].at, end, end, tuple(points))
    unit = found.indicator.unit_in(formats.words.lang)
    said = f"{formats.words.pick(found.indicator.title)}: {formats.words(of)}"
    return chart(data, WIDE, formats, unit, said), formats.words(of)
