"""Addresses of forecast quality."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from starlette.responses import Response

from chengmai.forecast.record import HORIZONS
from chengmai.kernel.problems import NotFound
from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.forecasts import view
from chengmai.web.cockpit.reviewing import Standing
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.visit import Visit

_HEADER = (
    *("vital", "pack", "sign", "area", "model", "version", "trained", "why_fitted"),
    *("shown", "because"),
    *("backtest_mae", "backtest_naive_mae", "backtest_skill", "backtest_coverage", "promised"),
    *("horizon", "points", "live_mae", "live_naive_mae", "live_skill", "live_coverage"),
)


async def show_list(visit: Visit) -> Response:
    found = await _list(visit)
    packs = await _packs(visit)
    made = view.list_view(found, packs, visit.asked("pack"), visit.first(), visit.formats)
    return visit.page("forecasts/list.html", view=made)


async def list_json(visit: Visit) -> Response:
    return as_json([_document(one) for one in await _list(visit)])


async def list_csv(visit: Visit) -> Response:
    rows = (row for one in await _list(visit) for row in _rows(one, visit))
    return as_csv(_HEADER, rows, "forecast-quality")


async def show(visit: Visit) -> Response:
    made = view.one_view(await _one(visit), visit.formats)
    return visit.page("forecasts/page.html", view=made)


async def one_json(visit: Visit) -> Response:
    return as_json(_document(await _one(visit)))


async def one_csv(visit: Visit) -> Response:
    return as_csv(_HEADER, _rows(await _one(visit), visit), "forecast-quality")


def _document(one: Standing) -> dict[str, Any]:
    look, record = one.forecast, one.record
    return {
        "vital": one.card.id,
        "pack": one.card.pack,
        "title": one.card.title,
        "area": one.card.area,
        "unit": one.card.unit,
        "forecast": None
        if look is None
        else {
            "model": look.model,
            "version": look.version,
            "trained": one.trained,
            "why_fitted": one.why_fitted,
            "shown": look.shown,
            "because": look.because,
            "promised": look.interval,
            "mae": look.mae,
            "naive_mae": look.naive_mae,
            "skill": look.skill,
            "coverage": look.coverage,
        },
        "live": None
        if record is None
        else {
            "forecasts": record.forecasts,
            "not_shown": record.unshown,
            "horizons": [
                {
                    "first": first,
                    "last": last,
                    "points": tally.points,
                    "mae": tally.mae,
                    "naive_mae": tally.naive_mae,
                    "share": tally.share,
                    "naive_share": tally.naive_share,
                    "skill": tally.skill,
                    "coverage": tally.coverage,
                }
                for (first, last), tally in zip(HORIZONS, record.by_horizon, strict=True)
            ],
            "versions": record.versions,
        },
    }


def _rows(one: Standing, visit: Visit) -> Iterator[tuple[Any, ...]]:
    card, look = one.card, one.forecast
    what = (card.id, card.pack, visit.words.pick(card.title), card.area)
    if look is None:
        yield (*what, *[None] * (len(_HEADER) - 4))
        return
    because = visit.words.pick(look.because)
    fit = (look.model, look.version, one.trained, one.why_fitted, look.shown, because)
    test = (look.mae, look.naive_mae, look.skill, look.coverage, look.interval)
    if one.record is None:
        yield (*what, *fit, *test, *[None] * 6)
        return
    for (first, last), tally in zip(HORIZONS, one.record.by_horizon, strict=True):
        live = (tally.points, tally.mae, tally.naive_mae, tally.skill, tally.coverage)
        yield (*what, *fit, *test, f"{first}-{last}", *live)


async def _list(visit: Visit) -> Sequence[Standing]:
    pack = visit.asked("pack") or None
    return await visit.parts.looking_back.standings(visit.actor, pack)


async def _one(visit: Visit) -> Standing:
    vital_id = visit.param("vital_id")
    await visit.desk.vital(visit.actor, vital_id)
    found = await visit.parts.looking_back.standings(visit.actor, vital_id=vital_id)
    if not found:
        raise NotFound(f"there is no vital sign {vital_id}", code="vitals.not_found")
    return found[0]


async def _packs(visit: Visit) -> list[tuple[str, str]]:
    cards = await visit.desk.board(visit.actor)
    return sorted({card.pack: visit.words.pick(card.pack_title) for card in cards}.items())


SCREENS = (
    Screen("/forecasts", show_list, VITALS),
    Screen("/forecasts.json", list_json, VITALS, quiet=True),
    Screen("/forecasts.csv", list_csv, VITALS, quiet=True),
    Screen("/vitals/{vital_id}/forecasts", show, VITALS),
    Screen("/vitals/{vital_id}/forecasts.json", one_json, VITALS, quiet=True),
    Screen("/vitals/{vital_id}/forecasts.csv", one_csv, VITALS, quiet=True),
)
