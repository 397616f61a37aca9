"""Addresses of the vital signs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from chengmai.web.cockpit.access import REPORT, VITALS
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.views import VitalCard, VitalDetail, VitalHistory
from chengmai.web.cockpit.visit import Visit, link
from chengmai.web.cockpit.vitals import listing, view


async def show_list(visit: Visit) -> Response:
    return visit.page("vitals/list.html", view=await _list(visit))


async def list_fragment(visit: Visit) -> Response:
    return visit.page("vitals/_list.html", view=await _list(visit))


async def list_json(visit: Visit) -> Response:
    return as_json(listing.chosen(await visit.desk.board(visit.actor), _filter(visit)))


async def list_csv(visit: Visit) -> Response:
    cards = listing.chosen(await visit.desk.board(visit.actor), _filter(visit))
    header = ("id", "pack", "sign", "area", "level", "value", "unit", "observed_at", "low", "high")
    return as_csv(header, (_list_row(card, visit) for card in cards), "vitals")


def _list_row(card: VitalCard, visit: Visit) -> tuple[Any, ...]:
    what = (card.id, card.pack, visit.words.pick(card.title), card.area)
    usual = (card.expected_low, card.expected_high)
    return (*what, card.level, card.value, card.unit, card.observed_at, *usual)


async def show(visit: Visit) -> Response:
    return visit.page("vitals/page.html", view=await _page(visit))


async def front_fragment(visit: Visit) -> Response:
    return visit.page("vitals/_front.html", view=await _page(visit))


async def chart_fragment(visit: Visit) -> Response:
    return visit.page("vitals/_chart.html", view=await _page(visit))


async def data_json(visit: Visit) -> Response:
    """Answer the page's data: the sign, its history in the range asked for, baseline and forecast."""
    vital, history, _ = await _read(visit)
    return as_json({"vital": vital, "history": history, "now": visit.formats.now})


async def data_csv(visit: Visit) -> Response:
    """Answer one table of what was and what is expected, told apart by `kind`."""
    vital, history, _ = await _read(visit)
    header = ("at", "kind", "value", "low", "high", "unit")
    return as_csv(header, _csv_rows(vital, history), "vital")


def _csv_rows(vital: VitalDetail, history: VitalHistory) -> Iterator[tuple[Any, ...]]:
    usual = {point.at: point for point in history.baseline}
    for point in history.points:
        band = usual.get(point.at)
        low, high = (band.low, band.high) if band else (None, None)
        yield (point.at, "observed", point.value, low, high, vital.card.unit)
    if vital.forecast and vital.forecast.shown:
        for ahead in vital.forecast.points:
            yield (ahead.at, "forecast", ahead.median, ahead.low, ahead.high, vital.card.unit)


async def open_case(visit: Visit) -> Response:
    """Open a case about the sign and show it."""
    key = visit.form.get("key", "")[:80]
    case_id = await visit.desk.open_case(visit.actor, visit.param("vital_id"), key)
    return visit.redirect(link("cases", case_id) + "?done=1")


async def _page(visit: Visit) -> view.VitalPageView:
    vital, history, chosen = await _read(visit)
    return view.page_view(vital, history, chosen, visit.formats)


async def _read(visit: Visit) -> tuple[VitalDetail, VitalHistory, str]:
    chosen = view.range_named(visit.asked("range"))
    vital_id, now = visit.param("vital_id"), visit.formats.now
    vital = await visit.desk.vital(visit.actor, vital_id)
    start = now - view.RANGES[chosen]
    return vital, await visit.desk.vital_history(visit.actor, vital_id, start, now), chosen


async def _list(visit: Visit) -> listing.VitalListView:
    cards = await visit.desk.board(visit.actor)
    return listing.list_view(cards, _filter(visit), visit.first(), visit.formats)


def _filter(visit: Visit) -> listing.ListFilter:
    return listing.ListFilter(visit.asked("pack"), visit.asked("level"), visit.asked("q"))


SCREENS = (
    Screen("/vitals", show_list, VITALS),
    Screen("/vitals.json", list_json, VITALS, quiet=True),
    Screen("/vitals.csv", list_csv, VITALS, quiet=True),
    Screen("/fragments/vitals", list_fragment, VITALS, quiet=True),
    Screen("/vitals/{vital_id}", show, VITALS),
    Screen("/vitals/{vital_id}/case", open_case, REPORT, methods=("POST",)),
    Screen("/vitals/{vital_id}/data.json", data_json, VITALS, quiet=True),
    Screen("/vitals/{vital_id}/data.csv", data_csv, VITALS, quiet=True),
    Screen("/fragments/vitals/{vital_id}/front", front_fragment, VITALS, quiet=True),
    Screen("/fragments/vitals/{vital_id}/chart", chart_fragment, VITALS, quiet=True),
)
