"""What indicators mean and what helps them: the catalogue, the frameworks, and a table of advice."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources

from chengmai.assess.catalogue import catalogue
from chengmai.assess.frameworks.model import Framework, Node
from chengmai.assess.outlook.model import Meaning
from chengmai.kernel.texts import Text

_ANY = "*"


def meanings(frameworks: Sequence[Framework], used: Iterable[str]) -> list[Meaning]:
    """Return what each indicator means, by its catalogue and by the newest framework that scores it."""
    leaves = {
        leaf.indicator: (leaf, framework)
        for framework in sorted(frameworks, key=lambda one: (one.has_weights, one.in_force_from))
        for leaf in framework.leaves()
        if leaf.indicator
    }
    known = _known()
    return [_of(code, known.get(code), leaves.get(code)) for code in sorted(used)]


def _of(code: str, known: Meaning | None, scored: tuple[Node, Framework] | None) -> Meaning:
    if known is not None:
        return known
    if scored is None:
        return Meaning(code, Text(zh=code, en=code), "", None, "", "", "D")
    leaf, framework = scored
    zh, en = (leaf.formula.zh, leaf.formula.en) if leaf.formula else ("", "")
    said = (zh, framework.source, leaf.trust, None, en)
    return Meaning(code, leaf.title, leaf.unit or "", leaf.direction, *said)


@cache
def _known() -> dict[str, Meaning]:
    return {
        one.id: Meaning(
            one.id,
            one.title,
            one.unit,
            "up" if one.better == "up" else "down" if one.better == "down" else None,
            one.formula,
            one.source,
            one.trust,
            one.unit_in("en"),
            one.formula_en,
        )
        for one in catalogue()
    }


@cache
def _advice() -> dict[str, Text]:
    text = (resources.files("chengmai.assess") / "data" / "advice.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["indicator"]: Text(zh=row["zh"], en=row["en"]) for row in rows}


def advice_for(indicator: str) -> Text:
    """Return what helps an indicator; in general words where there is nothing of its own."""
    known = _advice()
    return known.get(indicator) or known[_ANY]


def advised() -> frozenset[str]:
    """Return the indicators that have advice of their own."""
    return frozenset(_advice()) - {_ANY}
