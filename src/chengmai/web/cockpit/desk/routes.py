"""Addresses of the duty desk."""

from __future__ import annotations

import asyncio

from starlette.responses import RedirectResponse, Response

from chengmai.rules.model import CommandState
from chengmai.web.cockpit.access import DESK, SIGNED_IN, home_of
from chengmai.web.cockpit.desk import view
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_json
from chengmai.web.cockpit.visit import Visit

MOST_WAITING = 20


async def show(visit: Visit) -> Response:
    """Show the desk; whoever has none is led to the first page of their rail."""
    if visit.actor.roles.isdisjoint(DESK):
        return RedirectResponse(home_of(visit.actor), 303)
    queue, strip, city, lines, waiting = await asyncio.gather(
        _queue(visit), _strip(visit), _map(visit), _lines(visit), _waiting(visit)
    )
    return visit.page(
        "desk/page.html", queue=queue, strip=strip, map=city, lines=lines, waiting=waiting
    )


async def queue_fragment(visit: Visit) -> Response:
    return visit.page("desk/_queue.html", queue=await _queue(visit))


async def strip_fragment(visit: Visit) -> Response:
    return visit.page("desk/_strip.html", strip=await _strip(visit))


async def map_fragment(visit: Visit) -> Response:
    return visit.page("desk/_map.html", map=await _map(visit))


async def places_fragment(visit: Visit) -> Response:
    return visit.page("desk/_places.html", map=await _map(visit))


async def lines_fragment(visit: Visit) -> Response:
    return visit.page("desk/_lines.html", lines=await _lines(visit), waiting=await _waiting(visit))


async def map_json(visit: Visit) -> Response:
    """Answer the shapes and places that the map in the browser draws."""
    base = await visit.desk.base_map()
    places = await visit.desk.abnormal_places(visit.actor)
    return as_json(view.map_data(base, places, visit.formats))


async def _waiting(visit: Visit) -> int:
    """Return how many commands wait for a person."""
    return len(await visit.desk.rules.commands(visit.actor, [CommandState.WAITING]))


async def _queue(visit: Visit) -> view.QueueView:
    work = await visit.desk.incidents.worklist(visit.actor, MOST_WAITING)
    return view.queue_view(work, visit.formats)


async def _strip(visit: Visit) -> view.StripView:
    return view.strip_view(await visit.desk.board(visit.actor), visit.formats)


async def _map(visit: Visit) -> view.MapView:
    base = await visit.desk.base_map()
    places = await visit.desk.abnormal_places(visit.actor)
    return view.map_view(base, places, visit.formats)


async def _lines(visit: Visit) -> view.LinesView:
    handover = await visit.desk.handover(visit.actor)
    return view.lines_view(handover, await visit.desk.feeds(visit.actor), visit.formats)


SCREENS = (
    Screen("/", show, SIGNED_IN),
    Screen("/map.json", map_json, DESK, quiet=True),
    Screen("/fragments/desk/queue", queue_fragment, DESK, quiet=True),
    Screen("/fragments/desk/strip", strip_fragment, DESK, quiet=True),
    Screen("/fragments/desk/map", map_fragment, DESK, quiet=True),
    Screen("/fragments/desk/places", places_fragment, DESK, quiet=True),
    Screen("/fragments/desk/lines", lines_fragment, DESK, quiet=True),
)
