"""The catalogue of indicators and the page of each, with what the platform works out of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from chengmai.assess.live.model import Live
from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.assess import indicator_view as view
from chengmai.web.cockpit.assess.exports import twin
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.tables import Table
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.visit import Visit

_LISTED = 20
"""Entities of each indicator that the list names; its own page names more."""


async def _chosen(visit: Visit) -> tuple[Sequence[Live], list[Live]]:
    every = await visit.desk.indicators.all(visit.actor)
    domain, state = visit.asked("domain", at_most=40), visit.asked("state", at_most=20)
    return every, view.chosen(every, domain, state)


async def show(visit: Visit) -> Response:
    every, chosen = await _chosen(visit)
    domain, state = visit.asked("domain", at_most=40), visit.asked("state", at_most=20)
    page = view.catalogue_page(every, chosen, domain, state, visit.formats)
    return visit.page("assess/indicators.html", view=page)


async def data_json(visit: Visit) -> Response:
    _, chosen = await _chosen(visit)
    return as_json([_document(one, _LISTED) for one in chosen])


async def table(visit: Visit) -> Table:
    """Return the indicators with what is worked out of them, each with formula, source and trust."""
    header = (
        *("id", "name", "name_en", "domain", "state", "value", "unit", "numerator", "denominator"),
        *("from", "until", "grade", "complete", "timely", "covered", "entities", "computed_at"),
        *("how", "because", "formula", "iso_37122", "source", "trust"),
    )
    _, chosen = await _chosen(visit)
    rows = [_row(one, visit) for one in chosen]
    notes = [visit.words("assess.indicators_note")]
    return Table("indicators", visit.words("assess.indicators"), header, rows, notes)


async def show_one(visit: Visit) -> Response:
    found = await visit.desk.indicators.one(visit.actor, visit.param("id"))
    past = await visit.desk.indicators.past(visit.actor, found.indicator.id)
    page = view.indicator_page(found, past, visit.formats)
    return visit.page("assess/indicator.html", view=page)


async def one_json(visit: Visit) -> Response:
    """Answer the indicator with its past and up to 1,000 of the entities it comes from."""
    found = await visit.desk.indicators.one(visit.actor, visit.param("id"))
    past = await visit.desk.indicators.past(visit.actor, found.indicator.id)
    return as_json({**_document(found, None), "past": past})


async def one_csv(visit: Visit) -> Response:
    """Answer the values of days: those written down, and those of the period where they add up."""
    found = await visit.desk.indicators.one(visit.actor, visit.param("id"))
    past = await visit.desk.indicators.past(visit.actor, found.indicator.id)
    rows = [("recorded", point.at, point.value) for point in past]
    days = [("day", day.isoformat(), value) for day, value in found.days]
    return as_csv(("kind", "at", "value"), [*rows, *days], found.indicator.id)


def _document(found: Live, listed: int | None) -> dict[str, Any]:
    return {**vars(found), "entities": found.entities[:listed]}


def _row(found: Live, visit: Visit) -> tuple[Any, ...]:
    one, pick, quality = found.indicator, visit.words.pick, found.quality
    period = found.period or ("", "")
    grades: tuple[Any, ...] = ("", "", "", "")
    if quality is not None:
        grades = (quality.grade, quality.complete, quality.fresh, quality.covered)
    return (
        *(one.id, one.name, one.name_en, pick(one.domain_title), found.state, found.value),
        *(one.unit_in(visit.words.lang), found.numerator, found.denominator, *period, *grades),
        *(found.entity_count, found.computed_at, pick(found.how) if found.how else ""),
        *(pick(found.because) if found.because else "", pick(one.definition), one.iso_37122),
        *(one.source, one.trust),
    )


_ONE = "/assessment/indicators/{id}"
SCREENS = (
    Screen("/assessment/indicators", show, VITALS),
    Screen("/assessment/indicators.json", data_json, VITALS, quiet=True),
    twin("/assessment/indicators", table, "csv"),
    twin("/assessment/indicators", table, "xlsx"),
    Screen(f"{_ONE}/data.json", one_json, VITALS, quiet=True),
    Screen(f"{_ONE}/data.csv", one_csv, VITALS, quiet=True),
    Screen(_ONE, show_one, VITALS),
)
