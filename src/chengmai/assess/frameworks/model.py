"""A framework: a tree of nodes with weights, checked when it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from chengmai.assess.model import Code, Line, Record, Trust
from chengmai.assess.problems import FrameworkInvalid, WeightsDoNotSum
from chengmai.assess.reasons import Said, first_wrong, not_json
from chengmai.kernel.texts import Text

FULL = Decimal(100)
MOST_CHARACTERS = 1_000_000
_MOST_DEPTH = 6
Weight = Annotated[Decimal, Field(gt=0, le=100, decimal_places=4)]
Better = Literal["up", "down"]
How = Literal["same", "part", "related"]
"""How an item of one framework answers to one of another: the same measure, a part of it, the same subject."""


class _Named(Record):
    id: Code
    zh: Line
    en: Line

    @property
    def title(self) -> Text:
        return Text(zh=self.zh, en=self.en)


class MapsTo(Record):
    """An item of another framework that a node answers to; `trust` is of the mapping itself."""

    to: Code
    id: Code
    how: How
    trust: Trust


class Asked(Record):
    """When the result of a survey counts: at least so many answers, an interval at most so wide (points)."""

    least: Annotated[int, Field(ge=1, le=10_000_000)] = 1
    widest: Annotated[float, Field(gt=0, le=100)] = 100
    self_selected: bool = False
    """Whether answers of people who chose themselves to answer count."""


class Node(_Named):
    """A node. Its weight is in marks of the whole, or of 100 where its siblings sum to 100 (see `marks`).

    A leaf is scored from 0 at `zero_at` to 100 at `full_at`, in a straight line and not beyond; `zero_at`
    above `full_at` says that less is better. A bonus adds and a deduction takes off what it is given, in
    marks, or `each` marks for one that is counted, `at_most` in all. `checks` names the security checks
    whose failures are its evidence; with `each` they are counted.
    """

    weight: Weight | None
    trust: Trust
    children: tuple[Node, ...] = ()
    deduction: bool = False
    bonus: bool = False
    at_most: Weight | None = None
    each: Weight | None = None
    checks: tuple[Code, ...] = ()
    indicator: Code | None = None
    unit: Line | None = None
    zero_at: float = 0
    full_at: float = 100
    better: Better | None = None
    formula_zh: Line | None = None
    formula_en: Line | None = None
    formula_trust: Trust = "M"
    survey: Asked | None = None
    """When a survey counts here; without, the limits of the survey itself hold."""
    maps: tuple[MapsTo, ...] = ()

    @property
    def is_apart(self) -> bool:
        """Whether the node stands beside the marks: a bonus or a deduction."""
        return self.bonus or self.deduction

    @property
    def direction(self) -> Better | None:
        """Which way is better; None where nobody says and nothing is scored."""
        if self.deduction:
            return "down"
        if self.better is not None or self.weight is None:
            return self.better
        return "down" if self.zero_at > self.full_at else "up"

    @property
    def formula(self) -> Text | None:
        """How the value is worked out; None where that is not known to us."""
        if self.formula_zh is None or self.formula_en is None:
            return None
        return Text(zh=self.formula_zh, en=self.formula_en)

    @model_validator(mode="after")
    def _scorable(self) -> Self:
        if not self.children and self.indicator is None:
            raise Said(
                f"{self.id} 既没有下级，也没有 indicator",
                f"{self.id} has neither children nor an indicator",
            )
        if self.zero_at == self.full_at:
            raise Said(
                f"{self.id}：zero_at 与 full_at 相同",
                f"{self.id}: zero_at and full_at are the same",
            )
        falls = self.zero_at > self.full_at
        if self.better and self.weight is not None and (self.better == "down") != falls:
            raise Said(
                f"{self.id}：better 写的是 {self.better}，与 zero_at、full_at 的方向不符",
                f"{self.id}: better is {self.better}, zero_at and full_at say the other way",
            )
        if (self.formula_zh is None) != (self.formula_en is None):
            raise Said(
                f"{self.id}：公式要么中英文都写，要么都不写",
                f"{self.id}: a formula is written in both languages or in neither",
            )
        return self

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.bonus and self.deduction:
            raise Said(
                f"{self.id} 不能既是加分项又是扣分项",
                f"{self.id} is both bonus and deduction",
            )
        if self.is_apart and (self.weight is not None or self.children):
            raise Said(
                f"{self.id}：加分项、扣分项没有权重，也没有下级",
                f"{self.id}: a bonus or deduction has neither weight nor children",
            )
        if not self.is_apart and (self.each or self.at_most or self.checks):
            raise Said(
                f"{self.id}：each、at_most、checks 只用于加分项或扣分项",
                f"{self.id}: each, at_most and checks belong to a bonus or deduction",
            )
        pairs = [(one.to, one.id) for one in self.maps]
        if len(set(pairs)) < len(pairs):
            raise Said(
                f"{self.id} 重复对应同一项",
                f"{self.id} is mapped to the same item twice",
            )
        return self


class Stage(_Named):
    """A stage of development, from a total of `start` on."""

    start: Annotated[float, Field(alias="from", ge=0, le=100)]


class Framework(_Named):
    """An evaluation framework with the days on which it is in force."""

    in_force_from: Annotated[date, Field(alias="from")]
    until: date | None = None
    source: Line
    note_zh: Line
    note_en: Line
    stages: tuple[Stage, ...] = ()
    stages_trust: Trust = "M"
    children: Annotated[tuple[Node, ...], Field(min_length=1)]

    @property
    def note(self) -> Text:
        return Text(zh=self.note_zh, en=self.note_en)

    @model_validator(mode="after")
    def _days(self) -> Self:
        if self.until is not None and self.until <= self.in_force_from:
            raise Said(
                f"{self.id} 的截止日不晚于起始日",
                f"{self.id} ends before it begins",
            )
        return self

    @property
    def has_weights(self) -> bool:
        """Whether every node but bonus and deduction has a weight: only then can anything be scored."""
        return all(node.weight is not None or node.is_apart for node, _ in self.walk())

    @property
    def full_marks(self) -> Decimal | None:
        """Marks that can be had with every bonus; None where a bonus has no limit."""
        added = [node.at_most for node, _ in self.walk() if node.bonus]
        known = [one for one in added if one is not None]
        return FULL + sum(known, Decimal(0)) if len(known) == len(added) else None

    def walk(self) -> Iterator[tuple[Node, int]]:
        """Yield every node with its depth, parents first."""
        stack = [(node, 0) for node in reversed(self.children)]
        while stack:
            node, depth = stack.pop()
            yield node, depth
            stack += [(child, depth + 1) for child in reversed(node.children)]

    def leaves(self) -> list[Node]:
        """Return the nodes that are scored."""
        return [node for node, _ in self.walk() if not node.children]

    def holds(self, day: date) -> bool:
        """Return whether the framework is in force on a day."""
        return self.in_force_from <= day and (self.until is None or day < self.until)


def check(framework: Framework) -> Framework:
    """Return the framework; raises `WeightsDoNotSum` with the node, or `FrameworkInvalid`.

    The first level sums to 100; children sum to the weight of their parent, or to 100 (shares of it).
    """
    seen: set[str] = set()
    for node, depth in framework.walk():
        if node.id in seen:
            raise _invalid(Text(zh=f"{node.id} 出现两次", en=f"{node.id} is there twice"), node.id)
        if depth >= _MOST_DEPTH:
            why = Text(
                zh=f"{node.id} 深于 {_MOST_DEPTH} 级",
                en=f"{node.id} is deeper than {_MOST_DEPTH} levels",
            )
            raise _invalid(why, node.id)
        seen.add(node.id)
    if not framework.has_weights:
        return framework
    _sums(framework.id, framework.children, FULL)
    for node, _ in framework.walk():
        if node.children and node.weight is not None:
            _sums(node.id, node.children, node.weight)
    return framework


def _sums(name: str, children: tuple[Node, ...], weight: Decimal) -> None:
    total = sum((c.weight for c in children if c.weight is not None and not c.is_apart), Decimal(0))
    if total not in (weight, FULL):
        raise WeightsDoNotSum(name, str(total), str(weight))


def marks(framework: Framework) -> dict[str, Decimal]:
    """Return how many marks of the whole each node is worth."""
    found: dict[str, Decimal] = {}

    def go(children: tuple[Node, ...], worth: Decimal) -> None:
        plain = [c for c in children if not c.is_apart and c.weight is not None]
        total = sum((c.weight for c in plain if c.weight is not None), Decimal(0))
        for child in plain:
            assert child.weight is not None
            found[child.id] = child.weight * worth / total
            go(child.children, found[child.id])

    go(framework.children, FULL)
    return found


def read_framework(text: str) -> Framework:
    """Return a framework from its JSON package; raises `FrameworkInvalid` or `WeightsDoNotSum`."""
    if len(text) > MOST_CHARACTERS:
        why = Text(
            zh=f"包超过 {MOST_CHARACTERS} 个字符",
            en=f"the package is longer than {MOST_CHARACTERS} characters",
        )
        raise _invalid(why, "framework")
    try:
        return check(Framework.model_validate(json.loads(text, parse_float=Decimal)))
    except ValidationError as error:
        where, why = first_wrong(error)
        raise _invalid(why, where or "framework") from None
    except (ValueError, RecursionError) as error:
        raise _invalid(not_json(error), "framework") from None


def _invalid(why: Text, where: str) -> FrameworkInvalid:
    return FrameworkInvalid(why, param=where, fix="correct the package; nothing of it was kept")
