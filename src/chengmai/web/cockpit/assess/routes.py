"""Addresses of the assessment."""

from __future__ import annotations

from starlette.responses import Response

from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.assess import (
    crosswalk,
    exports,
    indicators,
    outlook,
    places,
    registry,
    scores,
    surveys,
    values,
    view,
)
from chengmai.web.cockpit.assess.asked import assessed
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_json
from chengmai.web.cockpit.visit import Visit


async def show(visit: Visit) -> Response:
    return visit.page("assess/page.html", view=view.overview(await assessed(visit), visit.formats))


async def data_json(visit: Visit) -> Response:
    """Answer every figure with its definition, denominator, source and day."""
    found = await assessed(visit)
    return as_json(
        {
            "data": found.data,
            "on": found.statistics.on,
            "before": found.statistics.before,
            "computed": view.computed_figures(found),
            "reported": found.registry.figures,
            "newly": [spot.code for spot in found.statistics.newly()],
            "phases": found.statistics.phases(),
            "left_out": found.registry.left_out,
        }
    )


SCREENS = (
    Screen("/assessment", show, VITALS),
    Screen("/assessment.json", data_json, VITALS, quiet=True),
    Screen("/assessment/places", places.show, VITALS),
    Screen("/assessment/places.json", places.data_json, VITALS, quiet=True),
    Screen("/assessment/places/country", places.take_in_country, VITALS, methods=("POST",)),
    Screen("/assessment/places/country.json", places.package_json, VITALS, quiet=True),
    Screen("/assessment/places/move", places.move, VITALS, methods=("POST",)),
    *exports.SCREENS,
    *registry.SCREENS,
    *scores.SCREENS,
    *crosswalk.SCREENS,
    *surveys.SCREENS,
    *indicators.SCREENS,
    *outlook.SCREENS,
    *values.SCREENS,
)
