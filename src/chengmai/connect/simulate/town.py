"""The invented town: its districts and where its sensors stand. Read from `town.geojson`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from shapely import LineString, Point, Polygon

DETECTORS_PER_DISTRICT = 3


@dataclass(frozen=True)
class District:
    """A district: `busy` scales its traffic and its load against the town's mean."""

    id: str
    name: str
    busy: float
    place: tuple[float, float]


@dataclass(frozen=True)
class Thing:
    """A sensor: where it stands and which district it belongs to."""

    id: str
    name: str
    district: District
    place: tuple[float, float]


@dataclass(frozen=True)
class Town:
    """Districts, and the detectors on its expressways."""

    districts: tuple[District, ...]
    detectors: tuple[Thing, ...]

    def one_each(self, kind: str, title: str) -> tuple[Thing, ...]:
        """Return one thing a district, `kind` in its id and `title` in its name."""
        return tuple(
            Thing(f"{d.id}-{kind}", f"{d.name} {title}", d, d.place) for d in self.districts
        )


def town_geojson() -> dict[str, Any]:
    """Return the town's map as a GeoJSON FeatureCollection (districts, river, roads; WGS 84)."""
    text = files("chengmai.connect.simulate").joinpath("town.geojson").read_text("utf-8")
    made: dict[str, Any] = json.loads(text)
    return made


def load_town() -> Town:
    """Return the town."""
    features = town_geojson()["features"]
    shapes: dict[str, Polygon] = {}
    districts = []
    for feature in _of_kind(features, "district"):
        known = feature["properties"]
        shapes[known["id"]] = shape = Polygon(feature["geometry"]["coordinates"][0])
        districts.append(
            District(known["id"], known["name"], known["busy"], _rounded(shape.centroid))
        )
    roads = [
        (road["properties"]["name"], LineString(road["geometry"]["coordinates"]))
        for road in _of_kind(features, "road")
    ]
    detectors = [
        detector
        for district in districts
        for detector in _detectors(district, shapes[district.id], roads)
    ]
    return Town(tuple(districts), tuple(detectors))


def _detectors(
    district: District, shape: Polygon, roads: list[tuple[str, LineString]]
) -> list[Thing]:
    """Return detectors at even distances on the longest road inside the district."""
    inside = [(name, road.intersection(shape)) for name, road in roads]
    name, line = max(inside, key=lambda pair: float(pair[1].length))
    return [
        Thing(
            f"{district.id}-road-{number}",
            f"{name} {number}",
            district,
            _rounded(line.interpolate((number - 0.5) / DETECTORS_PER_DISTRICT, normalized=True)),
        )
        for number in range(1, DETECTORS_PER_DISTRICT + 1)
    ]


def _of_kind(features: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [feature for feature in features if feature["properties"]["kind"] == kind]


def _rounded(point: Point) -> tuple[float, float]:
    return round(float(point.x), 5), round(float(point.y), 5)
