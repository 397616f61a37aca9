"""CityJSON models: city objects with footprint, height and attributes, in WGS 84.

Columns: `object_id` `type` `lon` `lat` `geometry` (the footprint) `height` (m) `ground` (m above the
datum) `area` (m²), and `attributes.<name>` as the model has them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import shapely

from chengmai.connect.formats.pages import read_json
from chengmai.connect.formats.ports import OBSERVED, Broken, Document, Get, Item, fault
from chengmai.connect.mapping import flatten
from chengmai.connect.problems import ExtraMissing
from chengmai.packs.sources import CityJsonSource

_EPSG = re.compile(r"EPSG(?::+|/[0-9.]+/)([0-9]{4,6})")
Vertex = tuple[float, float, float]


class CityJsonFormat:
    """Implements `formats.ports.Format` for the model at `address`."""

    timed = False

    def __init__(self, source: CityJsonSource, address: str) -> None:
        self._source = source
        self._address = address

    async def gather(self, get: Get) -> Sequence[Document]:
        return [await get(self._address)]

    def items(self, documents: Sequence[Document], now: datetime) -> Iterator[Item]:
        model = read_json(documents[0])
        if not isinstance(model, dict) or model.get("type") != "CityJSON":
            raise Broken("not a CityJSON model: its type is not CityJSON")
        objects, vertices = model.get("CityObjects"), _vertices(model)
        if not isinstance(objects, dict):
            raise Broken("the model has no CityObjects")
        turn = _to_wgs84(self._reference_system(model))
        for name, thing in objects.items():
            if not isinstance(thing, dict) or thing.get("type") not in self._source.types:
                continue
            try:
                item = _item(name, thing, objects, vertices, turn)
            except (IndexError, KeyError, TypeError, ValueError, shapely.GEOSException) as error:
                detail = f"its geometry cannot be read: {type(error).__name__} {error}"
                yield fault(name, "bad_resource", detail[:300])
                continue
            yield Item(name, {**item, OBSERVED: now.timestamp()})

    def close(self) -> None:
        pass

    def _reference_system(self, model: Mapping[str, Any]) -> int:
        told = (model.get("metadata") or {}).get("referenceSystem")
        match = _EPSG.search(str(told or self._source.crs or ""))
        if match is None:
            raise Broken(
                f"the model names no reference system ({told!r}); give crs in the feed's source"
            )
        return int(match[1])


def _vertices(model: Mapping[str, Any]) -> list[Vertex]:
    transform = model.get("transform") or {}
    scale = transform.get("scale") or (1, 1, 1)
    moved = transform.get("translate") or (0, 0, 0)
    try:
        return [
            (x * scale[0] + moved[0], y * scale[1] + moved[1], z * scale[2] + moved[2])
            for x, y, z in model["vertices"]
        ]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise Broken(f"the vertices cannot be read: {error}") from error


def _to_wgs84(epsg: int) -> Any:
    try:
        from pyproj import Transformer
        from pyproj.exceptions import CRSError
    except ImportError as error:
        raise ExtraMissing("pyproj", "places") from error
    try:
        return Transformer.from_crs(epsg, 4326, always_xy=True)
    except CRSError as error:
        raise Broken(f"the reference system EPSG:{epsg} is not known") from error


def _item(
    name: str,
    thing: Mapping[str, Any],
    objects: Mapping[str, Any],
    vertices: Sequence[Vertex],
    turn: Any,
) -> dict[str, Any]:
    rings: list[list[Vertex]] = []
    ground: list[list[Vertex]] = []
    for part in (thing, *(objects[child] for child in thing.get("children") or ())):
        for geometry in part.get("geometry") or ():
            for surface, kind in _surfaces(geometry):
                if len(surface[0]) < 3 or min(surface[0]) < 0:
                    raise ValueError("a ring of less than three corners")
                ring = [vertices[index] for index in surface[0]]
                rings.append(ring)
                if kind == "GroundSurface":
                    ground.append(ring)
    if not rings:
        raise ValueError("no surface")
    heights = [vertex[2] for ring in rings for vertex in ring]
    footprint = _footprint(ground or _level(rings))
    shape = shapely.transform(footprint, lambda xy: _turned(turn, xy))
    middle = shape.representative_point()
    attributes = flatten(thing["attributes"], "attributes") if thing.get("attributes") else {}
    return {
        **attributes,
        "object_id": name.strip("{}"),
        "type": str(thing["type"]),
        "lon": round(middle.x, 7),
        "lat": round(middle.y, 7),
        "geometry": json.loads(shapely.to_geojson(shapely.set_precision(shape, 1e-7))),
        "height": round(max(heights) - min(heights), 2),
        "ground": round(min(heights), 2),
        "area": round(footprint.area, 1),
    }


def _surfaces(geometry: Mapping[str, Any]) -> Iterator[tuple[list[list[int]], str]]:
    """Yield (rings, kind) of each surface; solids are shells of surfaces."""
    semantics = geometry.get("semantics") or {}
    kinds = [str(one.get("type", "")) for one in semantics.get("surfaces") or ()]
    yield from _walk(geometry["boundaries"], semantics.get("values"), kinds)


def _walk(
    boundaries: Any, values: Any, kinds: Sequence[str], depth: int = 0
) -> Iterator[tuple[list[list[int]], str]]:
    if depth > 4:
        raise ValueError("boundaries are nested too deeply")
    for number, part in enumerate(boundaries):
        value = values[number] if isinstance(values, list) and number < len(values) else values
        if part and part[0] and isinstance(part[0][0], int):
            yield part, kinds[value] if isinstance(value, int) and value < len(kinds) else ""
        else:
            yield from _walk(part, value, kinds, depth + 1)


def _level(rings: Sequence[list[Vertex]]) -> list[list[Vertex]]:
    """Return the lowest level surfaces, where the model does not say which is the ground."""
    level = [ring for ring in rings if max(v[2] for v in ring) - min(v[2] for v in ring) < 0.5]
    if not level:
        return list(rings)
    lowest = min(ring[0][2] for ring in level)
    return [ring for ring in level if ring[0][2] < lowest + 0.5]


def _footprint(rings: Sequence[list[Vertex]]) -> Any:
    polygons = [shapely.Polygon([(x, y) for x, y, _ in ring]) for ring in rings if len(ring) >= 3]
    whole = shapely.union_all([shapely.make_valid(polygon) for polygon in polygons])
    if whole.area == 0:
        points = [(x, y) for ring in rings for x, y, _ in ring]
        return shapely.MultiPoint(points).convex_hull
    parts = [part for part in getattr(whole, "geoms", [whole]) if part.area > 0]
    return shapely.union_all(parts)


def _turned(turn: Any, points: Any) -> Any:
    longitude, latitude = turn.transform(points[:, 0], points[:, 1])
    return shapely.get_coordinates(shapely.points(longitude, latitude))
