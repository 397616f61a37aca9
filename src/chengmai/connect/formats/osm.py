"""OpenStreetMap extracts: places and buildings by their tags.

Columns: `osm_id` (`node/1`, `way/2`, `relation/3`) `name` `lon` `lat` `geometry` (of areas) `area`
(m²), and `tags.<key>`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import shapely

from chengmai.connect.formats.ports import OBSERVED, Broken, Document, Get, Item, fault
from chengmai.connect.problems import ExtraMissing
from chengmai.packs.sources import OsmSource

_LARGEST_UNORDERED = 64 * 1024 * 1024
_EARTH_M = 6_371_008.8


class OsmFormat:
    """Implements `formats.ports.Format` for the extract at `address`."""

    timed = False

    def __init__(self, source: OsmSource, address: str) -> None:
        self._source = source
        self._address = address
        self._osmium = _osmium()

    async def gather(self, get: Get) -> Sequence[Document]:
        return [await get(self._address)]

    def items(self, documents: Sequence[Document], now: datetime) -> Iterator[Item]:
        osmium, path = self._osmium, documents[0].path
        try:
            with TemporaryDirectory(prefix="chengmai-osm-") as folder:
                if not _is_in_order(osmium, path):
                    path = _in_order(osmium, path, Path(folder))
                for item in self._of(osmium, path):
                    record = item.record
                    stamped = None if record is None else {**record, OBSERVED: now.timestamp()}
                    yield Item(item.where, stamped, item.fault)
        except (RuntimeError, ValueError, OSError) as error:
            raise Broken(f"not a readable extract: {error}") from error

    def _of(self, osmium: Any, path: Path) -> Iterator[Item]:
        wanted = [_wanted(tag) for tag in self._source.tags]
        keys = sorted({key for key, _ in wanted})
        shapes = osmium.geom.GeoJSONFactory()
        for thing in (
            osmium.FileProcessor(_file(osmium, path))
            .with_areas(osmium.filter.KeyFilter(*keys))
            .with_filter(osmium.filter.KeyFilter(*keys))
        ):
            tags = dict(thing.tags)
            if any(key in tags and value in (None, tags[key]) for key, value in wanted):
                item = _item(thing, tags, shapes)
                if item is not None:
                    yield item

    def close(self) -> None:
        pass


def _osmium() -> Any:
    try:
        import osmium
    except ImportError as error:
        raise ExtraMissing("osmium", "places") from error
    return osmium


def _file(osmium: Any, path: Path) -> Any:
    """Return the file with its kind, which its name need not tell."""
    return osmium.io.File(str(path), _kind(path))


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        return "pbf" if file.read(20)[4:].startswith(b"\n\tOSMHeader") else "osm"


def _is_in_order(osmium: Any, path: Path) -> bool:
    """Return whether things stand by kind and id, as areas need it; hand-made extracts often do not."""
    before = (0, 0, 0)
    kinds = "nwr"
    for thing in osmium.FileProcessor(_file(osmium, path)):
        here = (kinds.index(thing.type_str()), thing.id >= 0, abs(thing.id))
        if here <= before:
            return False
        before = here
    return True


def _in_order(osmium: Any, path: Path, folder: Path) -> Path:
    """Return the same extract in order, as a file in `folder`; it is held in memory for that."""
    if path.stat().st_size > _LARGEST_UNORDERED:
        raise Broken("its things are out of order, and it is too large to be put in order")
    made = folder / "ordered.osm.pbf"
    reader = osmium.MergeInputReader()
    reader.add_buffer(path.read_bytes(), _kind(path))
    with osmium.SimpleWriter(str(made)) as writer:
        reader.apply(writer)
    return made


def _wanted(tag: str) -> tuple[str, str | None]:
    key, found, value = tag.partition("=")
    return key, value if found else None


def _item(thing: Any, tags: dict[str, str], shapes: Any) -> Item | None:
    """Return a node or an area as an item; None for a way or relation that comes as an area, or is none."""
    described: dict[str, Any] = {f"tags.{key}": value for key, value in tags.items()}
    if thing.is_node():
        name = f"node/{thing.id}"
        place = {"lon": round(thing.lon, 7), "lat": round(thing.lat, 7)}
        return Item(name, {**described, "osm_id": name, "name": tags.get("name", name), **place})
    if not thing.is_area():
        return None
    name = f"{'way' if thing.from_way() else 'relation'}/{thing.orig_id()}"
    try:
        geometry = json.loads(shapes.create_multipolygon(thing))
    except (RuntimeError, ValueError) as error:
        return fault(name, "bad_resource", f"its geometry is not closed: {error}")
    if len(geometry["coordinates"]) == 1:
        geometry = {"type": "Polygon", "coordinates": geometry["coordinates"][0]}
    shape = shapely.from_geojson(json.dumps(geometry))
    middle = shape.representative_point()
    return Item(
        name,
        {
            **described,
            "osm_id": name,
            "name": tags.get("name", name),
            "lon": round(middle.x, 7),
            "lat": round(middle.y, 7),
            "geometry": geometry,
            "area": round(_area_m2(shape, middle.y), 1),
        },
    )


def _area_m2(shape: Any, latitude: float) -> float:
    """Return the area of a small shape in degrees, on the sphere."""
    metre = math.radians(1) * _EARTH_M
    return float(shape.area) * metre * metre * math.cos(math.radians(latitude))
