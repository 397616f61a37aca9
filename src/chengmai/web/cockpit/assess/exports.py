"""The tables of the assessment as they leave the house: CSV and Excel with their footnotes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from chengmai.assess.figures import Figure
from chengmai.assess.model import Place
from chengmai.assess.records import Kind, place_rows
from chengmai.assess.registry import Assessed
from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.assess import view
from chengmai.web.cockpit.assess.asked import assessed
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.tables import Form, Table, as_table
from chengmai.web.cockpit.visit import Visit

Make = Callable[[Visit], Awaitable[Table]]
_FIGURES = (
    *("kind", "id", "title", "value", "unit", "numerator", "denominator", "of"),
    *("definition", "on", "source", "source_date"),
)


def twin(path: str, make: Make, form: Form) -> Screen:
    """Return the screen of a table in one form."""

    async def answer(visit: Visit) -> Response:
        return as_table(await make(visit), form)

    return Screen(f"{path}.{form}", answer, VITALS, quiet=True)


async def figures(visit: Visit) -> Table:
    """Return the key figures, computed and published, each with what it counts and who says so."""
    found = await assessed(visit)
    listed = [*view.computed_figures(found), *found.registry.figures]
    rows = [_figure(one, visit) for one in listed]
    notes = [visit.words("assess.reported_note"), *basis(found, visit)]
    return Table("assessment", visit.words("assess.title"), _FIGURES, rows, notes)


def _figure(figure: Figure, visit: Visit) -> tuple[Any, ...]:
    pick, source = visit.words.pick, figure.source
    of = pick(figure.denominator_title) if figure.denominator_title else ""
    value = " ".join(figure.items) if figure.items else figure.value
    what = (figure.kind, figure.id, pick(figure.title), value, figure.unit)
    basis = (figure.numerator, figure.denominator, of, pick(figure.definition))
    named = (source.name, source.dated) if source else ("", "")
    return (*what, *basis, figure.on, *named)


async def ranking(visit: Visit) -> Table:
    """Return the provinces by how many of their places build."""
    found = await assessed(visit)
    asked = visit.asked("tier", at_most=40)
    tier = found.statistics.tier(asked) if asked else None
    ranks = found.statistics.provinces(tier)
    rows = [
        (r.place, "=" if r.tied else "", r.code, visit.words.pick(r.name), r.value) for r in ranks
    ]
    columns = ("place", "tied", "code", "name", "value")
    notes = [*_counted(found, visit), visit.words("assess.tie_rule"), *basis(found, visit)]
    title = visit.words.pick(tier.title) if tier else visit.words("assess.rankings")
    return Table("ranking", title, columns, rows, notes)


async def places(visit: Visit) -> Table:
    """Return what is directly below a place, with totals that add up."""
    found = await assessed(visit)
    branches = found.statistics.branches(visit.asked("code", at_most=40) or None)
    rows = [
        (b.code, visit.words.pick(b.name), b.level, b.own, b.total, b.before, b.places, b.state)
        for b in branches
    ]
    columns = ("code", "name", "level", "own", "total", "before", "places", "state")
    return Table("places", visit.words("assess.places"), columns, rows, notes(found, visit))


def notes(found: Assessed, visit: Visit) -> list[str]:
    """Return what a drill-down counts, that it adds up, of which days it is, and whose records it counts."""
    return [*_counted(found, visit), visit.words("assess.adds_up"), *basis(found, visit)]


def record_table(kind: Kind, found: Assessed, title: str) -> Table:
    """Return records in the columns in which they are imported; a place has a row a standing."""
    rows: list[list[Any]] = []
    for one in found.registry.records.get(kind.id, ()):
        if isinstance(one, Place):
            rows += place_rows(one)
        else:
            told = one.model_dump(mode="json")
            rows.append([told.get(name) for name in kind.columns])
    return Table(kind.id, title, kind.columns, rows)


def _counted(found: Assessed, visit: Visit) -> list[str]:
    if found.statistics.source is None:
        return []
    count = found.statistics.count()
    return [f"{visit.words('assess.definition')}: {visit.words.pick(count.definition)}"]


def basis(found: Assessed, visit: Visit) -> list[str]:
    """Return days and source of what was counted."""
    words, formats, statistics = visit.words, visit.formats, found.statistics
    days = words(
        "assess.compared", on=formats.day(statistics.on), before=formats.day(statistics.before)
    )
    past = [words("assess.known_note", day=formats.day(found.known))] if found.known else []
    source = statistics.source
    if source is None:
        return [days, *past]
    return [days, *past, f"{words('assess.source')}: {source.name} ({formats.day(source.dated)})"]


SCREENS = (
    twin("/assessment", figures, "csv"),
    twin("/assessment", figures, "xlsx"),
    twin("/assessment/ranking", ranking, "json"),
    twin("/assessment/ranking", ranking, "csv"),
    twin("/assessment/ranking", ranking, "xlsx"),
    twin("/assessment/places", places, "csv"),
    twin("/assessment/places", places, "xlsx"),
)
