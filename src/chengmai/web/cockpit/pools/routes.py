"""Addresses of pools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from chengmai.kernel.problems import Forbidden, Invalid, NotFound, Problem
from chengmai.web.cockpit.access import POOLS
from chengmai.web.cockpit.errors import describe
from chengmai.web.cockpit.pools import view
from chengmai.web.cockpit.pools.views import DecisionOrder, PoolDetail
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.visit import Visit, link

LONGEST_REASON = 500
_MOST_UNITS = 1_000_000
_USE = ("used", "waiting", "capacity", "utilisation", "idle_unit_hours_7d", "short_unit_hours_7d")


async def show_list(visit: Visit) -> Response:
    cards = await visit.desk.pools.pools(visit.actor)
    return visit.page(
        "pools/list.html",
        view=view.list_view(cards, visit.asked("pack"), visit.formats),
        awaited=[visit.words.pick(title) for title in await visit.desk.pools.awaited(visit.actor)],
    )


async def list_json(visit: Visit) -> Response:
    cards = await visit.desk.pools.pools(visit.actor)
    return as_json(view.chosen(cards, visit.asked("pack")))


async def list_csv(visit: Visit) -> Response:
    cards = view.chosen(await visit.desk.pools.pools(visit.actor), visit.asked("pack"))
    pick = visit.words.pick
    rows = (
        (c.pack, c.pool, pick(c.title), pick(c.unit), c.at, *view.sums_row(c.sums), c.why)
        for c in cards
    )
    return as_csv(("pack", "pool", "title", "unit", "at", *_USE, "outlook"), rows, "pools")


async def show(visit: Visit) -> Response:
    return await _page(visit, done=bool(visit.asked("done", at_most=1)))


async def data_json(visit: Visit) -> Response:
    """Answer everything the page shows; the week as a list of its hours."""
    detail = await _detail(visit)
    week = [
        {"weekday": day, "hour": hour, "utilisation": share}
        for (day, hour), share in sorted(detail.week.items())
    ]
    return as_json({**vars(detail), "week": week})


async def data_csv(visit: Visit) -> Response:
    """Answer the members with their use and what is expected of each in every step, told apart by "
    "`kind`."""
    header = ("member", "area", "kind", "at", *_USE, "median", "low", "high", "naive", "basis")
    return as_csv(header, _csv_rows(await _detail(visit)), "pool")


def _csv_rows(detail: PoolDetail) -> Iterator[tuple[Any, ...]]:
    for one in detail.members:
        who = (one.id, one.area)
        yield (*who, "use", detail.card.at, *view.sums_row(one.sums), *(None,) * 5)
        for p in one.ahead.points if one.ahead else ():
            basis = one.ahead.basis if one.ahead else ""
            yield (*who, "expected", p.at, *(None,) * 6, p.median, p.low, p.high, p.naive, basis)


async def decide(visit: Visit) -> Response:
    """Decide on the suggestion that the form names; when that cannot be, show the pool and say why."""
    form = visit.form
    reason = " ".join(form.get("reason", "").split())[:LONGEST_REASON]
    try:
        order = DecisionOrder(
            form.get("decision", "")[:20], reason, _amounts(form), form.get("key", "")[:80]
        )
        await visit.desk.pools.decide(visit.actor, form.get("suggestion", "")[:300], order)
    except (NotFound, Forbidden):
        raise
    except Problem as problem:
        wrong = describe(problem, visit.words)
        return await _page(visit, wrong.status, wrong=wrong, tried=form)
    path = link("pools", visit.param("pack"), visit.param("pool"))
    return visit.redirect(f"{path}?done=1#suggestion")


def _amounts(form: dict[str, str]) -> dict[int, int]:
    """Return the units of each move that the form holds; raises `Invalid` for what is no number."""
    found = {}
    for name, text in form.items():
        number = name.removeprefix("units.")
        if name == number or not (number.isascii() and number.isdigit()):
            continue
        units = text.strip()
        if not (units.isascii() and units.isdigit()) or int(units[:9]) > _MOST_UNITS:
            raise Invalid(
                f"move {number}: {text[:20]!r} is no number of units",
                code="pool.amount.unreadable",
                param=name,
                fix="write a whole number, 0 to leave the move out",
                move=number,
            )
        found[int(number[:4])] = int(units)
    return found


async def _page(visit: Visit, status: int = 200, **context: Any) -> Response:
    page = view.page_view(await _detail(visit), visit.formats)
    return visit.page("pools/page.html", status, view=page, **context)


async def _detail(visit: Visit) -> PoolDetail:
    return await visit.desk.pools.pool(visit.actor, visit.param("pack"), visit.param("pool"))


SCREENS = (
    Screen("/pools", show_list, POOLS),
    Screen("/pools.json", list_json, POOLS, quiet=True),
    Screen("/pools.csv", list_csv, POOLS, quiet=True),
    Screen("/pools/{pack}/{pool}", show, POOLS),
    Screen("/pools/{pack}/{pool}/data.json", data_json, POOLS, quiet=True),
    Screen("/pools/{pack}/{pool}/data.csv", data_csv, POOLS, quiet=True),
    Screen("/pools/{pack}/{pool}/decide", decide, POOLS, methods=("POST",)),
)
