"""From the country down to a place: totals that add up, and what is known of one place."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from chengmai.assess.model import Investment, Programme
from chengmai.assess.service import Assessed
from chengmai.assess.statistics import Branch
from chengmai.web.cockpit.assess.asked import assessed
from chengmai.web.cockpit.assess.view import BranchLine, branch_line, query_of
from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.twins import as_json
from chengmai.web.cockpit.visit import Visit

MOST_LINES = 500


@dataclass(frozen=True)
class PlacePage:
    data: str
    on: str
    before: str
    query: str
    code: str
    name: str
    crumbs: tuple[tuple[str, str], ...]
    whole: BranchLine | None
    lines: tuple[BranchLine, ...]
    sum_total: str
    sum_before: str
    standings: tuple[tuple[str, str, str, str], ...]
    programmes: tuple[ProgrammeLine, ...]


@dataclass(frozen=True)
class ProgrammeLine:
    """A programme with its plans, money and results, as they are printed."""

    id: str
    title: str
    state: str
    days: str
    source: str
    plans: tuple[str, ...]
    money: tuple[tuple[str, str], ...]
    projects: tuple[str, ...]
    results: tuple[tuple[str, str, str], ...]


async def show(visit: Visit) -> Response:
    return visit.page(
        "assess/places.html", view=_page(await assessed(visit), _code(visit), visit.formats)
    )


async def data_json(visit: Visit) -> Response:
    found, code = await assessed(visit), _code(visit)
    whole = found.statistics.branch(code) if code else None
    return as_json(
        {"place": whole, "below": found.statistics.branches(code), "on": found.statistics.on}
    )


def _code(visit: Visit) -> str | None:
    return visit.asked("code", at_most=40) or None


def _page(found: Assessed, code: str | None, formats: Formats) -> PlacePage:
    words, statistics = formats.words, found.statistics
    day = statistics.now.day
    whole = statistics.branch(code) if code else None
    below = statistics.branches(code)
    path = day.spot(code).path if code else ()
    own, own_before = _own(whole, statistics.then.builders)
    return PlacePage(
        data=found.data,
        on=statistics.on.isoformat(),
        before=statistics.before.isoformat(),
        query=query_of(found),
        code=code or "",
        name=words.pick(whole.name) if whole else words("assess.country"),
        crumbs=tuple((one, words.pick(day.spots[one].name)) for one in path),
        whole=branch_line(whole, formats) if whole else None,
        lines=tuple(branch_line(one, formats) for one in below[:MOST_LINES]),
        sum_total=formats.number(own + sum(one.total for one in below)),
        sum_before=formats.number(own_before + sum(one.before for one in below)),
        standings=_standings(found, code, formats) if code else (),
        programmes=tuple(
            programme_line(one, found, formats)
            for one in found.registry.programmes
            if code and day.standing_for(one.place) == code
        ),
    )


def _own(whole: Branch | None, then: frozenset[str]) -> tuple[int, int]:
    return (whole.own, int(whole.code in then)) if whole else (0, 0)


def _standings(
    found: Assessed, code: str, formats: Formats
) -> tuple[tuple[str, str, str, str], ...]:
    words = formats.words
    place = found.registry.gazetteer.place(code)
    return tuple(
        (
            words.pick(one.name),
            words(f"assess.level.{one.level}"),
            one.parent or "–",
            words("assess.always")
            if one.valid_from is None and one.valid_until is None
            else f"{formats.day(one.valid_from)} – {formats.day(one.valid_until)}",
        )
        for one in place.standings
    )


def programme_line(one: Programme, found: Assessed, formats: Formats) -> ProgrammeLine:
    """Return a programme with all that belongs to it."""
    words, registry = formats.words, found.registry
    days = [one.planned_on, one.started_on, one.operating_on, one.stopped_on]
    return ProgrammeLine(
        id=one.id,
        title=one.title,
        state=words(f"assess.state.{one.state(found.statistics.on)}"),
        days=" → ".join(formats.day(day) for day in days if day is not None),
        source=f"{one.source} ({formats.day(one.source_date)})",
        plans=tuple(f"{p.title} – {p.document}" for p in registry.plans if p.programme == one.id),
        money=money([i for i in registry.investments if i.programme == one.id], formats),
        projects=tuple(p.title for p in registry.projects if p.programme == one.id),
        results=tuple(
            (
                r.title,
                f"{formats.number(r.baseline, 2)} → {formats.number(r.value, 2)} {r.unit}",
                words(f"assess.verdict.{r.verdict}"),
            )
            for r in registry.results
            if r.programme == one.id
        ),
    )


def money(investments: list[Investment], formats: Formats) -> tuple[tuple[str, str], ...]:
    """Return what was planned, arrived and spent, in 万元, whatever unit it came in."""
    words = formats.words
    made = []
    for kind in ("planned", "arrived", "spent"):
        amounts = [one.yuan for one in investments if one.kind == kind]
        if amounts:
            total = words("assess.ten_thousand", n=formats.number(float(sum(amounts) / 10_000), 2))
            made.append((words(f"assess.money.{kind}"), total))
    return tuple(made)
