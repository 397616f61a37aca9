"""Addresses of the assessment."""

from __future__ import annotations

from starlette.responses import Response

from chengmai.assess.panel.reading import SHEET_COLUMNS
from chengmai.assess.records import KINDS
from chengmai.assess.service import SHEETS
from chengmai.trust.policy import may
from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.assess import (
    crosswalk,
    exports,
    indicators,
    outlook,
    places,
    scores,
    surveys,
    values,
    view,
)
from chengmai.web.cockpit.assess.asked import assessed
from chengmai.web.cockpit.assess.places import money, programme_line
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_json
from chengmai.web.cockpit.visit import Visit

PROGRAMMES_SHOWN = 100
_SHEETS = (SHEETS, ",".join((*SHEET_COLUMNS, "E01", "E01.numerator", "E01.denominator", "…")))


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


async def registry(visit: Visit) -> Response:
    return await _registry(visit)


async def _registry(visit: Visit, message: str = "") -> Response:
    found = await assessed(visit)
    programmes = found.registry.programmes
    return visit.page(
        "assess/registry.html",
        data=found.data,
        query=view.query_of(found),
        total=len(programmes),
        programmes=[
            programme_line(one, found, visit.formats) for one in programmes[:PROGRAMMES_SHOWN]
        ],
        missing=[one.title for one in found.registry.without_plan()][:PROGRAMMES_SHOWN],
        money=money(found.registry.investments, visit.formats),
        kinds=[*((kind.id, ",".join(kind.columns)) for kind in KINDS.values()), _SHEETS],
        may_manage=may(visit.actor, "assess.manage"),
        message=message,
    )


async def registry_json(visit: Visit) -> Response:
    found = await assessed(visit)
    records = {
        kind: [one.model_dump(mode="json") for one in found.registry.records.get(kind, ())]
        for kind in KINDS
    }
    return as_json({**records, "left_out": found.registry.left_out})


async def take_in(visit: Visit) -> Response:
    """Take in a table that was pasted, and say what became of it."""
    kind, text = visit.form.get("kind", ""), visit.form.get("table", "")
    taken = await visit.desk.assess.import_table(visit.actor, kind, text)
    facts = {"new": taken.new, "changed": taken.changed, "same": taken.same}
    return await _registry(visit, visit.words("assess.taken", **facts))


SCREENS = (
    Screen("/assessment", show, VITALS),
    Screen("/assessment.json", data_json, VITALS, quiet=True),
    Screen("/assessment/places", places.show, VITALS),
    Screen("/assessment/places.json", places.data_json, VITALS, quiet=True),
    Screen("/assessment/registry", registry, VITALS),
    Screen("/assessment/registry.json", registry_json, VITALS, quiet=True),
    *exports.SCREENS,
    *scores.SCREENS,
    *crosswalk.SCREENS,
    *surveys.SCREENS,
    *indicators.SCREENS,
    *outlook.SCREENS,
    *values.SCREENS,
    Screen("/assessment/import", take_in, VITALS, methods=("POST",)),
)
