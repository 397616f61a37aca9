"""Frameworks, the scores of places in them, a comparison of two to five, and what would happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from starlette.responses import Response

from chengmai.assess.frameworks.model import Framework
from chengmai.assess.frameworks.scoring import Part, Scored, interval
from chengmai.assess.frameworks.service import Board
from chengmai.assess.frameworks.whatif import WhatIf
from chengmai.assess.problems import FrameworkInvalid
from chengmai.trust.policy import may
from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.assess.asked import asked_day
from chengmai.web.cockpit.formats import NO_VALUE, Formats
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.visit import Visit

COMPARED = 5
T = TypeVar("T")


@dataclass(frozen=True)
class NodeLine:
    """A node with its marks, and what each of the places that are compared got."""

    id: str
    title: str
    depth: int
    weight: str
    worth: str
    trust: str
    unverified: bool
    indicator: str
    got: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class TriedView:
    before: str
    after: str
    difference: str
    stage_before: str
    stage_after: str
    rank_before: int
    rank_after: int
    by: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ScorePage:
    on: str
    frameworks: tuple[tuple[str, str], ...]
    chosen: str
    title: str
    note: str
    source: str
    days: str
    in_force: bool
    has_weights: bool
    lines: tuple[NodeLine, ...]
    places: tuple[tuple[str, str, str, str, str, str], ...]
    compared: tuple[tuple[str, str], ...]
    tried: TriedView | None
    query: str


async def show(visit: Visit) -> Response:
    return await _show(visit)


async def _show(visit: Visit, message: str = "") -> Response:
    board, names, listed = await _read(visit)
    view = await _page(visit, board, names, listed)
    may_manage = may(visit.actor, "assess.manage")
    return visit.page("assess/frameworks.html", view=view, may_manage=may_manage, message=message)


async def data_json(visit: Visit) -> Response:
    """Answer the framework with the scores of all places, down to each leaf."""
    board, names, _ = await _read(visit)
    return as_json(
        {
            "framework": board.framework.model_dump(mode="json", by_alias=True),
            "on": board.on,
            "ranking": [
                {
                    **_result(board.scores[rank.code]),
                    "place": rank.place,
                    "code": rank.code,
                    "name": names[rank.code],
                }
                for rank in board.ranks
            ],
        }
    )


def _result(scored: Scored) -> dict[str, Any]:
    parts = {p.node.id: None if p.got is None else str(p.got) for p in scored.parts}
    return {
        "total": str(scored.total),
        "deducted": str(scored.deducted),
        "known": str(scored.known),
        "stage": scored.stage.id if scored.stage else None,
        "parts": parts,
    }


async def data_csv(visit: Visit) -> Response:
    board, names, _ = await _read(visit)
    header = ("code", "place", "node", "title", "worth", "got", "value", "source", "source_date")
    return as_csv(header, _rows(board, names, visit), "scores")


def _rows(board: Board, names: dict[str, str], visit: Visit) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for code, scored in board.scores.items():
        for part in scored.parts:
            one = board.values[code].get(part.node.indicator or "")
            said = (one.source, one.source_date) if one and not part.node.children else ("", "")
            title = visit.words.pick(part.node.title)
            rows.append(
                (code, names[code], part.node.id, title, part.worth, part.got, part.value, *said)
            )
    return rows


async def take_in(visit: Visit) -> Response:
    """Take in a package that was pasted."""
    taken = await visit.desk.frameworks.take_in(visit.actor, visit.form.get("package", ""))
    return await _show(visit, visit.words("assess.framework_taken", id=taken.id))


async def _read(visit: Visit) -> tuple[Board, dict[str, str], list[Framework]]:
    on = asked_day(visit, "on") or visit.formats.local(visit.formats.now).date()
    listed = await visit.desk.frameworks.frameworks(visit.actor)
    usual = next((one for one in listed if one.has_weights), listed[0])
    board = await visit.desk.frameworks.board(
        visit.actor, visit.asked("framework", at_most=40) or usual.id, on
    )
    found = await visit.desk.assess.assessed(visit.actor, on=on)
    spots = found.statistics.now.day.spots
    names = {
        code: visit.words.pick(spots[code].name) if code in spots else code for code in board.scores
    }
    return board, names, listed


async def _page(
    visit: Visit, board: Board, names: dict[str, str], listed: list[Framework]
) -> ScorePage:
    words, formats, framework = visit.words, visit.formats, board.framework
    asked = visit.request.query_params.getlist("place")[:COMPARED]
    chosen = [code for code in asked if code in board.scores] or [r.code for r in board.ranks[:3]]
    return ScorePage(
        on=board.on.isoformat(),
        frameworks=tuple((one.id, words.pick(one.title)) for one in listed),
        chosen=framework.id,
        title=words.pick(framework.title),
        note=words.pick(framework.note),
        source=framework.source,
        days=_days(framework, formats),
        in_force=framework.holds(board.on),
        has_weights=framework.has_weights,
        lines=tuple(_lines(board, chosen, formats)),
        places=tuple(_place_line(board, rank.code, names, formats) for rank in board.ranks),
        compared=tuple((code, names[code]) for code in chosen),
        tried=await _tried(visit, board, chosen[0]) if chosen else None,
        query=f"framework={framework.id}&on={board.on}",
    )


def _days(framework: Framework, formats: Formats) -> str:
    return f"{formats.day(framework.in_force_from)} – {formats.day(framework.until)}"


def _place_line(
    board: Board, code: str, names: dict[str, str], formats: Formats
) -> tuple[str, str, str, str, str, str]:
    scored = board.scores[code]
    rank = next(rank for rank in board.ranks if rank.code == code)
    place = f"{rank.place}{'=' if rank.tied else ''}"
    stage = (
        formats.words.pick(scored.stage.title)
        if scored.stage
        else formats.words("assess.incomplete")
    )
    return code, place, names[code], str(scored.total), str(scored.known), stage


def _lines(board: Board, chosen: list[str], formats: Formats) -> list[NodeLine]:
    words, made = formats.words, []
    for index, (node, depth) in enumerate(board.framework.walk()):
        parts = [(code, board.scores[code].parts[index]) for code in chosen]
        made.append(
            NodeLine(
                id=node.id,
                title=words.pick(node.title),
                depth=depth,
                weight=words("assess.deduction") if node.deduction else _plain(node.weight),
                worth=f"{parts[0][1].worth:.2f}" if parts else "",
                trust=words(f"trust.{node.trust}"),
                unverified=node.trust in ("M", "C"),
                indicator="" if node.children else node.indicator or "",
                got=tuple(_got(board, code, part) for code, part in parts),
            )
        )
    return made


def _plain(weight: Decimal | None) -> str:
    return NO_VALUE if weight is None else f"{weight.normalize():f}"


def _got(board: Board, code: str, part: Part) -> tuple[str, str, str]:
    """Return marks, value with its interval, and who says so."""
    one = board.values[code].get(part.node.indicator or "") if not part.node.children else None
    value = ""
    if one is not None:
        value = f"{one.value:g}{part.node.unit or ''}"
        if one.sample is not None:
            low, high = interval(one.value, one.sample)
            value += f" (n={one.sample}, {low:.1f}–{high:.1f})"
    return NO_VALUE if part.got is None else str(part.got), value, one.source if one else ""


async def _tried(visit: Visit, board: Board, place: str) -> TriedView | None:
    node = visit.asked("node", at_most=40)
    if not node or place not in board.scores:
        return None
    leaf = next((one for one in board.framework.leaves() if one.id == node), None)
    to, weight = _number(visit, "to", float), _number(visit, "weight", Decimal)
    if to is not None and leaf is None:
        raise FrameworkInvalid(
            f"{node} takes no value", param="node", fix="name a node without children"
        )
    changed = {leaf.indicator or "": to} if leaf is not None and to is not None else {}
    weights = {node: weight} if weight is not None else {}
    found = await visit.desk.frameworks.tried(
        visit.actor, board, place, changed=changed, weights=weights
    )
    return _tried_view(board, place, found, visit.formats)


def _number(visit: Visit, name: str, read: Callable[[str], T]) -> T | None:
    text = visit.asked(name, at_most=30)
    if not text:
        return None
    try:
        number = read(text)
        if abs(float(number)) < 1e12:  # type: ignore[arg-type]
            return number
    except (ValueError, InvalidOperation):
        pass
    raise FrameworkInvalid(
        f"{text!r} is not a number", param=name, fix="write a number such as 62.5"
    )


def _tried_view(board: Board, place: str, found: WhatIf, formats: Formats) -> TriedView:
    words = formats.words

    def stage(scored: Scored) -> str:
        return words.pick(scored.stage.title) if scored.stage else words("assess.incomplete")

    return TriedView(
        before=str(found.before.total),
        after=str(found.after.total),
        difference=f"{found.difference:+.2f}",
        stage_before=stage(found.before),
        stage_after=stage(found.after),
        rank_before=board.rank_of(place, found.before),
        rank_after=board.rank_of(place, found.after),
        by=tuple((words.pick(node.title), f"{by:+.2f}") for node, by in found.by if by),
    )


SCREENS = (
    Screen("/assessment/frameworks", show, VITALS),
    Screen("/assessment/frameworks.json", data_json, VITALS, quiet=True),
    Screen("/assessment/frameworks.csv", data_csv, VITALS, quiet=True),
    Screen("/assessment/frameworks/import", take_in, VITALS, methods=("POST",)),
)
