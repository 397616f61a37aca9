from __future__ import annotations

from typing import Any

import pytest

from chengmai.ngsild.geojson import check_geometry
from chengmai.ngsild.problems import GeometryInvalid

RING = [[0, 0], [1, 0], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("kind", "coordinates"),
    [
        ("Point", [116.4, 39.9]),
        ("Point", [116.4, 39.9, 44.0]),
        ("MultiPoint", [[0, 0]]),
        ("LineString", [[0, 0], [1, 1]]),
        ("MultiLineString", [[[0, 0], [1, 1]]]),
        ("Polygon", [RING]),
        ("Polygon", [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]),
        ("MultiPolygon", [[RING], [RING]]),
    ],
)
def test_a_geometry_of_the_standard_is_accepted(kind: str, coordinates: Any) -> None:
    check_geometry({"type": kind, "coordinates": coordinates})


@pytest.mark.parametrize(
    "value",
    [
        None,
        "Point",
        {},
        {"type": "Circle", "coordinates": [0, 0]},
        {"type": ["Point"], "coordinates": [0, 0]},
        {"type": "Point"},
        {"type": "Point", "coordinates": [1]},
        {"type": "Point", "coordinates": [1, 2, 3, 4]},
        {"type": "Point", "coordinates": ["1", "2"]},
        {"type": "Point", "coordinates": [True, False]},
        {"type": "Point", "coordinates": [39.9, 116.4]},
        {"type": "Point", "coordinates": [float("nan"), 0]},
        {"type": "Point", "coordinates": [[0, 0]]},
        {"type": "LineString", "coordinates": [[0, 0]]},
        {"type": "Polygon", "coordinates": RING},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},
        {"type": "MultiPolygon", "coordinates": []},
    ],
)
def test_what_is_no_geometry_is_refused(value: Any) -> None:
    with pytest.raises(GeometryInvalid):
        check_geometry(value, "location")
