"""Places by an indicator: ranking, groups, drill-down, and every value with its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from chengmai.assess.catalogue import catalogue
from chengmai.assess.frameworks.model import Framework
from chengmai.assess.gazetteer import CHINA, Day
from chengmai.assess.groups import PlaceGroup
from chengmai.assess.model import LEVELS
from chengmai.assess.outlook.meanings import meanings
from chengmai.assess.outlook.model import Meaning
from chengmai.assess.panel.columns import Columns
from chengmai.assess.panel.standings import (
    Ranked,
    below,
    by_group,
    history_of,
    standings,
)
from chengmai.assess.problems import IndicatorUnknown
from chengmai.assess.statistics import Statistics
from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.assess.asked import (
    asked_country,
    asked_data,
    asked_day,
    asked_level,
    today,
)
from chengmai.web.cockpit.assess.exports import twin
from chengmai.web.cockpit.assess.view import countries_of, level_name
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.tables import Table
from chengmai.web.cockpit.visit import Visit

SHOWN = 300
_COLUMNS = (
    *("place", "tied", "code", "name", "level", "value", "unit", "on", "numerator", "denominator"),
    *("sample", "evidence", "source", "source_date", "record"),
)


@dataclass(frozen=True)
class _Asked:
    columns: Columns
    statistics: Statistics
    on: date
    known: list[Meaning]
    meaning: Meaning | None
    level: str | None
    group: PlaceGroup | None
    code: str | None
    countries: tuple[tuple[str, str], ...]

    @property
    def day(self) -> Day:
        return self.statistics.now.day

    def ranking(self) -> list[Ranked]:
        if self.meaning is None:
            return []
        return standings(
            self.columns,
            self.day,
            self.meaning.id,
            self.on,
            level=self.level,
            group=self.group,
            falling=self.meaning.better != "down",
        )


async def _asked(visit: Visit) -> _Asked:
    data = asked_data(visit)
    on = asked_day(visit, "on") or (today(visit) if data == "example" else None)
    found = await visit.desk.assess.assessed(
        visit.actor,
        data=data,
        on=on,
        country=asked_country(visit),
        place=visit.asked("code", at_most=40) or None,
    )
    columns = await visit.desk.assess.columns(visit.actor, data)
    statistics = found.statistics
    listed = await visit.desk.frameworks.frameworks(visit.actor)
    known = meanings(listed, columns.indicators)
    asked = visit.asked("indicator", at_most=40)
    if asked and asked not in {one.id for one in known}:
        # One of which nobody has a value yet is shown as such, and not another in its place.
        known = sorted([*known, *_without_values(listed, asked)], key=lambda one: one.id)
    chosen = next((one for one in known if one.id == asked), known[0] if known else None)
    group = visit.asked("group", at_most=40)
    return _Asked(
        columns,
        statistics,
        statistics.on,
        known,
        chosen,
        asked_level(visit),
        statistics.group(group) if group else None,
        visit.asked("code", at_most=40) or None,
        countries_of(found, visit.formats),
    )


def _without_values(frameworks: Sequence[Framework], indicator: str) -> list[Meaning]:
    """Return what an indicator means that has no value; raises `IndicatorUnknown` where nobody defines it."""
    named = {leaf.indicator for one in frameworks for leaf in one.leaves()}
    listed = [one.id for one in catalogue()]
    if indicator not in named and indicator not in listed:
        raise IndicatorUnknown(indicator, listed)
    return meanings(frameworks, [indicator])


async def show(visit: Visit) -> Response:
    asked = await _asked(visit)
    words, formats, meaning = visit.words, visit.formats, asked.meaning
    ranks = asked.ranking()
    columns = asked.columns
    shown = [(one, columns.point(one.row)) for one in ranks[:SHOWN]]
    told = (columns, asked.day, meaning.id if meaning else "", asked.on)
    named = {
        "indicator": meaning.id if meaning else "",
        "level": asked.level or "",
        "group": asked.group.id if asked.group else "",
        "on": asked.on.isoformat(),
        "data": "example" if asked_data(visit) == "example" else "",
        "country": ""
        if asked.statistics.frame.country == CHINA
        else asked.statistics.frame.country,
    }
    spots = asked.day.spots
    path = asked.day.spot(asked.code).path if asked.code else ()
    crumbs = [(code, words.pick(spots[code].name)) for code in path]
    return visit.page(
        "assess/values.html",
        meaning=meaning,
        known=[(one.id, words.pick(one.title)) for one in asked.known],
        asked=named,
        code=asked.code or "",
        name=crumbs[-1][1] if crumbs else "",
        crumbs=crumbs,
        query=urlencode({k: v for k, v in {**named, "code": asked.code or ""}.items() if v}),
        levels=[(one, level_name(one, asked.statistics.frame, formats)) for one in LEVELS],
        level_name=lambda one: level_name(one, asked.statistics.frame, formats),
        country=asked.statistics.frame.title,
        countries=asked.countries,
        all_groups=[(one.id, words.pick(one.title)) for one in asked.statistics.frame.groups],
        count=len(ranks),
        median=formats.number(median(one.value for one in ranks), 2) if ranks else "",
        lines=shown,
        groups=by_group(*told, asked.statistics.frame.groups, asked.level),
        below=below(*told, asked.code),
        history=history_of(columns, asked.code, meaning.id, asked.on)
        if asked.code and meaning
        else [],
    )


async def table(visit: Visit) -> Table:
    """Return the ranking by an indicator, every value with its record."""
    asked = await _asked(visit)
    meaning, words = asked.meaning, visit.words
    rows: list[tuple[Any, ...]] = []
    for one in asked.ranking():
        point = asked.columns.point(one.row)
        rows.append(
            (
                *(one.place, "=" if one.tied else "", one.spot.code, words.pick(one.spot.name)),
                *(one.spot.level, one.value, meaning.unit if meaning else "", point.on),
                *(point.numerator, point.denominator, point.sample),
                *(point.ref.evidence, point.source, point.source_date, point.ref.entity_id),
            )
        )
    notes = [] if meaning is None else [_definition(meaning, visit), words("values.tie_rule")]
    if asked_data(visit) == "example":
        notes.append(words("outlook.example_note"))
    title = words.pick(meaning.title) if meaning else ""
    return Table("values", title, _COLUMNS, rows, notes)


def _definition(meaning: Meaning, visit: Visit) -> str:
    words = visit.words
    said = [
        f"{meaning.id} {words.pick(meaning.title)}",
        meaning.formula_in(words.lang),
        meaning.unit,
    ]
    return "; ".join([one for one in [*said, meaning.source] if one])


SCREENS = (
    Screen("/assessment/values", show, VITALS),
    twin("/assessment/values", table, "json"),
    twin("/assessment/values", table, "csv"),
    twin("/assessment/values", table, "xlsx"),
)
