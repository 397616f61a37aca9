"""Search for anything by number, name or place."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from starlette.responses import Response

from chengmai.web.cockpit.access import SEARCH
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_json
from chengmai.web.cockpit.views import Level, SearchHit
from chengmai.web.cockpit.visit import Visit, link


@dataclass(frozen=True)
class HitLine:
    href: str
    kind: str
    title: str
    detail: str
    level: Level | None


async def show(visit: Visit) -> Response:
    text = _asked(visit)
    hits = await visit.desk.search(visit.actor, text) if text else ()
    return visit.page("search/page.html", text=text, hits=[_line(hit, visit) for hit in hits])


async def data_json(visit: Visit) -> Response:
    text = _asked(visit)
    return as_json(list(await visit.desk.search(visit.actor, text)) if text else [])


def _asked(visit: Visit) -> str:
    """Return the text asked for, full-width forms made plain (NFKC)."""
    return unicodedata.normalize("NFKC", visit.asked("q"))


def _line(hit: SearchHit, visit: Visit) -> HitLine:
    href = "/feeds" if hit.kind == "feed" else link(f"{hit.kind}s", hit.id)
    words = visit.words
    return HitLine(href, words(f"place.{hit.kind}"), words.pick(hit.title), hit.detail, hit.level)


SCREENS = (
    Screen("/search", show, SEARCH),
    Screen("/search.json", data_json, SEARCH, quiet=True),
)
