"""Which items of frameworks answer to each other: by mapping, or because they use one indicator. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from chengmai.assess.catalogue import Indicator
from chengmai.assess.frameworks.model import Framework, How, Node
from chengmai.assess.model import Trust
from chengmai.assess.problems import FrameworkInvalid
from chengmai.kernel.texts import Text

INDICATORS = "indicators"
"""Stands for the catalogue of the platform where a crosswalk begins there."""
_WITH_CLAUSES = "iso-37122"
By = Literal["mapping", "indicator", "clause"]
Item = tuple[str, str]
"""A framework and a node of it."""


@dataclass(frozen=True)
class Link:
    """An item and one of another framework that answers to it. `by` says how we know.

    `mapping`: a package says so. `indicator`: both use one indicator of the platform. `clause`: the catalogue
    of indicators names the clause.
    """

    framework: str
    node: Node
    how: How
    trust: Trust
    by: By


@dataclass(frozen=True)
class Line:
    """An item with what answers to it, by framework."""

    id: str
    node: Node | None
    indicator: Indicator | None
    links: dict[str, tuple[Link, ...]]


def check_maps(framework: Framework, others: Iterable[Framework]) -> None:
    """Raise `FrameworkInvalid` where a node is mapped to an item that a known framework does not have.

    A framework that is not known may be named: it can come later.
    """
    known = {one.id: {node.id for node, _ in one.walk()} for one in others}
    known[framework.id] = {node.id for node, _ in framework.walk()}
    for node, _ in framework.walk():
        for one in node.maps:
            if one.to == framework.id or one.id not in known.get(one.to, {one.id}):
                raise FrameworkInvalid(
                    Text(
                        zh=f"{node.id} 对应的 {one.id} 在 {one.to} 中不存在",
                        en=f"{node.id} is mapped to {one.id}, which {one.to} does not have",
                    ),
                    param=node.id,
                    fix="name an item of another framework",
                )


def crosswalk(
    base: str, frameworks: Sequence[Framework], catalogue: Sequence[Indicator]
) -> list[Line]:
    """Return the items of a framework with what answers to them in all others.

    `base` is the id of a framework, or `INDICATORS` for the indicators of the platform that any of them uses.
    """
    indicators = {one.id: one for one in catalogue}
    links = _links(frameworks, indicators)
    if base == INDICATORS:
        lines = [_line(one.id, None, one, links.get((INDICATORS, one.id), [])) for one in catalogue]
        return [line for line in lines if line.links]
    chosen = next(one for one in frameworks if one.id == base)
    return [
        _line(node.id, node, _indicator_of(node, indicators), links.get((base, node.id), []))
        for node, _ in chosen.walk()
    ]


def _line(item: str, node: Node | None, indicator: Indicator | None, links: Sequence[Link]) -> Line:
    by: dict[str, tuple[Link, ...]] = {}
    for link in links:
        if all(link.node.id != other.node.id for other in by.get(link.framework, ())):
            by[link.framework] = (*by.get(link.framework, ()), link)
    return Line(item, node, indicator, by)


def _indicator_of(node: Node, indicators: dict[str, Indicator]) -> Indicator | None:
    return None if node.children else indicators.get(node.indicator or "")


class _Found:
    """Links in both directions, by framework and item."""

    def __init__(self, frameworks: Sequence[Framework]) -> None:
        self.nodes = {(one.id, node.id): node for one in frameworks for node, _ in one.walk()}
        self.links: dict[Item, list[Link]] = {}

    def add(self, one: Item, other: Item, how: How, trust: Trust, by: By) -> None:
        for here, there in ((one, other), (other, one)):
            if there in self.nodes:
                made = Link(there[0], self.nodes[there], how, trust, by)
                self.links.setdefault(here, []).append(made)


def _links(
    frameworks: Sequence[Framework], indicators: dict[str, Indicator]
) -> dict[Item, list[Link]]:
    found = _Found(frameworks)
    users: dict[str, list[Item]] = {}
    for where, node in found.nodes.items():
        for one in node.maps:
            if (one.to, one.id) in found.nodes:
                found.add(where, (one.to, one.id), one.how, one.trust, "mapping")
        if not node.children and node.indicator in indicators:
            users.setdefault(node.indicator, []).append(where)
    for indicator, using in users.items():
        for one_user in using:
            trust = found.nodes[one_user].trust
            found.add((INDICATORS, indicator), one_user, "same", trust, "indicator")
        for first, other in combinations(using, 2):
            if first[0] != other[0]:
                found.add(first, other, "same", "D", "indicator")
    for indicator_id, told in indicators.items():
        for clause in told.iso_37122.split("/"):
            found.add((INDICATORS, indicator_id), (_WITH_CLAUSES, clause), "related", "M", "clause")
    return found.links
