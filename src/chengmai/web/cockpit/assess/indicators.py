"""The catalogue of indicators, with what the city's vital signs give now."""

from __future__ import annotations

from starlette.responses import Response

from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.visit import Visit


async def show(visit: Visit) -> Response:
    found = await visit.desk.indicators(visit.actor)
    known = [one for one in found if one.quality != "none"]
    return visit.page("assess/indicators.html", lines=found, known=len(known))


async def data_json(visit: Visit) -> Response:
    return as_json(await visit.desk.indicators(visit.actor))


async def data_csv(visit: Visit) -> Response:
    header = (
        "id",
        "name",
        "formula",
        "value",
        "unit",
        "quality",
        "at",
        "iso_37122",
        "source",
        "trust",
    )
    rows = (
        (
            *(one.indicator.id, one.indicator.name, one.indicator.formula, one.value, one.unit),
            *(one.quality, one.at, one.indicator.iso_37122, one.indicator.source),
            one.indicator.trust,
        )
        for one in await visit.desk.indicators(visit.actor)
    )
    return as_csv(header, rows, "indicators")


SCREENS = (
    Screen("/assessment/indicators", show, VITALS),
    Screen("/assessment/indicators.json", data_json, VITALS, quiet=True),
    Screen("/assessment/indicators.csv", data_csv, VITALS, quiet=True),
)
