"""A number with everything that is needed to check it, and the arithmetic that may be done on numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from chengmai.assess.model import ReportedFigure, Source
from chengmai.assess.problems import DenominatorInvalid, SourceMissing, SourcesDiffer
from chengmai.kernel.texts import Text


@dataclass(frozen=True)
class Figure:
    """One number. `computed` comes from records, `reported` from somebody who published it.

    `value` is None where there is none, and `because` says why. Raises `SourceMissing` without a source.
    """

    id: str
    kind: Literal["computed", "reported"]
    title: Text
    definition: Text
    value: float | None
    unit: str
    on: date
    source: Source | None
    numerator: float | None = None
    denominator: float | None = None
    denominator_title: Text | None = None
    because: Text | None = None
    is_at_least: bool = False
    items: tuple[str, ...] = ()
    topic: str = ""

    def __post_init__(self) -> None:
        if self.source is None or not self.source.name:
            raise SourceMissing(self.title.en)

    @property
    def whole(self) -> int | None:
        """The value as a whole number, halves away from zero."""
        return None if self.value is None else rounded(self.value)


def rounded(value: float) -> int:
    """Return the nearest whole number; a half goes away from zero, as people round."""
    return int(Decimal(repr(value)).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def two_decimals(value: float | Decimal) -> Decimal:
    """Return the value with two decimals; a half goes away from zero."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    return exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def growth(now: int, before: int) -> float | None:
    """Return the growth in percent, or None from nothing."""
    return None if before == 0 else (now - before) / before * 100


def share(numerator: float, denominator: float, what: str) -> float | None:
    """Return a share in percent; None of nothing. Raises `DenominatorInvalid` for more than all."""
    if denominator == 0:
        return None
    if numerator > denominator:
        raise DenominatorInvalid(
            f"{what}: {numerator:g} of {denominator:g} would be more than all",
            param="denominator",
            fix="count numerator and denominator over the same places",
        )
    return numerator / denominator * 100


def added(figures: Sequence[Figure]) -> float:
    """Return the sum of figures of one source and one definition; raises `SourcesDiffer`."""
    first = figures[0]
    for one in figures[1:]:
        same = (one.source, one.definition, one.unit, one.kind, one.on)
        if same != (first.source, first.definition, first.unit, first.kind, first.on):
            raise SourcesDiffer(_named(first), _named(one))
    return sum(one.value or 0 for one in figures)


def _named(figure: Figure) -> str:
    source = figure.source.name if figure.source else ""
    return f"{figure.title.en} ({source})"


def as_reported(figure: ReportedFigure) -> Figure:
    """Return a published number as a figure."""
    return Figure(
        id=figure.id,
        kind="reported",
        title=Text(zh=figure.title_zh, en=figure.title_en),
        definition=Text(zh=figure.definition_zh, en=figure.definition_en),
        value=figure.value,
        unit=figure.unit,
        on=figure.on,
        source=Source(name=figure.source, dated=figure.source_date),
        numerator=figure.numerator,
        denominator=figure.denominator,
        is_at_least=figure.is_at_least,
        items=tuple((figure.items or "").split()),
        topic=figure.topic,
    )
