"""The score of a place in a framework: two decimals at every leaf, sums that add up, deductions apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from chengmai.assess.figures import two_decimals
from chengmai.assess.frameworks.model import Framework, Node, Stage, marks
from chengmai.assess.problems import WeightsUnknown

Spread = tuple[float, float]
"""The 95 % interval of a value: lower and upper end."""


@dataclass(frozen=True)
class Marks:
    """Marks that were reached, with the ends of their 95 % interval where a survey gives one."""

    low: Decimal
    got: Decimal
    high: Decimal

    def __add__(self, other: Marks) -> Marks:
        return Marks(self.low + other.low, self.got + other.got, self.high + other.high)


_NOTHING = Marks(Decimal("0.00"), Decimal("0.00"), Decimal("0.00"))


@dataclass(frozen=True)
class Part:
    """What a node contributes: marks reached of marks to be had; None where nothing is known."""

    node: Node
    depth: int
    worth: Decimal
    got: Decimal | None
    value: float | None
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True)
class Scored:
    """A score. `total` is what was reached; `known` says of how many marks anything is known.

    `low` and `high` carry the 95 % intervals of surveys into the total; without a survey they are the total.
    Several surveys are taken at their ends together, which is never too narrow.
    """

    framework: Framework
    parts: tuple[Part, ...]
    total: Decimal
    deducted: Decimal
    known: Decimal
    added: Decimal
    low: Decimal
    high: Decimal

    @property
    def is_complete(self) -> bool:
        """Whether every leaf has a value: without, there is no stage."""
        return all(
            p.got is not None for p in self.parts if not p.node.children and not p.node.is_apart
        )

    @property
    def is_estimated(self) -> bool:
        """Whether a survey makes the total uncertain."""
        return self.low != self.high

    @property
    def stage(self) -> Stage | None:
        """Return the stage that the total falls into; None while something is unknown."""
        return stage_of(self.framework, self.total) if self.is_complete else None

    def part(self, node_id: str) -> Part:
        """Return the part of a node."""
        return next(part for part in self.parts if part.node.id == node_id)


def points(node: Node, value: float) -> float:
    """Return 0…100 for a value of a leaf."""
    reached = (value - node.zero_at) / (node.full_at - node.zero_at) * 100
    return min(100.0, max(0.0, reached))


def score(
    framework: Framework,
    values: Mapping[str, float],
    spreads: Mapping[str, Spread] | None = None,
) -> Scored:
    """Return the score for values by indicator; raises `WeightsUnknown` where there is nothing to score by.

    Marks of a leaf have two decimals; every other node is the sum of its children, the total the sum of
    the first level and of every bonus less the deductions, never below 0 (GB/T 33356-2016: level by level,
    two decimals). `spreads` are intervals of values that are estimated.
    """
    if not framework.has_weights:
        raise WeightsUnknown(framework.id)
    worth = marks(framework)
    got: dict[str, Marks | None] = {}
    _reach(framework.children, _Given(worth, values, spreads or {}), got)
    parts = tuple(
        _part(node, depth, worth.get(node.id, Decimal(0)), got[node.id], values)
        for node, depth in framework.walk()
    )
    gained = _sum(got[node.id] for node in framework.children if not node.is_apart)
    added = _sum(got[part.node.id] for part in parts if part.node.bonus)
    less = _sum(got[part.node.id] for part in parts if part.node.deduction)
    known = sum((p.worth for p in parts if _is_known_leaf(p)), Decimal(0))
    reached, none = gained + added, Decimal("0.00")
    return Scored(
        framework,
        parts,
        total=max(none, reached.got - less.got),
        deducted=less.got,
        known=two_decimals(known),
        added=added.got,
        low=max(none, reached.low - less.high),
        high=max(none, reached.high - less.low),
    )


@dataclass(frozen=True)
class _Given:
    worth: Mapping[str, Decimal]
    values: Mapping[str, float]
    spreads: Mapping[str, Spread]


def _sum(some: Iterable[Marks | None]) -> Marks:
    return sum((one for one in some if one is not None), _NOTHING)


def _is_known_leaf(part: Part) -> bool:
    return not part.node.children and not part.node.is_apart and part.got is not None


def _part(
    node: Node, depth: int, worth: Decimal, found: Marks | None, values: Mapping[str, float]
) -> Part:
    value = values.get(node.indicator or "") if not node.children else None
    if found is None:
        return Part(node, depth, worth, None, value)
    return Part(node, depth, worth, found.got, value, found.low, found.high)


def _reach(children: tuple[Node, ...], given: _Given, got: dict[str, Marks | None]) -> None:
    for node in children:
        if not node.children:
            got[node.id] = _leaf(node, given)
            continue
        _reach(node.children, given, got)
        inner = [got[child.id] for child in node.children if not child.is_apart]
        reached = [one for one in inner if one is not None]
        got[node.id] = _sum(reached) if reached else None


def _leaf(node: Node, given: _Given) -> Marks | None:
    value = given.values.get(node.indicator or "")
    if value is None:
        return None
    ends = given.spreads.get(node.indicator or "", (value, value))
    low, high = sorted(_marks(node, one, given.worth) for one in ends)
    middle = _marks(node, value, given.worth)
    return Marks(min(low, middle), middle, max(high, middle))


def _marks(node: Node, value: float, worth: Mapping[str, Decimal]) -> Decimal:
    if node.is_apart:
        return marks_apart(node, value)
    return two_decimals(worth[node.id] * Decimal(repr(points(node, value))) / 100)


def marks_apart(node: Node, value: float) -> Decimal:
    """Return the marks that a bonus adds or a deduction takes off, with two decimals."""
    given = Decimal(repr(max(0.0, float(value))))
    reached = given if node.each is None else given * node.each
    return two_decimals(reached if node.at_most is None else min(reached, node.at_most))


def stage_of(framework: Framework, total: Decimal) -> Stage | None:
    """Return the stage a total falls into; a limit belongs to the stage that begins there."""
    reached = [stage for stage in framework.stages if Decimal(repr(stage.start)) <= total]
    return max(reached, key=lambda stage: stage.start) if reached else None
