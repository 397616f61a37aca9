"""A framework as a page shows it: its tree with what each place got, and what would happen."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from chengmai.assess.catalogue import catalogue
from chengmai.assess.frameworks.crosswalk import Link, crosswalk
from chengmai.assess.frameworks.model import Framework, Node
from chengmai.assess.frameworks.scoring import Part, Scored, Spread
from chengmai.assess.frameworks.service import Board
from chengmai.assess.frameworks.whatif import WhatIf
from chengmai.assess.panel.model import Point
from chengmai.assess.shipped import shipped_checks
from chengmai.assess.statistics import Rank
from chengmai.web.cockpit.formats import NO_VALUE, Formats

_UNVERIFIED = ("M", "C")


@dataclass(frozen=True)
class Answer:
    """An item of another framework that answers to one: where it is, and how well that is known."""

    framework: str
    id: str
    title: str
    how: str
    trust: str
    unverified: bool


@dataclass(frozen=True)
class Got:
    """What a place got: marks with their interval, the value, what stands beside, and who says so."""

    marks: str
    ends: str
    value: str
    beside: str
    evidence: tuple[tuple[str, str], ...]
    """Failed security checks: in words, and the clause."""
    source: str


@dataclass(frozen=True)
class NodeLine:
    """A node with its marks and formula, and what each of the places that are compared got."""

    id: str
    title: str
    depth: int
    weight: str
    worth: str
    trust: str
    unverified: bool
    indicator: str
    formula: str
    formula_unverified: bool
    better: str
    answers: tuple[Answer, ...]
    got: tuple[Got, ...]


@dataclass(frozen=True)
class PlaceLine:
    code: str
    rank: str
    name: str
    total: str
    ends: str
    known: str
    stage: str


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


def place_line(board: Board, rank: Rank, names: dict[str, str], formats: Formats) -> PlaceLine:
    """Return a place of the ranking."""
    scored = board.scores[rank.code]
    return PlaceLine(
        rank.code,
        f"{rank.place}{'=' if rank.tied else ''}",
        names[rank.code],
        str(scored.total),
        f"{scored.low}–{scored.high}" if scored.is_estimated else "",
        str(scored.known),
        stage_word(scored, formats),
    )


def stage_word(scored: Scored, formats: Formats) -> str:
    """Return the stage in words, or that something is unknown."""
    words = formats.words
    return words.pick(scored.stage.title) if scored.stage else words("assess.incomplete")


def node_lines(
    board: Board, chosen: list[str], listed: list[Framework], formats: Formats
) -> list[NodeLine]:
    """Return every node of the framework, parents first, with what the chosen places got."""
    framework = board.framework
    answers = {line.id: line.links for line in crosswalk(framework.id, listed, catalogue())}
    titles = {one.id: formats.words.pick(one.title) for one in listed}
    made = []
    for index, (node, depth) in enumerate(framework.walk()):
        parts = [
            (code, board.scores[code].parts[index] if code in board.scores else None)
            for code in chosen
        ]
        worth = next((part.worth for _, part in parts if part is not None), None)
        links = [link for found in answers[node.id].values() for link in found]
        made.append(
            NodeLine(
                id=node.id,
                title=formats.words.pick(node.title),
                depth=depth,
                weight=_weight(node, formats),
                worth="" if worth is None or node.is_apart else f"{worth:.2f}",
                trust=formats.words(f"trust.{node.trust}"),
                unverified=node.trust in _UNVERIFIED,
                indicator="" if node.children else node.indicator or "",
                formula=formats.words.pick(node.formula) if node.formula else "",
                formula_unverified=node.formula_trust in _UNVERIFIED,
                better=_better(node, formats),
                answers=tuple(answer(link, titles, formats) for link in links),
                got=tuple(_got(board, code, node, part, formats) for code, part in parts),
            )
        )
    return made


def answer(link: Link, titles: dict[str, str], formats: Formats) -> Answer:
    """Return an item that answers to another, in words."""
    words = formats.words
    return Answer(
        titles[link.framework],
        link.node.id,
        words.pick(link.node.title),
        words(f"assess.how.{link.how}"),
        words(f"trust.{link.trust}"),
        link.trust in _UNVERIFIED,
    )


def _weight(node: Node, formats: Formats) -> str:
    words = formats.words
    if not node.is_apart:
        return NO_VALUE if node.weight is None else f"{node.weight.normalize():f}"
    kind = words("assess.bonus" if node.bonus else "assess.deduction")
    each = words("assess.each", marks=f"{node.each.normalize():f}") if node.each else ""
    most = words("assess.at_most", marks=f"{node.at_most.normalize():f}") if node.at_most else ""
    return " · ".join(part for part in (kind, each, most) if part)


def _better(node: Node, formats: Formats) -> str:
    if node.children or node.direction is None:
        return ""
    said = formats.words(f"assess.better.{node.direction}")
    if node.is_apart or node.weight is None:
        return said
    unit = node.unit or ""
    return f"{said} · {node.zero_at:g}{unit} → {node.full_at:g}{unit}"


def _got(board: Board, code: str, node: Node, part: Part | None, formats: Formats) -> Got:
    name, overlay = "" if node.children else node.indicator or "", board.overlay
    one, other = board.values[code].get(name), overlay.aside.get(code, {}).get(name)
    marks = NO_VALUE if part is None or part.got is None else str(part.got)
    ends = ""
    if part is not None and part.low != part.high:
        ends = f"{part.low}–{part.high}"
    beside = ""
    if other is not None:
        why = " · ".join(formats.words(f"assess.doubt.{doubt}") for doubt in overlay.doubts(other))
        said = _value(other, overlay.spread(other), node)
        beside = formats.words("assess.beside", value=said, why=f"({why})" if why else "")
    failed = overlay.failed.get(code, {}).get(node.id, ())
    return Got(
        marks,
        ends,
        "" if one is None else _value(one, overlay.spread(one), node),
        beside,
        tuple(_check(one.check, formats) for one in failed),
        one.source if one else "",
    )


def _check(check: str, formats: Formats) -> tuple[str, str]:
    known = shipped_checks().get(check)
    if known is None:
        return check, ""
    return f"{check} {formats.words.pick(known.title)}", known.clause


def _value(one: Point, ends: Spread | None, node: Node) -> str:
    said = f"{round(one.value, 2):g}{node.unit or ''}"
    if ends is None:
        return said
    sample = f"n={one.sample}, " if one.sample else ""
    return f"{said} ({sample}{ends[0]:.1f}–{ends[1]:.1f})"


def tried_view(board: Board, place: str, found: WhatIf, formats: Formats) -> TriedView:
    """Return what would happen, with where the difference comes from; the parts add up to it."""
    words = formats.words
    by = [(words.pick(node.title), difference) for node, difference in found.by]
    by.append((words("assess.floor"), found.floor))
    return TriedView(
        before=str(found.before.total),
        after=str(found.after.total),
        difference=f"{found.difference:+.2f}",
        stage_before=stage_word(found.before, formats),
        stage_after=stage_word(found.after, formats),
        rank_before=board.rank_of(place, found.before),
        rank_after=board.rank_of(place, found.after),
        by=tuple((title, f"{difference:+.2f}") for title, difference in by if difference),
    )


def full_marks(framework: Framework) -> str:
    """Return the marks that can be had, or that nobody says."""
    full: Decimal | None = framework.full_marks
    return NO_VALUE if full is None or not framework.has_weights else f"{full.normalize():f}"
