"""The registry: programmes by place and state, their money, what was left out, and how tables come in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from starlette.responses import Response

from chengmai.assess.model import STATES, Programme
from chengmai.assess.money import money_of
from chengmai.assess.panel.reading import SHEET_COLUMNS
from chengmai.assess.problems import OptionUnknown
from chengmai.assess.records import KINDS, kind_of
from chengmai.assess.registry import Assessed
from chengmai.assess.service import SHEETS
from chengmai.trust.policy import may
from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.assess.asked import assessed
from chengmai.web.cockpit.assess.exports import basis, record_table, twin
from chengmai.web.cockpit.assess.programmes import (
    MoneyView,
    ProgrammeLine,
    Programmes,
    money_rows,
    money_view,
)
from chengmai.web.cockpit.assess.view import query_of
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.tables import Table
from chengmai.web.cockpit.twins import as_json
from chengmai.web.cockpit.visit import Visit

SHOWN = 20
"""Programmes on one page."""
_SHEETS = (SHEETS, ",".join((*SHEET_COLUMNS, "E01", "E01.numerator", "E01.denominator", "…")))
_MONEY = ("programme", "kind", "finance", "yuan", "source", "source_date", "records")


@dataclass(frozen=True)
class RegistryPage:
    data: str
    query: str
    total: int
    found: int
    missing: int
    programmes: tuple[ProgrammeLine, ...]
    money: MoneyView
    known: str
    known_day: date | None
    asked: dict[str, str]
    states: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...]
    previous: int | None
    next: int | None


async def show(visit: Visit) -> Response:
    return await _show(visit)


async def _show(visit: Visit, message: str = "") -> Response:
    return visit.page(
        "assess/registry.html",
        view=_page(await assessed(visit), visit),
        kinds=[*((kind.id, ",".join(kind.columns)) for kind in KINDS.values()), _SHEETS],
        may_manage=may(visit.actor, "assess.manage"),
        message=message,
    )


def _page(found: Assessed, visit: Visit) -> RegistryPage:
    words, formats = visit.words, visit.formats
    asked = {name: visit.asked(name, at_most=60) for name in ("code", "state", "words")}
    _check(found, asked)
    everything = found.registry.programmes
    chosen = [one for one in everything if _matches(one, found, asked)]
    first, cards = visit.first(), Programmes(found, formats)
    titles = {one.id: one.title for one in everything}
    named = {one.id for one in chosen}
    invested = [one for one in found.registry.investments if one.programme in named]
    more = urlencode({key: value for key, value in asked.items() if value})
    return RegistryPage(
        data=found.data,
        query=f"{query_of(found)}&{more}" if more else query_of(found),
        total=len(everything),
        found=len(chosen),
        missing=len([one for one in found.registry.without_plan() if one.id in named]),
        programmes=tuple(cards.line(one) for one in chosen[first : first + SHOWN]),
        money=money_view(money_of(invested, found.statistics.on), titles, formats),
        known=found.known.isoformat() if found.known else "",
        known_day=found.known,
        asked=asked,
        states=tuple(
            (state, words(f"assess.state.{state}")) for state in STATES if state != "none"
        ),
        left_out=tuple(
            (one.entity_id, words.pick(one.why)) for one in found.registry.left_out[:50]
        ),
        previous=max(0, first - SHOWN) if first else None,
        next=first + SHOWN if first + SHOWN < len(chosen) else None,
    )


def _matches(one: Programme, found: Assessed, asked: dict[str, str]) -> bool:
    """Return whether a programme is one of those asked for."""
    day, state = found.statistics.now.day, asked["state"]
    if asked["code"]:
        code = day.standing_for(one.place)
        if code is None or asked["code"] not in day.spots[code].path:
            return False
    text = asked["words"].casefold()
    is_said = not text or text in f"{one.title} {one.scheme or ''} {one.id}".casefold()
    return is_said and (not state or one.state(found.statistics.on) == state)


def _check(found: Assessed, asked: dict[str, str]) -> None:
    """Let pass what can be asked for; raises `PlaceUnknown` or `OptionUnknown`."""
    if asked["state"] and asked["state"] not in STATES:
        raise OptionUnknown("state", asked["state"], STATES)
    if asked["code"]:
        found.statistics.now.day.spot(asked["code"])


async def data_json(visit: Visit) -> Response:
    """Answer all records, the money with its disputes, and what was left out."""
    found = await assessed(visit)
    records = {
        kind: [one.model_dump(mode="json") for one in found.registry.records.get(kind, ())]
        for kind in KINDS
    }
    money = money_of(found.registry.investments, found.statistics.on)
    return as_json({**records, "money": money, "left_out": found.registry.left_out})


async def records(visit: Visit) -> Table:
    """Return the records of one kind in the form in which they are imported."""
    found = await assessed(visit)
    kind = kind_of(visit.asked("kind", at_most=40) or "programmes", offered=KINDS)
    return record_table(kind, found, visit.words(f"assess.records.{kind.id}"))


async def money(visit: Visit) -> Table:
    """Return what each source says of the money of each programme."""
    found = await assessed(visit)
    rows = money_rows(found.registry.investments, found.statistics.on)
    notes = [visit.words("assess.money_note"), *basis(found, visit)]
    return Table("money", visit.words("assess.money"), _MONEY, rows, notes)


async def take_in(visit: Visit) -> Response:
    """Take in a table that was pasted, and say what became of it."""
    kind, text = visit.form.get("kind", ""), visit.form.get("table", "")
    taken = await visit.desk.assess.import_table(visit.actor, kind, text)
    facts = {"new": taken.new, "changed": taken.changed, "same": taken.same}
    return await _show(visit, visit.words("assess.taken", **facts))


SCREENS = (
    Screen("/assessment/registry", show, VITALS),
    Screen("/assessment/registry.json", data_json, VITALS, quiet=True),
    twin("/assessment/registry", records, "csv"),
    twin("/assessment/registry", records, "xlsx"),
    twin("/assessment/money", money, "json"),
    twin("/assessment/money", money, "csv"),
    twin("/assessment/money", money, "xlsx"),
    Screen("/assessment/import", take_in, VITALS, methods=("POST",)),
)
