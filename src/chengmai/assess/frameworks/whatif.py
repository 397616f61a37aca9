"""What would happen: another value or another weight, and where the difference comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from chengmai.assess.frameworks.model import Framework, Node
from chengmai.assess.frameworks.scoring import Scored, Spread, score
from chengmai.assess.problems import FrameworkInvalid
from chengmai.kernel.texts import Text

_PLACES = Decimal("0.0001")


@dataclass(frozen=True)
class WhatIf:
    """Before and after; `by` is the difference of each node of the first level and of each bonus and deduction.

    With `floor`, what a total that cannot fall below 0 leaves out, it adds up to the total's.
    """

    before: Scored
    after: Scored
    by: tuple[tuple[Node, Decimal], ...]

    @property
    def difference(self) -> Decimal:
        return self.after.total - self.before.total

    @property
    def floor(self) -> Decimal:
        return self.difference - sum((by for _, by in self.by), Decimal(0))


def what_if(
    framework: Framework,
    values: Mapping[str, float],
    *,
    changed: Mapping[str, float] | None = None,
    weights: Mapping[str, Decimal] | None = None,
    spreads: Mapping[str, Spread] | None = None,
) -> WhatIf:
    """Return the score as it is and as it would be.

    A changed weight is taken from, or given to, the node's siblings in proportion, so that they still sum.
    A changed value is certain: it has no interval.
    """
    other = framework
    for node_id, weight in (weights or {}).items():
        other = with_weight(other, node_id, weight)
    before = score(framework, values, spreads)
    certain = {name: ends for name, ends in (spreads or {}).items() if name not in (changed or {})}
    after = score(other, {**values, **(changed or {})}, certain)
    by = []
    for node in (one for one, depth in framework.walk() if depth == 0 or one.is_apart):
        difference = (after.part(node.id).got or Decimal(0)) - (
            before.part(node.id).got or Decimal(0)
        )
        by.append((node, -difference if node.deduction else difference))
    return WhatIf(before, after, tuple(by))


def with_weight(framework: Framework, node_id: str, weight: Decimal) -> Framework:
    """Return the framework with another weight of a node, the rest in proportion; raises `FrameworkInvalid`."""
    found = dict.fromkeys((node.id for node, _ in framework.walk()))
    if node_id not in found:
        why = Text(zh=f"没有节点 {node_id}", en=f"there is no node {node_id}")
        raise FrameworkInvalid(why, param="node", fix="name a node of it")
    children = _weighted(framework.children, node_id, weight)
    return framework.model_copy(update={"children": children})


def _weighted(children: tuple[Node, ...], node_id: str, weight: Decimal) -> tuple[Node, ...]:
    chosen = next((child for child in children if child.id == node_id), None)
    if chosen is None:
        return tuple(
            child.model_copy(update={"children": _weighted(child.children, node_id, weight)})
            for child in children
        )
    plain = [child for child in children if child.weight is not None and not child.is_apart]
    total = sum((child.weight for child in plain if child.weight), Decimal(0))
    rest = total - (chosen.weight or 0)
    if chosen not in plain or rest <= 0 or not 0 < weight < total:
        raise FrameworkInvalid(
            Text(
                zh=f"{node_id} 的权重不能是 {weight}：应大于 0、小于 {total}，且有同级节点",
                en=f"{node_id} cannot weigh {weight}: above 0, below {total}, of a node with siblings",
            ),
            param="weight",
            fix=f"use a weight above 0 and below {total}, of a node that has siblings",
        )
    scale = (total - weight) / rest
    made = {c.id: ((c.weight or Decimal(0)) * scale).quantize(_PLACES) for c in plain}
    made[node_id] = weight
    # What rounding leaves over goes to the largest sibling: the sum is exact.
    others = [child.id for child in plain if child.id != node_id]
    largest = max(others, key=lambda one: made[one])
    made[largest] += total - sum(made.values(), Decimal(0))
    return tuple(
        child.model_copy(update={"weight": made[child.id]}) if child.id in made else child
        for child in children
    )
