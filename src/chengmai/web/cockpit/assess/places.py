"""From the country down to a place: totals that add up, and what is known of one place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from starlette.responses import Response

from chengmai.assess.model import Standing
from chengmai.assess.registry import Assessed
from chengmai.assess.statistics import Branch
from chengmai.trust.policy import may
from chengmai.web.cockpit.assess.asked import asked_day, assessed, today
from chengmai.web.cockpit.assess.exports import notes
from chengmai.web.cockpit.assess.programmes import ProgrammeLine, Programmes
from chengmai.web.cockpit.assess.view import (
    BranchLine,
    branch_line,
    countries_of,
    level_name,
    query_of,
)
from chengmai.web.cockpit.formats import NO_VALUE, Formats
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
    known: str
    known_day: date | None
    country: str
    country_name: str
    countries: tuple[tuple[str, str], ...]
    crumbs: tuple[tuple[str, str], ...]
    whole: BranchLine | None
    lines: tuple[BranchLine, ...]
    sum_total: str
    sum_before: str
    standings: tuple[tuple[str, str, str, str], ...]
    programmes: tuple[ProgrammeLine, ...]


async def show(visit: Visit) -> Response:
    return await _show(visit)


async def _show(visit: Visit, code: str | None = None, message: str = "") -> Response:
    return _shown(visit, await assessed(visit), code or _code(visit), message)


def _shown(visit: Visit, found: Assessed, code: str | None, message: str) -> Response:
    return visit.page(
        "assess/places.html",
        view=_page(found, code, visit.formats),
        notes=notes(found, visit),
        may_manage=may(visit.actor, "assess.manage") and found.data == "own",
        message=message,
    )


async def move(visit: Visit) -> Response:
    """Let a place belong to another one from a day on."""
    code, to = visit.form.get("code", "").strip(), visit.form.get("to", "").strip()
    on = asked_day(visit, "from", visit.form.get("from", ""))
    if on is None:
        on = today(visit)
    await visit.desk.assess.move(visit.actor, code, to, on)
    facts = {"code": code, "to": to, "day": visit.formats.day(on)}
    return await _show(visit, code, visit.words("assess.moved", **facts))


async def take_in_country(visit: Visit) -> Response:
    """Take in the package of a country, and show its places."""
    package = await visit.desk.assess.take_in_country(visit.actor, visit.form.get("package", ""))
    found = await visit.desk.assess.assessed(visit.actor, country=package.id)
    facts = {"country": visit.words.pick(package.title)}
    return _shown(visit, found, None, visit.words("assess.country_taken", **facts))


async def package_json(visit: Visit) -> Response:
    """Answer the package of a country as it is taken in."""
    found = await assessed(visit)
    package = found.registry.package(found.country)
    return as_json(package.model_dump(mode="json", exclude_defaults=True) if package else {})


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
    cards = Programmes(found, formats)
    own, own_before = _own(whole, statistics.then.builders)
    return PlacePage(
        data=found.data,
        on=statistics.on.isoformat(),
        before=statistics.before.isoformat(),
        query=query_of(found),
        code=code or "",
        name=words.pick(whole.name if whole else statistics.frame.title),
        known=found.known.isoformat() if found.known else "",
        known_day=found.known,
        country=found.country,
        country_name=words.pick(statistics.frame.title),
        countries=countries_of(found, formats),
        crumbs=tuple((one, words.pick(day.spots[one].name)) for one in path),
        whole=branch_line(whole, statistics.frame, formats) if whole else None,
        lines=tuple(branch_line(one, statistics.frame, formats) for one in below[:MOST_LINES]),
        sum_total=formats.number(own + sum(one.total for one in below)),
        sum_before=formats.number(own_before + sum(one.before for one in below)),
        standings=_standings(found, code, formats) if code else (),
        programmes=tuple(
            cards.line(one)
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
    gazetteer = found.registry.gazetteer

    def span(one: Standing) -> str:
        if one.valid_from is None and one.valid_until is None:
            return words("assess.always")
        begun = formats.day(one.valid_from) if one.valid_from else words("assess.from_the_start")
        until = formats.day(one.valid_until) if one.valid_until else words("assess.until_now")
        return f"{begun} – {until}"

    def above(one: Standing) -> str:
        if one.parent is None or one.parent not in gazetteer:
            return one.parent or NO_VALUE
        named = gazetteer.place(one.parent).standings[-1].name
        return f"{words.pick(named)} ({one.parent})"

    return tuple(
        (
            words.pick(one.name),
            level_name(one.level, found.statistics.frame, formats),
            above(one),
            span(one),
        )
        for one in gazetteer.place(code).standings
    )
