"""What records may point at: places, programmes, and indicators and security checks that somebody defines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, cached_property

from chengmai.assess.catalogue import catalogue
from chengmai.assess.frameworks.kept import kept_frameworks
from chengmai.assess.frameworks.model import Framework
from chengmai.assess.model import CheckResult, IndicatorValue, Place, Record
from chengmai.assess.problems import RecordInvalid
from chengmai.assess.records import KINDS, PLACE_TYPE, Kind, as_place, from_entity, unknown_target
from chengmai.assess.shipped import shipped_checks, shipped_frameworks, shipped_gazetteer
from chengmai.kernel.ids import urn
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx
from chengmai.ngsild.model import Model


class Pointing:
    """What the records of a tenant may point at, inside a transaction."""

    def __init__(self, model: Model, tx: Tx, tenant: str) -> None:
        self._model, self._tx, self._tenant = model, tx, tenant

    def place(self, code: str) -> Place | None:
        """Return a place of the tenant or a shipped one; None for neither."""
        kept = self._model.get(self._tx, self._tenant, urn(PLACE_TYPE, code))
        if kept is not None:
            try:
                return as_place(from_entity(KINDS["places"], kept))
            except RecordInvalid:
                pass
        shipped = shipped_gazetteer()
        return shipped.place(code) if code in shipped else None

    def has(self, link: str, code: str) -> bool:
        """Return whether there is a place or a programme of a code."""
        if link == "place" and code in shipped_gazetteer():
            return True
        entity_type = KINDS["programmes" if link == "programme" else "places"].entity_type
        return self._model.get(self._tx, self._tenant, urn(entity_type, code)) is not None

    def defines(self, indicator: str) -> bool:
        """Return whether the catalogue or a framework says what an indicator is."""
        return indicator in _shipped_indicators() or indicator in self._own_indicators

    def indicators(self) -> frozenset[str]:
        """Return all indicators that somebody defines."""
        return _shipped_indicators() | self._own_indicators

    def checks(self, check: str) -> bool:
        """Return whether a security check is listed, or named by a framework of the tenant."""
        return check in shipped_checks() or any(
            check in node.checks for one in self._own for node, _ in one.walk()
        )

    def undefined(self, record: Record) -> tuple[str, Text] | None:
        """Return the field of a record that names an indicator or check which nobody defines, and why."""
        if isinstance(record, IndicatorValue) and not self.defines(record.indicator):
            return "indicator", unknown_indicator(record.indicator)
        if isinstance(record, CheckResult) and not self.checks(record.check):
            return "check", unknown_check(record.check)
        return None

    def wrong(self, kind: Kind, record: Record) -> tuple[str, Text] | None:
        """Return the first field of a record that points at nothing, and why; None where all is there."""
        for link in kind.links:
            target = str(getattr(record, link))
            if not self.has(link, target):
                return link, unknown_target(link, target)
        return self.undefined(record)

    @cached_property
    def _own(self) -> list[Framework]:
        return list(kept_frameworks(self._model, self._tx, self._tenant).values())

    @cached_property
    def _own_indicators(self) -> frozenset[str]:
        return frozenset(_leaves(self._own))


def unknown_indicator(indicator: str) -> Text:
    """Return that nobody says what an indicator is."""
    return Text(
        zh=f"指标“{indicator}”没有定义：用指标目录或评价体系里的编号，或先导入定义它的评价体系",
        en=f"nobody defines the indicator {indicator!r}: use one of the catalogue or of a framework,"
        " or import a framework that defines it first",
    )


def unknown_check(check: str) -> Text:
    """Return that a security check is not listed."""
    return Text(
        zh=f"安全检查表里没有“{check}”：用表中的编号（如 PI-02），或先导入列有它的评价体系",
        en=f"there is no security check {check!r}: use one of the list, such as PI-02,"
        " or import a framework that names it first",
    )


@cache
def _shipped_indicators() -> frozenset[str]:
    listed = (one.id for one in catalogue())
    return frozenset([*listed, *_leaves(shipped_frameworks())])


def _leaves(frameworks: Iterable[Framework]) -> Iterator[str]:
    for one in frameworks:
        for leaf in one.leaves():
            if leaf.indicator is not None:
                yield leaf.indicator
