"""Keys and marks, explained; also the last address, which says that a page does not exist."""

from __future__ import annotations

from starlette.responses import Response

from chengmai.kernel.problems import NotFound
from chengmai.web.cockpit.access import SIGNED_IN
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.visit import Visit

_ANY = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


async def show(visit: Visit) -> Response:
    return visit.page("help/page.html")


async def no_such_page(visit: Visit) -> Response:
    raise NotFound("there is no such page", code="page.not_found")


SCREENS = (
    Screen("/help", show, SIGNED_IN),
    Screen("/{path:path}", no_such_page, SIGNED_IN, methods=_ANY),
)
