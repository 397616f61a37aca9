"""The catalogue of indicators, and those that the city's own vital signs give at this moment."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from chengmai.kernel.texts import WHOLE_CITY, Text

Quality = Literal["whole", "partly", "none"]

SIGNS: Mapping[str, tuple[str, str]] = {
    "T01": ("transport", "road_index"),
    "T02": ("transport", "delay_index"),
    "T06": ("transport", "bus_punctuality"),
    "L07": ("carbon", "daily_emission"),
    "L11": ("carbon", "pue"),
    "D01": ("sensing", "device_online"),
    "E06": ("government", "hotline_answered"),
    "C03": ("cityscape", "handled_in_time"),
    "H04": ("health", "bed_occupancy"),
    "H06": ("health", "ambulance_response"),
}
"""Indicator to the vital sign (pack, sign) that gives it; the sign's definition says how."""
SUMMED = frozenset({"L07"})
"""Indicators of the city that are the sum over its areas; all others are their mean."""


@dataclass(frozen=True)
class Indicator:
    """An indicator as its sources define it. `iso_37122` are clauses; empty where there is none."""

    id: str
    name: str
    domain: str
    formula: str
    unit: str
    better: str
    source: str
    trust: str
    iso_37122: str


@dataclass(frozen=True)
class Reading:
    """A vital sign of one area as it is now."""

    id: str
    pack: str
    sign: str
    area: str
    value: float | None
    unit: str
    definition: Text
    at: str | None
    is_stale: bool


@dataclass(frozen=True)
class Computed:
    """An indicator worked out from signs: `parts` are the entities, `quality` whether all areas are live."""

    indicator: Indicator
    value: float | None
    unit: str
    quality: Quality
    definition: Text | None
    at: str | None
    parts: tuple[str, ...]


@cache
def catalogue() -> tuple[Indicator, ...]:
    """Return the indicators that the platform knows."""
    text = (resources.files("chengmai.assess") / "data" / "indicators.csv").read_text("utf-8")
    return tuple(Indicator(**row) for row in csv.DictReader(text.splitlines()))


def computed(readings: Iterable[Reading]) -> list[Computed]:
    """Return every indicator of the catalogue, with its value where a sign gives it.

    The sign of the whole city counts where there is one, else its areas together. A stale reading
    does not count: what is missing is unknown.
    """
    by_sign: dict[tuple[str, str], list[Reading]] = {}
    for reading in readings:
        by_sign.setdefault((reading.pack, reading.sign), []).append(reading)
    return [
        _of(one, by_sign.get(SIGNS[one.id], []) if one.id in SIGNS else []) for one in catalogue()
    ]


def _of(indicator: Indicator, readings: Sequence[Reading]) -> Computed:
    city = [reading for reading in readings if reading.area == WHOLE_CITY]
    chosen = city or readings
    live = [one for one in chosen if one.value is not None and not one.is_stale]
    if not live:
        definition = chosen[0].definition if chosen else None
        return Computed(indicator, None, indicator.unit, "none", definition, None, ())
    total = sum(one.value for one in live if one.value is not None)
    value = total if indicator.id in SUMMED else total / len(live)
    return Computed(
        indicator,
        value,
        live[0].unit,
        "whole" if len(live) == len(chosen) else "partly",
        live[0].definition,
        min((one.at for one in live if one.at), default=None),
        tuple(one.id for one in live),
    )
