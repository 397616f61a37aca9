"""Addresses of cases."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from chengmai.kernel.problems import Forbidden, NotFound, Problem
from chengmai.web.cockpit.access import CASE, CASES, REPORT
from chengmai.web.cockpit.cases import report, view
from chengmai.web.cockpit.errors import describe
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.views import CaseFilter, CaseRow, StepOrder
from chengmai.web.cockpit.visit import Visit, link, local_path

LONGEST_NOTE = 500


async def show_list(visit: Visit) -> Response:
    return visit.page("cases/list.html", view=await _list(visit))


async def list_fragment(visit: Visit) -> Response:
    return visit.page("cases/_list.html", view=await _list(visit))


async def list_json(visit: Visit) -> Response:
    return as_json(await visit.desk.queue(visit.actor, _filter(visit)))


async def list_csv(visit: Visit) -> Response:
    found = await visit.desk.queue(visit.actor, _filter(visit))
    header = (
        "number",
        "title",
        "category",
        "state",
        "level",
        "area",
        "unit",
        "opened_at",
        "due_at",
    )
    rows = (_csv_row(row, visit) for row in found.rows)
    return as_csv(header, rows, "cases")


def _csv_row(case: CaseRow, visit: Visit) -> tuple[Any, ...]:
    pick = visit.words.pick
    names = (pick(case.title), pick(case.category), case.state, case.level, case.area)
    unit = pick(case.unit) if case.unit else ""
    return (case.number, *names, unit, case.opened_at, case.due_at)


async def show(visit: Visit) -> Response:
    done = bool(visit.asked("done", at_most=1))
    return await _case_page(visit, done=done)


async def facts_fragment(visit: Visit) -> Response:
    return visit.page("cases/_facts.html", view=await _page(visit))


async def log_fragment(visit: Visit) -> Response:
    return visit.page("cases/_log.html", view=await _page(visit))


async def data_json(visit: Visit) -> Response:
    case_id = visit.param("case_id")
    case = await visit.desk.case(visit.actor, case_id)
    return as_json({"case": case, "log": await visit.desk.case_log(visit.actor, case_id)})


async def take_step(visit: Visit) -> Response:
    """Take the step that the form asks for; when it cannot be taken, show the case and say why."""
    case_id, form = visit.param("case_id"), visit.form
    version = form.get("version", "")
    order = StepOrder(
        step=form.get("step", "")[:40],
        note=" ".join(form.get("note", "").split())[:LONGEST_NOTE],
        key=form.get("key", "")[:80],
        version=int(version) if version.isascii() and version.isdigit() else -1,
    )
    try:
        await visit.desk.take_step(visit.actor, case_id, order)
    except (NotFound, Forbidden):
        raise
    except Problem as problem:
        wrong = describe(problem, visit.words)
        return await _case_page(visit, wrong.status, wrong=wrong, tried=order)
    page = link("cases", case_id) + "?done=1#log"
    return visit.redirect(local_path(form.get("next", ""), otherwise=page))


async def show_form(visit: Visit) -> Response:
    return await _form_page(visit)


async def send_report(visit: Visit) -> Response:
    """Take the report and show its case, or the form again with what is wrong."""
    categories = await visit.desk.categories(visit.actor)
    ready, mistakes = report.check_report(visit.form, categories, visit.words)
    if ready is None:
        return await _form_page(visit, 422, mistakes)
    case_id = await visit.desk.report(visit.actor, ready)
    return visit.redirect(link("cases", case_id) + "?done=1")


async def _form_page(
    visit: Visit, status: int = 200, mistakes: dict[str, str] | None = None
) -> Response:
    categories, areas = await asyncio.gather(
        visit.desk.categories(visit.actor), visit.desk.areas(visit.actor)
    )
    form = report.report_form(categories, areas, visit.words, visit.form, mistakes)
    return visit.page("cases/report.html", status, form=form)


async def _case_page(visit: Visit, status: int = 200, **context: Any) -> Response:
    return visit.page("cases/page.html", status, view=await _page(visit), **context)


async def _page(visit: Visit) -> view.CasePageView:
    case_id = visit.param("case_id")
    case = await visit.desk.case(visit.actor, case_id)
    log, base = await asyncio.gather(
        visit.desk.case_log(visit.actor, case_id), visit.desk.base_map()
    )
    return view.page_view(case, log, base, visit.formats)


async def _list(visit: Visit) -> view.CaseListView:
    asked = _filter(visit)
    return view.list_view(await visit.desk.queue(visit.actor, asked), asked, visit.formats)


def _filter(visit: Visit) -> CaseFilter:
    return CaseFilter(
        open_only=visit.asked("closed") != "1",
        state=visit.asked("state") or None,
        level=visit.asked("level") or None,
        area=visit.asked("area") or None,
        text=visit.asked("q") or None,
        limit=view.PAGE,
        offset=visit.first(),
    )


SCREENS = (
    Screen("/cases", show_list, CASES),
    Screen("/cases.json", list_json, CASES, quiet=True),
    Screen("/cases.csv", list_csv, CASES, quiet=True),
    Screen("/fragments/cases", list_fragment, CASES, quiet=True),
    Screen("/cases/new", show_form, REPORT),
    Screen("/cases/new", send_report, REPORT, methods=("POST",)),
    Screen("/cases/{case_id}", show, CASE),
    Screen("/cases/{case_id}/data.json", data_json, CASE, quiet=True),
    Screen("/cases/{case_id}/steps", take_step, CASE, methods=("POST",)),
    Screen("/fragments/cases/{case_id}/facts", facts_fragment, CASE, quiet=True),
    Screen("/fragments/cases/{case_id}/log", log_fragment, CASE, quiet=True),
)
