from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.kernel.problems import Invalid
from chengmai.ngsild.entity import geo
from chengmai.ngsild.geoq import bbox, distance_m, matches, parse_geoq
from tests.unit.ngsild.builders import CTX, an_entity, iri

SQUARE = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]
BOW_TIE = [[[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]]


def at(kind: str, coordinates: Any, name: str = "location") -> Any:
    """Return an entity that stands there."""
    return an_entity(**{name: geo({"type": kind, "coordinates": coordinates})})


@pytest.mark.parametrize(
    ("georel", "kind", "coordinates", "there", "holds"),
    [
        ("within", "Polygon", SQUARE, ("Point", [5, 5]), True),
        ("within", "Polygon", SQUARE, ("Point", [15, 5]), False),
        ("contains", "Point", [5, 5], ("Polygon", SQUARE), True),
        ("intersects", "LineString", [[-5, 5], [5, 5]], ("Polygon", SQUARE), True),
        ("disjoint", "Point", [50, 50], ("Polygon", SQUARE), True),
        ("disjoint", "Point", [5, 5], ("Polygon", SQUARE), False),
        (
            "overlaps",
            "Polygon",
            [[[5, 5], [15, 5], [15, 15], [5, 15], [5, 5]]],
            ("Polygon", SQUARE),
            True,
        ),
        ("equals", "Point", [5, 5], ("Point", [5, 5]), True),
        ("within", "Polygon", BOW_TIE, ("Point", [9, 5]), True),
        ("within", "Polygon", BOW_TIE, ("Point", [5, 9]), False),
        ("near;maxDistance==2000", "Point", [116.40, 39.90], ("Point", [116.41, 39.90]), True),
        ("near;maxDistance==500", "Point", [116.40, 39.90], ("Point", [116.41, 39.90]), False),
        ("near;minDistance==500", "Point", [116.40, 39.90], ("Point", [116.41, 39.90]), True),
        ("near;maxDistance==2000", "LineString", [[0, 60], [10, 60]], ("Point", [5, 60.01]), True),
        ("near;maxDistance==500", "LineString", [[0, 60], [10, 60]], ("Point", [5, 60.01]), False),
        ("near;maxDistance==2000", "Point", [179.99, 0], ("Point", [-179.999, 0]), True),
        (
            "near;maxDistance==2000",
            "LineString",
            [[179.9, 0], [179.99, 0]],
            ("Point", [-179.999, 0]),
            True,
        ),
        ("near;maxDistance==1", "Polygon", SQUARE, ("Point", [5, 5]), True),
    ],
)
def test_a_relation_decides(
    georel: str, kind: str, coordinates: Any, there: tuple[str, Any], holds: bool
) -> None:
    geoq = parse_geoq(georel, kind, coordinates, None, CTX)
    assert matches(geoq, at(*there)) is holds


def test_the_geoproperty_is_the_one_asked_for() -> None:
    geoq = parse_geoq("within", "Polygon", SQUARE, "entrance", CTX)
    assert geoq.geoproperty == iri("entrance")
    assert matches(geoq, at("Point", [5, 5], "entrance"))
    assert not matches(geoq, at("Point", [5, 5]))


def test_coordinates_may_be_text() -> None:
    assert parse_geoq("equals", "Point", "[5, 5]", None, CTX).geometry["coordinates"] == [5, 5]


def test_a_degree_of_latitude_is_some_111_km() -> None:
    metres = distance_m(
        {"type": "Point", "coordinates": [0, 0]}, {"type": "Point", "coordinates": [0, 1]}
    )
    assert metres == pytest.approx(111_195, rel=0.001)


def test_the_plane_agrees_with_the_sphere_over_a_city() -> None:
    point, other = [116.30, 39.80], [116.50, 40.00]
    sphere = distance_m(
        {"type": "Point", "coordinates": point}, {"type": "Point", "coordinates": other}
    )
    plane = distance_m(
        {"type": "MultiPoint", "coordinates": [point]}, {"type": "Point", "coordinates": other}
    )
    assert plane == pytest.approx(sphere, rel=0.01)


@pytest.mark.parametrize(
    ("georel", "kind", "coordinates"),
    [
        ("near", "Point", [0, 0]),
        ("near;maxDistance==-1", "Point", [0, 0]),
        ("near;maxDistance==0", "Point", [0, 0]),
        ("near;maxDistance==inf", "Point", [0, 0]),
        ("near;maxDistance==1e400", "Point", [0, 0]),
        ("near;maxDistance==5;minDistance==1", "Point", [0, 0]),
        ("beside", "Point", [0, 0]),
        ("within", "Circle", [0, 0]),
        ("within", "Polygon", [0, 0]),
        ("within", "Polygon", "[[["),
        ("within", "Point", [39.9, 116.4]),
    ],
)
def test_a_query_that_is_none_is_invalid(georel: str, kind: str, coordinates: Any) -> None:
    with pytest.raises(Invalid):
        parse_geoq(georel, kind, coordinates, None, CTX)


def test_there_is_no_box_where_what_matches_lies_outside() -> None:
    assert bbox(parse_geoq("disjoint", "Polygon", SQUARE, None, CTX)) is None
    assert bbox(parse_geoq("near;minDistance==5", "Point", [0, 0], None, CTX)) is None
    assert bbox(parse_geoq("within", "Polygon", SQUARE, None, CTX)) == (0, 0, 10, 10)


LON, LAT = st.floats(-180, 180), st.floats(-90, 90)


@given(LON, LAT, st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(1, 30_000))
def test_the_box_holds_all_that_is_near(
    lon: float, lat: float, east: float, north: float, metres: float
) -> None:
    there = [(lon + east + 180) % 360 - 180, max(-90.0, min(90.0, lat + north))]
    for kind, reference in (("Point", [lon, lat]), ("LineString", [[lon, lat], [lon, lat]])):
        geoq = parse_geoq(f"near;maxDistance=={metres}", kind, reference, None, CTX)
        box = bbox(geoq)
        assert box is not None
        if matches(geoq, at("Point", there)):
            assert box[0] <= there[0] <= box[2]
            assert box[1] <= there[1] <= box[3]
