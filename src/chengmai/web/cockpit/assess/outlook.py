"""The outlook of a city or a group: page, paper and twins; the button that keeps its forecasts."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, Response

from chengmai.assess.model import LEVELS
from chengmai.assess.outlook.model import Report
from chengmai.assess.registry import DataSet
from chengmai.kernel.problems import Invalid
from chengmai.trust.policy import may
from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.assess.asked import asked_day
from chengmai.web.cockpit.assess.exports import twin
from chengmai.web.cockpit.assess.printed import as_html
from chengmai.web.cockpit.assess.report import columns, report_view, row
from chengmai.web.cockpit.errors import describe
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.tables import Table
from chengmai.web.cockpit.visit import Visit

_ASKED = ("place", "group", "level", "peers", "on", "data")
_OFFERED = 4_000


async def show(visit: Visit) -> Response:
    return await _show(visit, _asked(visit))


async def _show(visit: Visit, asked: dict[str, str], message: str = "") -> Response:
    report, wrong = None, ""
    if asked["place"] or asked["group"]:
        try:
            report = await _report(visit, asked)
        except Invalid as problem:
            wrong = describe(problem, visit.words).title
    data: DataSet = "example" if asked["data"] == "example" else "own"
    day = asked_day(visit, "on", asked["on"])
    place, group = asked["place"] or None, asked["group"] or None
    found = await visit.desk.assess.assessed(
        visit.actor, data=data, on=day, place=place, group=group
    )
    columns = await visit.desk.assess.columns(visit.actor, data)
    spots, words = found.statistics.now.day.spots, visit.words
    known = [code for code in columns.book.places.codes if code in spots]
    own, name = visit.desk.outlook.own_place
    cities = [(own, words.pick(name))] if data == "own" and own not in known else []
    return visit.page(
        "assess/outlook.html",
        view=report_view(report, _query(asked), visit.formats) if report else None,
        asked=asked,
        places=[
            *cities,
            *((code, words.pick(spots[code].name)) for code in sorted(known)[:_OFFERED]),
        ],
        groups=[(one.id, words.pick(one.title)) for one in found.statistics.frame.groups],
        levels=[(level, words(f"assess.level.{level}")) for level in LEVELS],
        may_manage=may(visit.actor, "assess.manage") and data == "own",
        data=data,
        message=message,
        wrong=wrong,
        status=400 if wrong else 200,
    )


async def paper(visit: Visit) -> Response:
    """Answer the report as a PDF file."""
    from chengmai.web.cockpit.assess.paper import as_pdf  # loads what only paper needs

    asked = _asked(visit)
    view = report_view(await _report(visit, asked), _query(asked), visit.formats)
    base, font = str(visit.request.base_url), visit.parts.settings.report_font
    body = await asyncio.to_thread(as_pdf, view, visit.words, base, font)
    return Response(
        body,
        media_type="application/pdf",
        headers={"Content-Disposition": 'inline; filename="outlook.pdf"'},
    )


async def html(visit: Visit) -> Response:
    """Answer the report as a file that needs nothing else."""
    asked = _asked(visit)
    view = report_view(await _report(visit, asked), _query(asked), visit.formats)
    return HTMLResponse(
        as_html(view, visit.words, str(visit.request.base_url)),
        headers={"Content-Disposition": 'attachment; filename="outlook.html"'},
    )


async def table(visit: Visit) -> Table:
    """Return the lines of a report with its notes."""
    asked = _asked(visit)
    report = await _report(visit, asked)
    view = report_view(report, _query(asked), visit.formats)
    shown = zip(report.lines, view.lines, strict=True)
    rows = [row(line, one, visit.words.lang) for line, one in shown]
    notes = [note.text for note in view.notes]
    if report.is_example:
        notes.append(visit.words("outlook.example_note"))
    return Table("outlook", view.title, columns(), rows, notes)


async def keep(visit: Visit) -> Response:
    """Keep the forecasts of a report, and say how many are new."""
    asked = {name: visit.form.get(name, "").strip()[:40] for name in _ASKED}
    stored = await visit.desk.outlook.keep(visit.actor, await _report(visit, asked))
    facts = {"new": stored.new, "same": stored.same, "filled": stored.filled}
    return await _show(visit, asked, visit.words("outlook.kept", **facts))


def _asked(visit: Visit) -> dict[str, str]:
    return {name: visit.asked(name, at_most=40) for name in _ASKED}


def _query(asked: dict[str, str]) -> str:
    return urlencode({name: value for name, value in asked.items() if value})


async def _report(visit: Visit, asked: dict[str, str]) -> Report:
    return await visit.desk.outlook.report(
        visit.actor,
        place=asked["place"] or None,
        group=asked["group"] or None,
        level=asked["level"] or None,
        peers=asked["peers"] or None,
        on=asked_day(visit, "on", asked["on"]),
        data="example" if asked["data"] == "example" else "own",
    )


SCREENS = (
    Screen("/assessment/outlook", show, VITALS),
    Screen("/assessment/outlook.pdf", paper, VITALS, quiet=True),
    Screen("/assessment/outlook.html", html, VITALS, quiet=True),
    twin("/assessment/outlook", table, "json"),
    twin("/assessment/outlook", table, "csv"),
    twin("/assessment/outlook", table, "xlsx"),
    Screen("/assessment/outlook/keep", keep, VITALS, methods=("POST",)),
)
