"""Indicators follow the vital signs that give them."""

from __future__ import annotations

import pytest

from chengmai.assess.catalogue import SIGNS, SUMMED, Computed, Reading, catalogue, computed
from chengmai.kernel.texts import WHOLE_CITY
from chengmai.packs import read_packs, shipped_packs
from tests.unit.assess.builders import words


def reading(indicator: str, area: str, value: float | None, *, stale: bool = False) -> Reading:
    pack, sign = SIGNS[indicator]
    name = f"urn:ngsi-ld:VitalSign:{pack}:{sign}:{area}"
    return Reading(name, pack, sign, area, value, "%", words(sign), "2026-11-23T00:00:00Z", stale)


def of(indicator: str, *readings: Reading) -> Computed:
    return next(one for one in computed(readings) if one.indicator.id == indicator)


@pytest.mark.parametrize("indicator", sorted(SIGNS))
def test_an_indicator_moves_with_the_sign_that_gives_it(indicator: str) -> None:
    before = of(indicator, reading(indicator, "a", 40), reading(indicator, "b", 60))
    after = of(indicator, reading(indicator, "a", 40), reading(indicator, "b", 80))
    assert (before.value, after.value) == ((100, 120) if indicator in SUMMED else (50, 60))
    assert len(after.parts) == 2
    assert after.quality == "whole"


@pytest.mark.parametrize("indicator", sorted(SIGNS))
def test_the_sign_that_gives_an_indicator_is_in_the_shipped_packs(indicator: str) -> None:
    signs = {(p.info.id, v.id) for p in read_packs([shipped_packs()]) for v in p.vitals}
    assert SIGNS[indicator] in signs
    assert indicator in {one.id for one in catalogue()}


def test_the_whole_city_counts_before_its_areas() -> None:
    found = of("D01", reading("D01", WHOLE_CITY, 90), reading("D01", "a", 10))
    assert found.value == 90


def test_what_is_stale_or_missing_is_unknown_and_never_nothing() -> None:
    assert of("D01").value is None
    assert of("D01", reading("D01", "a", 99, stale=True)).quality == "none"
    found = of("D01", reading("D01", "a", 80), reading("D01", "b", None))
    assert (found.value, found.quality) == (80, "partly")


def test_every_indicator_has_a_definition_and_a_source() -> None:
    found = catalogue()
    assert len(found) == 97
    assert all(one.formula and one.source and one.trust for one in found)
    assert {one.id: one.iso_37122 for one in found}["E04"] == "10.2"
