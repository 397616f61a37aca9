"""GeoJSON geometries (RFC 7946) as NGSI-LD allows them (GS CIM 009 V1.9.1, clause 4.7).

Positions are WGS 84 degrees, longitude before latitude.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from chengmai.ngsild.problems import GeometryInvalid

GEOMETRIES = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
)


def is_geometry(value: Any) -> bool:
    """Return whether `value` looks like a GeoJSON geometry: the right type, and coordinates."""
    return type(value) is dict and "coordinates" in value and _type(value) in GEOMETRIES


def check_geometry(value: Any, param: str | None = None) -> None:
    """Raise `GeometryInvalid` when `value` is no GeoJSON geometry on the globe.

    Checks the type, the nesting, the range of every position, and that rings are closed. A polygon that
    crosses itself is accepted: real data hold many, and matching repairs them.
    """
    if type(value) is not dict:
        raise _refused("it is not an object", param)
    kind = _type(value)
    check = _CHECKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise _refused(f"its type is none of {', '.join(sorted(GEOMETRIES))}", param)
    if "coordinates" not in value:
        raise _refused("it has no coordinates", param)
    check(value["coordinates"], param)


def _type(value: dict[str, Any]) -> Any:
    kind = value.get("type", value.get("@type"))
    return kind if isinstance(kind, str) else None


def _position(at: Any, param: str | None) -> None:
    if type(at) is not list or not 2 <= len(at) <= 3:
        raise _refused(
            "a position is [longitude, latitude] or [longitude, latitude, height]", param
        )
    for number in at:
        if type(number) not in (int, float) or not isfinite(number):
            raise _refused(f"{number!r:.40} is not a number", param)
    if not -180 <= at[0] <= 180:
        raise _refused(f"longitude {at[0]} is outside -180 … 180", param)
    if not -90 <= at[1] <= 90:
        raise _refused(f"latitude {at[1]} is outside -90 … 90", param)


def _many(each: Callable[[Any, str | None], None], least: int) -> Callable[[Any, str | None], None]:
    def check(parts: Any, param: str | None) -> None:
        if type(parts) is not list or len(parts) < least:
            raise _refused(
                f"a list of at least {least} is needed where {parts!r:.40} stands", param
            )
        for part in parts:
            each(part, param)

    return check


def _ring(parts: Any, param: str | None) -> None:
    _many(_position, 4)(parts, param)
    if parts[0] != parts[-1]:
        raise _refused("a ring must end where it begins", param)


_CHECKS: dict[str, Callable[[Any, str | None], None]] = {
    "Point": _position,
    "MultiPoint": _many(_position, 1),
    "LineString": _many(_position, 2),
    "MultiLineString": _many(_many(_position, 2), 1),
    "Polygon": _many(_ring, 1),
    "MultiPolygon": _many(_many(_ring, 1), 1),
}


def _refused(why: str, param: str | None) -> GeometryInvalid:
    return GeometryInvalid(
        f"not a GeoJSON geometry: {why}",
        param=param,
        fix='write it as {"type": "Point", "coordinates": [116.39, 39.91]}',
    )
