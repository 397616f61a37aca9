"""The catalogue, how its indicators are worked out, and how good the data behind a value are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from chengmai.assess.catalogue import catalogue
from chengmai.assess.live.cases import CONDITIONS
from chengmai.assess.live.grading import made, quality_of, start_of
from chengmai.assess.live.model import Grade, Measured, OfCases, OfReadings, OfRegistry, OfSign
from chengmai.assess.live.registry import MEASURES
from chengmai.assess.live.table import definitions, reasons
from chengmai.assess.live.working import amounts_of
from chengmai.kernel.instants import to_us
from chengmai.packs import read_packs, shipped_packs
from chengmai.vitals.signs import tables_of, views_of
from chengmai.vitals.sql import SHARES, check_sql

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
PACKS = read_packs([shipped_packs()])
TYPES = {entity.type: entity for pack in PACKS for entity in pack.entities}
PLATFORM = {"VitalSign", "DataFeed"}


def test_every_indicator_has_names_a_definition_and_a_source() -> None:
    found = catalogue()
    assert len(found) == 97
    assert all(one.formula and one.source and one.trust and one.name_en for one in found)
    assert {one.id: one.iso_37122 for one in found}["E04"] == "10.2"
    assert all(one.domain_title.en.isascii() for one in found)


def test_definitions_and_reasons_are_of_indicators_and_never_of_the_same() -> None:
    known = {one.id for one in catalogue()}
    assert set(definitions()) <= known
    assert set(reasons()) <= known
    assert not set(definitions()) & set(reasons())
    assert len(definitions()) >= 40


@pytest.mark.parametrize("indicator", sorted(definitions()))
def test_a_definition_names_only_what_the_shipped_packs_have(indicator: str) -> None:
    one = definitions()[indicator]
    if isinstance(one, OfSign):
        assert (one.pack, one.sign) in {(p.info.id, v.id) for p in PACKS for v in p.vitals}
    if isinstance(one, OfReadings):
        views = views_of([entity for pack in PACKS for entity in pack.entities])
        check_sql(one.query, views, indicator, tables=tables_of(PACKS), output=SHARES)
    if isinstance(one, OfCases):
        assert one.numerator in {*CONDITIONS, "reporters"}
        assert one.people is not None or one.denominator in CONDITIONS
    if isinstance(one, OfRegistry):
        assert one.measure in MEASURES
    for entity_type, amount in amounts_of(one):
        if entity_type not in PLATFORM:
            named = {name.removeprefix("-") for name in amount.sum} | {amount.live or ""} - {""}
            assert named <= {*TYPES[entity_type].attributes, ""}


@pytest.mark.parametrize(
    ("used", "known", "fresh", "days", "grade"),
    [
        (20, 20, 20, 30, "A"),
        (18, 20, 18, 30, "B"),
        (20, 20, 12, 30, "C"),
        (20, 20, 20, 20, "C"),
        (20, 20, 20, 3, "D"),
        (2, 20, 2, 30, "D"),
    ],
)
def test_the_least_of_complete_timely_and_covered_gives_the_grade(
    used: int, known: int, fresh: int, days: int, grade: Grade
) -> None:
    since = to_us(NOW - timedelta(days=days))
    found = Measured(1, 1, [str(n) for n in range(used)], known, fresh, since)
    assert quality_of(found, NOW - timedelta(days=30), NOW).grade == grade


def test_nothing_to_divide_by_is_no_value() -> None:
    indicator = next(one for one in catalogue() if one.id == "C02")
    found = made(indicator, definitions()["C02"], Measured(0, 0), NOW, SHANGHAI)
    assert (found.state, found.value, found.quality) == ("no_data", None, None)
    assert found.because is not None
    assert "divide" in found.because.en


def test_periods_begin_at_midnight_of_the_city() -> None:
    assert start_of("P7D", NOW, SHANGHAI).isoformat() == "2026-11-15T00:00:00+08:00"
    assert start_of("year", NOW, SHANGHAI).isoformat() == "2026-01-01T00:00:00+08:00"


def test_every_definition_is_in_english_with_the_factor_of_the_chinese() -> None:
    for one in catalogue():
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in one.formula_en), one.id
        factors = {f.rpartition("×")[2] for f in re.findall("×10+", one.formula)}
        told = one.formula_en.replace(",", "")
        assert set(re.findall("× (10+)", told)) == factors, one.id
        assert one.definition.in_lang("en") == one.formula_en
