"""The score of a place in a framework: two decimals at every leaf, sums that add up, deductions apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from chengmai.assess.figures import two_decimals
from chengmai.assess.frameworks.model import Framework, Node, Stage, marks
from chengmai.assess.problems import WeightsUnknown

_Z = 1.959963984540054
"""Of the standard normal distribution, for 95 %."""


@dataclass(frozen=True)
class Part:
    """What a node contributes: marks reached of marks to be had; None where nothing is known."""

    node: Node
    depth: int
    worth: Decimal
    got: Decimal | None
    value: float | None


@dataclass(frozen=True)
class Scored:
    """A score. `total` is what was reached; `known` says of how many marks anything is known."""

    framework: Framework
    parts: tuple[Part, ...]
    total: Decimal
    deducted: Decimal
    known: Decimal

    @property
    def is_complete(self) -> bool:
        """Whether every leaf has a value: without, there is no stage."""
        return all(
            p.got is not None for p in self.parts if not p.node.children and not p.node.deduction
        )

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


def score(framework: Framework, values: Mapping[str, float]) -> Scored:
    """Return the score for values by indicator; raises `WeightsUnknown` where there is nothing to score by.

    Marks of a leaf have two decimals; every other node is the sum of its children, the total the sum of
    the first level less the deductions, never below 0 (GB/T 33356-2016: level by level, two decimals).
    """
    if not framework.has_weights:
        raise WeightsUnknown(framework.id)
    worth = marks(framework)
    got: dict[str, Decimal | None] = {}
    _reach(framework.children, worth, values, got)
    parts = tuple(
        Part(
            node,
            depth,
            worth.get(node.id, Decimal(0)),
            got[node.id],
            values.get(node.indicator or "") if not node.children else None,
        )
        for node, depth in framework.walk()
    )
    gained = sum(
        (part.got or Decimal(0) for part in parts if part.depth == 0 and not part.node.deduction),
        Decimal(0),
    )
    deducted = sum((part.got or Decimal(0) for part in parts if part.node.deduction), Decimal(0))
    known = sum(
        (
            part.worth
            for part in parts
            if not part.node.children and not part.node.deduction and part.got is not None
        ),
        Decimal(0),
    )
    return Scored(
        framework, parts, max(Decimal("0.00"), gained - deducted), deducted, two_decimals(known)
    )


def _reach(
    children: tuple[Node, ...],
    worth: Mapping[str, Decimal],
    values: Mapping[str, float],
    got: dict[str, Decimal | None],
) -> None:
    for node in children:
        if node.children:
            _reach(node.children, worth, values, got)
            inner = [got[child.id] for child in node.children if not child.deduction]
            reached = [one for one in inner if one is not None]
            got[node.id] = sum(reached, Decimal("0.00")) if reached else None
            continue
        value = values.get(node.indicator or "")
        if value is None:
            got[node.id] = None
        elif node.deduction:
            got[node.id] = two_decimals(max(0.0, value))
        else:
            got[node.id] = two_decimals(worth[node.id] * Decimal(repr(points(node, value))) / 100)


def stage_of(framework: Framework, total: Decimal) -> Stage | None:
    """Return the stage a total falls into; a limit belongs to the stage that begins there."""
    reached = [stage for stage in framework.stages if Decimal(repr(stage.start)) <= total]
    return max(reached, key=lambda stage: stage.start) if reached else None


def interval(percent: float, sample: int) -> tuple[float, float]:
    """Return the 95 % interval (Wilson) of a share in percent found among `sample` people."""
    p = min(1.0, max(0.0, percent / 100))
    spread = 1 + _Z * _Z / sample
    middle = (p + _Z * _Z / (2 * sample)) / spread
    half = _Z * math.sqrt(p * (1 - p) / sample + _Z * _Z / (4 * sample * sample)) / spread
    return max(0.0, middle - half) * 100, min(1.0, middle + half) * 100
