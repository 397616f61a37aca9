"""Addresses of incidents."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from chengmai.kernel.problems import Forbidden, NotFound, Problem
from chengmai.web.cockpit.access import DESK, VITALS
from chengmai.web.cockpit.errors import describe
from chengmai.web.cockpit.incidents import view
from chengmai.web.cockpit.incidents.shown import IncidentFilter, IncidentOrder
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.visit import Visit, link, local_path

LONGEST_NOTE = 500


async def show_list(visit: Visit) -> Response:
    return visit.page("incidents/list.html", view=await _list(visit))


async def list_fragment(visit: Visit) -> Response:
    return visit.page("incidents/_list.html", view=await _list(visit))


async def list_json(visit: Visit) -> Response:
    return as_json(await visit.desk.incidents.list(visit.actor, _filter(visit)))


async def list_csv(visit: Visit) -> Response:
    found = await visit.desk.incidents.list(visit.actor, _filter(visit))
    header = (
        "number",
        "title",
        "nature",
        "state",
        "level",
        "areas",
        "members",
        "standing",
        "since",
        "ended",
    )
    pick = visit.words.pick
    rows = (
        (
            one.number,
            pick(one.title),
            one.nature,
            one.state,
            one.level,
            "; ".join(one.areas),
            one.members,
            one.standing,
            one.since,
            one.ended_at,
        )
        for one in found.rows
    )
    return as_csv(header, rows, "incidents")


async def show(visit: Visit) -> Response:
    return await _room(visit, done=bool(visit.asked("done", at_most=1)))


async def timeline_fragment(visit: Visit) -> Response:
    return visit.page("incidents/_timeline.html", view=await _view(visit))


async def members_fragment(visit: Visit) -> Response:
    return visit.page("incidents/_members.html", view=await _view(visit))


async def data_json(visit: Visit) -> Response:
    return as_json(await visit.desk.incidents.one(visit.actor, visit.param("incident_id")))


async def decide(visit: Visit) -> Response:
    """Carry out what the form asks for; when that cannot be, show the room and say why."""
    incident_id, form = visit.param("incident_id"), visit.form
    version = form.get("version", "")
    order = IncidentOrder(
        step=form.get("step", "")[:40],
        reason=form.get("reason", "")[:40],
        note=" ".join(form.get("note", "").split())[:LONGEST_NOTE],
        key=form.get("key", "")[:80],
        version=int(version) if version.isascii() and version.isdigit() else -1,
        other=form.get("other", "")[:200],
        members=tuple(value for name, value in form.items() if name.startswith("member.")),
    )
    try:
        await visit.desk.incidents.decide(visit.actor, incident_id, order)
    except (NotFound, Forbidden):
        raise
    except Problem as problem:
        wrong = describe(problem, visit.words)
        return await _room(visit, wrong.status, wrong=wrong, tried=order)
    page = link("incidents", incident_id) + "?done=1"
    return visit.redirect(local_path(form.get("next", ""), otherwise=page))


async def show_review(visit: Visit) -> Response:
    found = await visit.desk.incidents.review(visit.actor)
    rows = view.review_rows(found, visit.formats)
    return visit.page("incidents/review.html", review=found, rows=rows)


async def review_json(visit: Visit) -> Response:
    return as_json(await visit.desk.incidents.review(visit.actor))


async def review_csv(visit: Visit) -> Response:
    found = await visit.desk.incidents.review(visit.actor)
    return as_csv(("figure", "value"), list(vars(found).items()), "alarms")


async def _room(visit: Visit, status: int = 200, **context: Any) -> Response:
    return visit.page("incidents/page.html", status, view=await _view(visit), **context)


async def _view(visit: Visit) -> view.RoomView:
    found = await visit.desk.incidents.one(visit.actor, visit.param("incident_id"))
    return view.room_view(found, visit.formats)


async def _list(visit: Visit) -> view.IncidentListView:
    asked = _filter(visit)
    found = await visit.desk.incidents.list(visit.actor, asked)
    return view.list_view(found, asked, visit.formats)


def _filter(visit: Visit) -> IncidentFilter:
    return IncidentFilter(
        state=visit.asked("state", at_most=20) or "open",
        limit=view.PAGE,
        offset=visit.first(),
    )


SCREENS = (
    Screen("/incidents", show_list, VITALS),
    Screen("/incidents.json", list_json, VITALS, quiet=True),
    Screen("/incidents.csv", list_csv, VITALS, quiet=True),
    Screen("/fragments/incidents", list_fragment, VITALS, quiet=True),
    Screen("/incidents/review", show_review, DESK),
    Screen("/incidents/review.json", review_json, DESK, quiet=True),
    Screen("/incidents/review.csv", review_csv, DESK, quiet=True),
    Screen("/incidents/{incident_id}", show, VITALS),
    Screen("/incidents/{incident_id}/data.json", data_json, VITALS, quiet=True),
    Screen("/incidents/{incident_id}/decisions", decide, VITALS, methods=("POST",)),
    Screen("/fragments/incidents/{incident_id}/timeline", timeline_fragment, VITALS, quiet=True),
    Screen("/fragments/incidents/{incident_id}/members", members_fragment, VITALS, quiet=True),
)
