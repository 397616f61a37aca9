"""Geo-queries (GS CIM 009 V1.9.1, clause 4.10): is an entity near, within, … a reference geometry?

Topology is decided in degrees on the plane, as the standard's tests do. Distances are metres: great
circle (haversine, sphere of the IUGG mean radius 6,371,008.8 m) between points, and for other shapes a
local equirectangular plane around the reference, whose error stays under 1 % up to some 200 km.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import asin, cos, inf, isfinite, pi, radians, sin, sqrt
from typing import Any

import orjson
import shapely
from shapely.affinity import affine_transform
from shapely.errors import ShapelyError
from shapely.geometry import shape

from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import LOCATION, Entity
from chengmai.ngsild.geojson import check_geometry
from chengmai.ngsild.members import checked_name
from chengmai.ngsild.problems import EntityInvalid, GeometryInvalid, QueryInvalid

EARTH_RADIUS_M = 6_371_008.8
_M_PER_DEGREE = EARTH_RADIUS_M * pi / 180

_NEAR = re.compile(r"near;(maxDistance|minDistance)==([0-9.eE+]+)")
_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "within": shapely.within,
    "contains": shapely.contains,
    "intersects": shapely.intersects,
    "disjoint": shapely.disjoint,
    "overlaps": shapely.overlaps,
    "equals": shapely.equals,
}


@dataclass(frozen=True, slots=True)
class GeoQuery:
    """A relation to a reference geometry. `max_m` and `min_m` are metres and belong to `near`."""

    relation: str
    geometry: dict[str, Any]
    geoproperty: str = LOCATION
    max_m: float | None = None
    min_m: float | None = None
    reference: Any = field(default=None, compare=False, repr=False)


def parse_geoq(
    georel: str,
    geometry: str,
    coordinates: str | list[Any],
    geoproperty: str | None,
    ctx: Context,
) -> GeoQuery:
    """Return the geo-query; `coordinates` is JSON text or the list itself. Raises `Invalid`."""
    relation, max_m, min_m = _relation(georel)
    if isinstance(coordinates, str):
        try:
            coordinates = orjson.loads(coordinates)
        except orjson.JSONDecodeError:
            raise GeometryInvalid(
                f"coordinates {coordinates!r:.60} are not a JSON list",
                param="coordinates",
                fix="write them as [116.39,39.91]",
            ) from None
    given = {"type": geometry, "coordinates": coordinates}
    check_geometry(given, "coordinates")
    name = LOCATION if not geoproperty else ctx.expand(_checked(geoproperty))
    return GeoQuery(relation, given, name, max_m, min_m, _shape(given))


def matches(geoq: GeoQuery, entity: Entity) -> bool:
    """Return whether any instance of the geo-property of `entity` stands in the relation.

    An entity without it does not match, whatever the relation.
    """
    for instance in entity.get(geoq.geoproperty, ()):
        if instance.get("type") == "GeoProperty" and _holds(geoq, instance["value"]):
            return True
    return False


def bbox(geoq: GeoQuery) -> tuple[float, float, float, float] | None:
    """Return (west, south, east, north) that every matching geometry touches; None when there is none."""
    if geoq.relation == "disjoint" or geoq.min_m is not None:
        return None
    west, south, east, north = geoq.reference.bounds
    if geoq.relation != "near" or geoq.max_m is None:
        return west, south, east, north
    # 1 % more than the radius: what the planar distance lets in, the box must not shut out.
    lat = geoq.max_m / _M_PER_DEGREE * 1.01
    south, north = south - lat, north + lat
    widest = max(abs(south), abs(north))
    if widest >= 89:
        return -180.0, max(south, -90.0), 180.0, min(north, 90.0)
    lon = lat / cos(radians(widest))
    west, east = west - lon, east + lon
    if west < -180 or east > 180:
        return -180.0, south, 180.0, north
    return west, south, east, north


def inner_box(geoq: GeoQuery) -> tuple[float, float, float, float] | None:
    """Return (west, south, east, north) such that a geometry inside it matches for certain; None: not known.

    Only a rectangle that things are to be within, or to meet, has one.
    """
    reference = geoq.reference
    if geoq.relation not in ("within", "intersects") or reference.geom_type != "Polygon":
        return None
    if not shapely.equals(reference, shapely.box(*reference.bounds)):
        return None
    west, south, east, north = reference.bounds
    return west, south, east, north


def distance_m(geometry: dict[str, Any], reference: dict[str, Any]) -> float:
    """Return the distance in metres between two GeoJSON geometries; 0 where they meet."""
    return _distance(geometry, reference, _shape(reference))


def _relation(georel: str) -> tuple[str, float | None, float | None]:
    if georel in _RELATIONS:
        return georel, None, None
    near = _NEAR.fullmatch(georel)
    metres = _metres(near.group(2)) if near else None
    if near is None or metres is None:
        raise QueryInvalid(
            f"georel {georel!r:.60} is not known",
            param="georel",
            fix="use near;maxDistance==2000 (metres), near;minDistance==2000, "
            + ", ".join(_RELATIONS),
        )
    return ("near", metres, None) if near.group(1) == "maxDistance" else ("near", None, metres)


def _metres(text: str) -> float | None:
    try:
        metres = float(text)
    except ValueError:
        return None
    return metres if isfinite(metres) and metres > 0 else None


def _checked(geoproperty: str) -> str:
    try:
        return checked_name(geoproperty, "geoproperty")
    except EntityInvalid:
        raise QueryInvalid(
            f"{geoproperty!r:.60} is not the name of a GeoProperty",
            param="geoproperty",
            fix="use location, observationSpace, operationSpace or a GeoProperty of your own",
        ) from None


def _shape(geometry: dict[str, Any]) -> Any:
    made = shape({"type": geometry.get("type", geometry.get("@type")), **geometry})
    return made if made.is_valid else shapely.make_valid(made)


def _holds(geoq: GeoQuery, geometry: dict[str, Any]) -> bool:
    try:
        if geoq.relation != "near":
            return bool(_RELATIONS[geoq.relation](_shape(geometry), geoq.reference))
        metres = _distance(geometry, geoq.geometry, geoq.reference)
    except ShapelyError:
        return False  # a geometry beyond repair stands in no relation
    if geoq.max_m is not None:
        return metres <= geoq.max_m
    return metres >= (geoq.min_m or 0.0)


def _distance(geometry: dict[str, Any], reference: dict[str, Any], shaped: Any) -> float:
    if geometry.get("type") == reference.get("type") == "Point":
        return _haversine(geometry["coordinates"], reference["coordinates"])
    centre = shaped.centroid
    scale = [cos(radians(centre.y)) * _M_PER_DEGREE, _M_PER_DEGREE]

    def flat(other: Any, shift: float) -> Any:
        return affine_transform(other, [scale[0], 0, 0, scale[1], shift * scale[0], 0])

    here = flat(shaped, 0.0)
    other = _shape(geometry)
    nearest = inf
    for shift in (0.0, 360.0, -360.0):  # what lies beyond the antimeridian is near as well
        nearest = min(nearest, shapely.distance(here, flat(other, shift)))
    return float(nearest)


def _haversine(left: list[float], right: list[float]) -> float:
    lat1, lat2 = radians(left[1]), radians(right[1])
    half_lat, half_lon = (lat2 - lat1) / 2, radians(right[0] - left[0]) / 2
    a = sin(half_lat) ** 2 + cos(lat1) * cos(lat2) * sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(a)))
