"""What hypothesis makes entities of: every kind of attribute, with members that look like something else."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.unit.ngsild.builders import NOW, a_body

SCALARS = (
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5).map(lambda t: "x" + t)
)
PLAIN = SCALARS | st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.sampled_from(["a", "b", "speed", "https://example.org/a#b", "value2", "道路"])
LOOKALIKES = st.sampled_from(["value", "type", "object", "coordinates", "datasetId", "@value", "x"])
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(LOOKALIKES, inner | st.sampled_from(["Point", "Property"]), max_size=3)
    ),
    max_leaves=5,
)
POSITIONS = st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(list)
POINTS = POSITIONS.map(lambda at: {"type": "Point", "coordinates": at})
URNS = st.integers(0, 9).map(lambda n: f"urn:ngsi-ld:Thing:{n}")
BARE = (
    VALUES.map(lambda v: {"type": "Property", "value": v})
    | POINTS.map(lambda v: {"type": "GeoProperty", "value": v})
    | POINTS.map(lambda v: {"type": "Property", "value": v})
    | URNS.map(lambda v: {"type": "Relationship", "object": v})
    | st.dictionaries(st.sampled_from(["zh", "en", "@none"]), st.text(), min_size=1).map(
        lambda v: {"type": "LanguageProperty", "languageMap": v}
    )
    | NAMES.map(lambda v: {"type": "VocabProperty", "vocab": v})
    | st.dictionaries(NAMES, VALUES, max_size=2).map(lambda v: {"type": "JsonProperty", "json": v})
    | st.lists(VALUES, max_size=3).map(lambda v: {"type": "ListProperty", "valueList": v})
    | st.lists(URNS, max_size=3).map(lambda v: {"type": "ListRelationship", "objectList": v})
)
MEMBERS = st.fixed_dictionaries(
    {}, optional={"observedAt": st.just(NOW), "unitCode": st.just("GQ"), "datasetId": URNS}
)
WITH_UNIT = ("Property", "ListProperty")
LEAVES = st.builds(
    lambda bare, members: {
        **bare,
        **{k: v for k, v in members.items() if k != "unitCode" or bare["type"] in WITH_UNIT},
    },
    BARE,
    MEMBERS,
)
ATTRIBUTES = st.builds(
    lambda leaf, subs: {**subs, **leaf}, LEAVES, st.dictionaries(NAMES, LEAVES, max_size=2)
)
SEVERAL = st.lists(ATTRIBUTES, min_size=1, max_size=3, unique_by=lambda one: one.get("datasetId"))
BODIES = st.dictionaries(NAMES, ATTRIBUTES | SEVERAL, max_size=3).map(lambda a: a_body(**a))
WITHOUT_METADATA = PLAIN | st.lists(PLAIN, max_size=3)
"""Values that the simplified form shows without losing anything."""
