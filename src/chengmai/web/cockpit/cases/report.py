"""The report form: what a person fills in, checked field by field."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chengmai.web.cockpit.texts import Words
from chengmai.web.cockpit.views import CategoryChoice, Position, Report

SHORTEST, LONGEST = 4, 2000
LONGEST_AREA = 120


@dataclass(frozen=True)
class ReportForm:
    """The form as it is shown: choices, what was filled in, and what is wrong with it by field."""

    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    areas: tuple[str, ...]
    values: Mapping[str, str]
    mistakes: Mapping[str, str]


def report_form(
    categories: Sequence[CategoryChoice],
    areas: Sequence[str],
    words: Words,
    values: Mapping[str, str] | None = None,
    mistakes: Mapping[str, str] | None = None,
) -> ReportForm:
    """Return the form; categories keep their order and are gathered by group."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for choice in categories:
        group = words.pick(choice.group) if choice.group else ""
        groups.setdefault(group, []).append((choice.id, words.pick(choice.title)))
    return ReportForm(
        groups=tuple((name, tuple(choices)) for name, choices in groups.items()),
        areas=tuple(areas),
        values=values or {},
        mistakes=mistakes or {},
    )


def check_report(
    values: Mapping[str, str], categories: Sequence[CategoryChoice], words: Words
) -> tuple[Report | None, dict[str, str]]:
    """Return the report, or None and the mistakes by field in the order of the form."""
    mistakes: dict[str, str] = {}
    category = values.get("category", "")
    if category not in {choice.id for choice in categories}:
        mistakes["category"] = words("report.mistake.category")
    area = values.get("area", "").strip()
    if not 0 < len(area) <= LONGEST_AREA:
        mistakes["area"] = words("report.mistake.area")
    position = read_position(values.get("position", ""))
    if values.get("position", "").strip() and position is None:
        mistakes["position"] = words("report.mistake.position")
    description = values.get("description", "").strip()
    if not SHORTEST <= len(description) <= LONGEST:
        mistakes["description"] = words("report.mistake.description", low=SHORTEST, high=LONGEST)
    if mistakes:
        return None, mistakes
    return Report(category, area, description, values.get("key", ""), position), {}


def read_position(text: str) -> Position | None:
    """Return (longitude, latitude) of a text `latitude, longitude`, or None when it is none."""
    parts = text.replace("，", ",").split(",")
    try:
        latitude, longitude = (float(part) for part in parts)
    except ValueError:
        return None
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        return None
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return longitude, latitude
