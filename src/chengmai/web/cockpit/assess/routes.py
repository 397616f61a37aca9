"""Addresses of the assessment."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from chengmai.assess.figures import Figure
from chengmai.assess.records import KINDS
from chengmai.trust.policy import may
from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.assess import (
    crosswalk,
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
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.visit import Visit

PROGRAMMES_SHOWN = 100


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


async def data_csv(visit: Visit) -> Response:
    found = await assessed(visit)
    header = (
        *("kind", "id", "title", "value", "unit", "numerator", "denominator", "of"),
        *("definition", "on", "source", "source_date"),
    )
    figures = [*view.computed_figures(found), *found.registry.figures]
    return as_csv(header, (_row(one, visit) for one in figures), "assessment")


def _row(figure: Figure, visit: Visit) -> tuple[Any, ...]:
    pick, source = visit.words.pick, figure.source
    of = pick(figure.denominator_title) if figure.denominator_title else ""
    value = " ".join(figure.items) if figure.items else figure.value
    what = (figure.kind, figure.id, pick(figure.title), value, figure.unit)
    basis = (figure.numerator, figure.denominator, of, pick(figure.definition))
    named = (source.name, source.dated) if source else ("", "")
    return (*what, *basis, figure.on, *named)


async def ranking_csv(visit: Visit) -> Response:
    found = await assessed(visit)
    asked = visit.asked("tier", at_most=40)
    ranks = found.statistics.provinces(found.statistics.tier(asked) if asked else None)
    rows = (
        (r.place, "=" if r.tied else "", r.code, visit.words.pick(r.name), r.value) for r in ranks
    )
    return as_csv(("place", "tied", "code", "name", "value"), rows, "ranking")


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
        kinds=[(kind.id, ",".join(kind.columns)) for kind in KINDS.values()],
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


async def registry_csv(visit: Visit) -> Response:
    """Answer the records of one kind in the form in which they are imported."""
    found = await assessed(visit)
    kind = KINDS.get(visit.asked("kind")) or KINDS["programmes"]
    columns = [name for name in kind.columns if kind.id != "places"] or [
        "code",
        "standings",
        "successor",
    ]
    records = (one.model_dump(mode="json") for one in found.registry.records.get(kind.id, ()))
    return as_csv(columns, ([one.get(name) for name in columns] for one in records), kind.id)


async def take_in(visit: Visit) -> Response:
    """Take in a table that was pasted, and say what became of it."""
    kind, text = visit.form.get("kind", ""), visit.form.get("table", "")
    taken = await visit.desk.assess.import_table(visit.actor, kind, text)
    facts = {"new": taken.new, "changed": taken.changed, "same": taken.same}
    return await _registry(visit, visit.words("assess.taken", **facts))


SCREENS = (
    Screen("/assessment", show, VITALS),
    Screen("/assessment.json", data_json, VITALS, quiet=True),
    Screen("/assessment.csv", data_csv, VITALS, quiet=True),
    Screen("/assessment/ranking.csv", ranking_csv, VITALS, quiet=True),
    Screen("/assessment/places", places.show, VITALS),
    Screen("/assessment/places.json", places.data_json, VITALS, quiet=True),
    Screen("/assessment/places.csv", places.data_csv, VITALS, quiet=True),
    Screen("/assessment/registry", registry, VITALS),
    Screen("/assessment/registry.json", registry_json, VITALS, quiet=True),
    Screen("/assessment/registry.csv", registry_csv, VITALS, quiet=True),
    *scores.SCREENS,
    *crosswalk.SCREENS,
    *surveys.SCREENS,
    *indicators.SCREENS,
    *outlook.SCREENS,
    *values.SCREENS,
    Screen("/assessment/import", take_in, VITALS, methods=("POST",)),
)
