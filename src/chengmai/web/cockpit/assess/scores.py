"""Frameworks, the scores of places in them, a comparison of two to five, and what would happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from starlette.responses import Response

from chengmai.assess.frameworks.model import Framework
from chengmai.assess.frameworks.scoring import Scored
from chengmai.assess.frameworks.service import Board
from chengmai.assess.live.own import OWN
from chengmai.assess.problems import FrameworkInvalid
from chengmai.kernel.texts import Text
from chengmai.trust.policy import may
from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.assess.asked import asked_day
from chengmai.web.cockpit.assess.exports import twin
from chengmai.web.cockpit.assess.score_lines import (
    NodeLine,
    PlaceLine,
    TriedView,
    full_marks,
    node_lines,
    place_line,
    tried_view,
)
from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.tables import Table
from chengmai.web.cockpit.twins import as_json
from chengmai.web.cockpit.visit import Visit

COMPARED, MOST_ASKED = 5, 20
SHOWN = 100
"""Places of the ranking on one page."""
T = TypeVar("T")


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
    full_marks: str
    stages: tuple[tuple[str, str], ...]
    stages_trust: str
    lines: tuple[NodeLine, ...]
    places: tuple[PlaceLine, ...]
    previous: int | None
    next: int | None
    compared: tuple[tuple[str, str], ...]
    not_compared: tuple[str, ...]
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
            "full_marks": full_marks(board.framework),
            "values": {code: [*own.values()] for code, own in board.values.items()},
            "aside": {code: [*own.values()] for code, own in board.overlay.aside.items()},
            "failed_checks": board.overlay.failed,
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
        "low": str(scored.low),
        "high": str(scored.high),
        "added": str(scored.added),
        "deducted": str(scored.deducted),
        "known": str(scored.known),
        "stage": scored.stage.id if scored.stage else None,
        "parts": parts,
    }


HEADER = (
    *("code", "place", "node", "title", "weight", "trust", "worth", "got", "low", "high"),
    *("indicator", "value", "unit", "better", "formula", "formula_trust", "maps"),
    *("source", "source_date"),
)


async def table(visit: Visit) -> Table:
    """Return every node for every place, or for those named; the tree alone where no place has values."""
    board, names, _ = await _read(visit)
    framework, pick = board.framework, visit.words.pick
    notes = [
        f"{pick(framework.title)}: {framework.source}",
        pick(framework.note),
        visit.words("assess.of_day", day=visit.formats.day(board.on)),
        visit.words("assess.two_decimals"),
    ]
    asked, not_compared = _asked(visit, board, names)
    notes += not_compared
    rows = await asyncio.to_thread(_rows, board, names, visit, asked)
    return Table("scores", pick(framework.title), HEADER, rows, notes)


def _rows(
    board: Board, names: dict[str, str], visit: Visit, asked: Sequence[str]
) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    known = [code for code in board.values if not asked or code in asked]
    for code in known or [""]:
        scored = board.scores.get(code)
        values = board.values.get(code, {})
        for index, (node, _) in enumerate(board.framework.walk()):
            part = scored.parts[index] if scored else None
            one = None if node.children else values.get(node.indicator or "")
            title = visit.words.pick(node.title)
            marks = (part.worth, part.got, part.low, part.high) if part else ("", "", "", "")
            formula = visit.words.pick(node.formula) if node.formula else ""
            maps = " ".join(f"{link.to}:{link.id}:{link.how}:{link.trust}" for link in node.maps)
            said = (one.source, one.source_date) if one else ("", "")
            rows.append(
                (
                    *(code, names.get(code, ""), node.id, title, node.weight, node.trust, *marks),
                    *("" if node.children else node.indicator, one.value if one else ""),
                    *(node.unit, "" if node.children else node.direction, formula),
                    *(node.formula_trust if formula else "", maps, *said),
                )
            )
    return rows


async def package(visit: Visit) -> Response:
    """Answer the framework alone, as a package that can be imported."""
    board, _, _ = await _read(visit)
    made = board.framework.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return as_json(made)


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
    own = {OWN: visit.banner.city}
    names = {
        code: visit.words.pick(spots[code].name if code in spots else own[code])
        if code in spots or code in own
        else code
        for code in board.values
    }
    return board, names, listed


def _asked(visit: Visit, board: Board, names: dict[str, str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the places that are to be compared, each once, and what is said of those that are not."""
    words = visit.words
    asked = [code[:40] for code in visit.request.query_params.getlist("place")[:MOST_ASKED] if code]
    asked = list(dict.fromkeys(asked))
    known = [code for code in asked if code in board.values]
    unknown = [code for code in asked if code not in board.values]
    said = []
    if unknown:
        said.append(words("assess.compare_unknown", codes=", ".join(unknown)))
    if rest := known[COMPARED:]:
        left_out = ", ".join(names[code] for code in rest)
        said.append(words("assess.compare_most", n=COMPARED, names=left_out))
    return known[:COMPARED], tuple(said)


