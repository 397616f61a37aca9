"""Of many subscriptions a change looks at few, and overlooks none."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengmai.broker.subscription import Subscription, compile_subscription
from chengmai.broker.subscriptions import SubscriptionBook
from chengmai.ngsild.contexts import ContextCompiler, core_documents
from chengmai.ngsild.entity import name_iri

CONTEXTS = ContextCompiler(core_documents(), None)
NOW_US = 1_780_000_000_000_000


def a_subscription(number: int, **members: Any) -> Subscription:
    document = {
        "id": f"urn:ngsi-ld:Subscription:{number}",
        "type": "Subscription",
        "entities": [{"type": "Sensor"}],
        "notification": {"endpoint": {"uri": "http://127.0.0.1:9/"}},
    }
    return compile_subscription("city", document | members, CONTEXTS)


def an_entity(number: int = 1, level: float = 5, place: tuple[float, float] = (116.0, 39.0)) -> Any:
    point = {"type": "Point", "coordinates": list(place)}
    return {
        "id": f"urn:ngsi-ld:Sensor:{number:03}",
        "type": [name_iri("Sensor")],
        "scope": [f"/city/district{number % 3}/street"],
        name_iri("level"): [{"type": "Property", "value": level}],
        name_iri("name"): [{"type": "Property", "value": f"n{number}"}],
        name_iri("location"): [{"type": "GeoProperty", "value": point}],
    }


FILTERS: list[dict[str, Any]] = [
    {},
    {"entities": [{"type": "Sensor", "id": "urn:ngsi-ld:Sensor:001"}]},
    {"entities": [{"type": "Sensor", "id": "urn:ngsi-ld:Sensor:001"}, {"type": "Pump"}]},
    {"entities": [{"type": "*"}]},
    {"entities": [{"type": "Sensor", "idPattern": "^urn:ngsi-ld:Sensor:00[1-3]$"}]},
    {"entities": [{"type": "Sensor", "idPattern": "^urn:ngsi-ld:Sensor:0*1"}]},
    {"entities": [{"type": "Sensor", "idPattern": "^nothing|1$"}]},
    {"watchedAttributes": ["level"]},
    {"watchedAttributes": ["name"]},
    {"entities": None, "watchedAttributes": ["level", "name"]},
    {"q": 'name=="n1"'},
    {"q": 'name=="n1","n2"'},
    {"q": 'name!="n1"'},
    {"q": "level==5"},
    {"q": "level==1..4"},
    {"q": "level>5"},
    {"q": "level>=5;level<7"},
    {"q": "level<2|level>8"},
    {"q": 'level<6;name~="n[12]"'},
    {"scopeQ": "/city/district1/#"},
    {"scopeQ": "/city/+/street"},
    {"scopeQ": "/+/district2/street,/city/district0/street"},
    {
        "geoQ": {
            "georel": "near;maxDistance==50",
            "geometry": "Point",
            "coordinates": [116.0, 39.0],
        }
    },
    {
        "geoQ": {
            "georel": "near;maxDistance==2000",
            "geometry": "Point",
            "coordinates": [116.0, 39.0],
        }
    },
    {
        "geoQ": {
            "georel": "near;minDistance==2000",
            "geometry": "Point",
            "coordinates": [116.0, 39.0],
        }
    },
    {
        "geoQ": {
            "georel": "within",
            "geometry": "Polygon",
            "coordinates": [[[100, 30], [120, 30], [120, 45], [100, 45], [100, 30]]],
        }
    },
    {"geoQ": {"georel": "disjoint", "geometry": "Point", "coordinates": [116.0, 39.0]}},
]


def without_none(members: dict[str, Any]) -> Subscription:
    made = a_subscription(0)
    document = {k: v for k, v in (made.document | members).items() if v is not None}
    return compile_subscription("city", document, CONTEXTS)


def by_looking_at_all(every: list[Subscription], entity: Any, names: list[str]) -> set[str]:
    return {
        one.id
        for one in every
        if SubscriptionBook.selects(one, entity)
        and (not one.watched or not one.watched.isdisjoint(names))
    }


@settings(max_examples=300)
@given(
    filters=st.lists(st.sampled_from(FILTERS), max_size=12),
    dropped=st.sets(st.integers(0, 11)),
    number=st.integers(1, 4),
    level=st.one_of(st.integers(0, 9), st.floats(0, 9)),
    place=st.one_of(
        st.tuples(st.floats(115.9, 116.1), st.floats(38.9, 39.1)),
        st.tuples(st.floats(115.999, 116.001), st.floats(38.999, 39.001)),
    ),
    names=st.sets(st.sampled_from(["level", "name"]), min_size=1),
)
def test_what_is_found_is_what_looking_at_all_would_find(
    filters: list[dict[str, Any]],
    dropped: set[int],
    number: int,
    level: float,
    place: tuple[float, float],
    names: set[str],
) -> None:
    book, kept = SubscriptionBook(), []
    for at, members in enumerate(filters):
        one = without_none({**members, "id": f"urn:ngsi-ld:Subscription:{at}"})
        book.add(one)
        if at in dropped:
            book.drop(one.key)
        else:
            kept.append(one)
    before, entity = an_entity(number, -1, (0, 0)), an_entity(number, level, place)
    before[name_iri("name")] = [{"type": "Property", "value": "before"}]
    changed = sorted(name_iri(name) for name in names)

    found = {one.id for one in book.matching("city", before, entity, changed, NOW_US)}

    assert found == by_looking_at_all(kept, entity, changed)


@pytest.mark.parametrize("metres", [20, 300, 3000, 300_000])
@pytest.mark.parametrize("half", [0.0001, 0.01, 5.0])
def test_what_has_an_extent_is_found_by_subscriptions_to_places_of_every_size(
    metres: int, half: float
) -> None:
    near = {
        "georel": f"near;maxDistance=={metres}",
        "geometry": "Point",
        "coordinates": [116.0, 39.0],
    }
    book, entity = SubscriptionBook(), an_entity()
    book.add(a_subscription(1, geoQ=near))
    ring = [(116 + half * x, 39 + half * y) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    area = {"type": "Polygon", "coordinates": [[list(at) for at in (*ring, ring[0])]]}
    entity[name_iri("location")] = [{"type": "GeoProperty", "value": area}]

    found = list(book.matching("city", None, entity, [name_iri("level")], NOW_US))

    assert len(found) == 1


@pytest.mark.parametrize(
    "members",
    [
        {"entities": [{"type": "Sensor", "id": "urn:ngsi-ld:Sensor:{n}"}]},
        {"entities": [{"type": "Sensor", "idPattern": "^urn:ngsi-ld:Sensor:{n}.*"}]},
        {"watchedAttributes": ["a{n}"]},
        {"q": 'name=="x{n}"'},
        {"q": "level>1{n}"},
        {"q": "level<-1{n}"},
        {"scopeQ": "/city/other{n}/#"},
    ],
)
def test_a_change_looks_at_few_of_many(members: dict[str, Any]) -> None:
    book = SubscriptionBook()
    for n in range(500):
        filled = orjson.loads(orjson.dumps(members).replace(b"{n}", b"%d" % (1000 + n)))
        book.add(a_subscription(n, **filled))
    entity = an_entity()

    shelves = [book._shelves["city", name_iri("Sensor")]]
    looked_at = [
        one for shelf in shelves for filed in shelf.candidates(entity, ["x"]) for one in filed
    ]

    assert looked_at == []
