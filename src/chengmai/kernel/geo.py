"""Plane facts about GeoJSON geometries (RFC 7946): longitude and latitude in degrees, WGS 84."""

from __future__ import annotations

import math
from typing import Any

Box = tuple[float, float, float, float]
"""west, south, east, north"""


def bounding_box(geometry: dict[str, Any]) -> Box | None:
    """Return the smallest box around a geometry, or None when it has no coordinates."""
    lons: list[float] = []
    lats: list[float] = []
    _collect(geometry.get("coordinates", []), lons, lats)
    for part in geometry.get("geometries", []):
        if (box := bounding_box(part)) is not None:
            lons += [box[0], box[2]]
            lats += [box[1], box[3]]
    if not lons:
        return None
    return min(lons), min(lats), max(lons), max(lats)


def _collect(coordinates: Any, lons: list[float], lats: list[float]) -> None:
    if not coordinates:
        return
    if isinstance(coordinates[0], int | float):
        lons.append(float(coordinates[0]))
        lats.append(float(coordinates[1]))
        return
    for part in coordinates:
        _collect(part, lons, lats)


def point_of(geometry: dict[str, Any]) -> tuple[float, float] | None:
    """Return (longitude, latitude) of the middle of a geometry's bounding box."""
    box = bounding_box(geometry)
    return None if box is None else ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the distance of two (longitude, latitude) on a sphere of the earth's mean radius, in metres."""
    lon1, lat1, lon2, lat2 = map(math.radians, (*one, *other))
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(min(1.0, math.sqrt(half)))