async def _page(
    visit: Visit, board: Board, names: dict[str, str], listed: list[Framework]
) -> ScorePage:
    words, formats, framework = visit.words, visit.formats, board.framework
    asked, not_compared = _asked(visit, board, names)
    first = visit.first()
    usual = [rank.code for rank in board.ranks[:3]] or [*board.values][:3]
    chosen = asked or usual
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
        full_marks=full_marks(framework),
        stages=tuple((words.pick(one.title), f"{one.start:g}") for one in framework.stages),
        stages_trust=words(f"trust.{framework.stages_trust}"),
        lines=tuple(node_lines(board, chosen, listed, formats)),
        places=tuple(
            place_line(board, rank, names, formats) for rank in board.ranks[first : first + SHOWN]
        ),
        previous=max(0, first - SHOWN) if first else None,
        next=first + SHOWN if first + SHOWN < len(board.ranks) else None,
        compared=tuple((code, names[code]) for code in chosen),
        not_compared=not_compared,
        tried=await _tried(visit, board, chosen[0]) if chosen else None,
        query=f"framework={framework.id}&on={board.on}",
    )


def _days(framework: Framework, formats: Formats) -> str:
    return f"{formats.day(framework.in_force_from)} – {formats.day(framework.until)}"


async def _tried(visit: Visit, board: Board, place: str) -> TriedView | None:
    node = visit.asked("node", at_most=40)
    if not node or place not in board.scores:
        return None
    leaf = next((one for one in board.framework.leaves() if one.id == node), None)
    to, weight = _number(visit, "to", float), _number(visit, "weight", Decimal)
    if to is not None and leaf is None:
        why = Text(
            zh=f"{node} 不接受数值，请选没有下级的节点",
            en=f"{node} takes no value: name a node without children",
        )
        raise FrameworkInvalid(why, param="node", fix="name a node without children")
    changed = {leaf.indicator or "": to} if leaf is not None and to is not None else {}
    weights = {node: weight} if weight is not None else {}
    found = await visit.desk.frameworks.tried(
        visit.actor, board, place, changed=changed, weights=weights
    )
    return tried_view(board, place, found, visit.formats)


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
        Text(zh=f"“{text}”不是数字，应如 62.5", en=f"{text!r} is not a number such as 62.5"),
        param=name,
        fix="write a number such as 62.5",
    )


SCREENS = (
    Screen("/assessment/frameworks", show, VITALS),
    Screen("/assessment/frameworks.json", data_json, VITALS, quiet=True),
    twin("/assessment/frameworks", table, "csv"),
    twin("/assessment/frameworks", table, "xlsx"),
    Screen("/assessment/frameworks/package.json", package, VITALS, quiet=True),
    Screen("/assessment/frameworks/import", take_in, VITALS, methods=("POST",)),
)
