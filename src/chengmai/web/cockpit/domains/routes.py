"""Addresses of a domain's page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.domains import view
from chengmai.web.cockpit.reviewing import Domain
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.visit import Visit


async def show(visit: Visit) -> Response:
    made = view.page_view(await _read(visit), visit.formats)
    return visit.page("domains/page.html", view=made)


async def data_json(visit: Visit) -> Response:
    return as_json(await _read(visit))


async def data_csv(visit: Visit) -> Response:
    """Answer one line a sign and area: value, usual range, what explains it, how good its forecasts are."""
    header = (
        *("id", "sign", "area", "level", "value", "unit", "low", "high", "like_for_like_change"),
        *("top_source", "top_area", "top_hour", "live_error", "live_naive_error", "coverage"),
    )
    return as_csv(header, _rows(await _read(visit), visit), "domain")


def _rows(domain: Domain, visit: Visit) -> Iterator[tuple[Any, ...]]:
    causes = {cause.card.id: cause for cause in domain.causes}
    records = {one.card.id: one.record for one in domain.standings}
    for card in domain.cards:
        cause, record = causes.get(card.id), records.get(card.id)
        tops: list[Any] = [None] * 4
        if cause is not None:
            found = (cause.by_entity, cause.by_area, cause.by_hour)
            tops = [cause.likeness.change]
            tops += [one.shares[0].key if one and one.shares else None for one in found]
        total = record.total if record else None
        live = (total.share, total.naive_share, total.coverage) if total else (None, None, None)
        what = (card.id, visit.words.pick(card.title), card.area, card.level, card.value, card.unit)
        yield (*what, card.expected_low, card.expected_high, *tops, *live)


async def _read(visit: Visit) -> Domain:
    return await visit.parts.looking_back.domain(visit.actor, visit.param("pack"))


SCREENS = (
    Screen("/domains/{pack}", show, VITALS),
    Screen("/domains/{pack}/data.json", data_json, VITALS, quiet=True),
    Screen("/domains/{pack}/data.csv", data_csv, VITALS, quiet=True),
)
