"""The NGSI-LD standard, pure: contexts, entities, patches, representations and queries.

Read first: `entity.py` (the inner form), `contexts.py`, `patch.py`. Follows ETSI GS CIM 009 V1.9.1.
"""

from chengmai.ngsild.contexts import Context, ContextCompiler, core_documents
from chengmai.ngsild.expand import expand_attribute, expand_entity, expand_fragment
from chengmai.ngsild.geoq import GeoQuery, parse_geoq
from chengmai.ngsild.geoq import bbox as geo_bbox
from chengmai.ngsild.geoq import matches as matches_geo
from chengmai.ngsild.patch import (
    PatchResult,
    append,
    created,
    delete_attribute,
    merge,
    partial,
    replace,
    update,
)
from chengmai.ngsild.q import Query, parse_q, simple_conjuncts
from chengmai.ngsild.q import matches as matches_q
from chengmai.ngsild.represent import (
    compact_entity,
    to_feature_collection,
    to_geojson,
)
from chengmai.ngsild.select import (
    Selector,
    matches_scopes,
    matches_types,
    parse_scopes,
    parse_types,
)
from chengmai.ngsild.temporal import TemporalQuery, aggregate, parse_temporal
from chengmai.ngsild.temporal_view import compact_evolution

__all__ = [
    "Context",
    "ContextCompiler",
    "GeoQuery",
    "PatchResult",
    "Query",
    "Selector",
    "TemporalQuery",
    "aggregate",
    "append",
    "compact_entity",
    "compact_evolution",
    "core_documents",
    "created",
    "delete_attribute",
    "expand_attribute",
    "expand_entity",
    "expand_fragment",
    "geo_bbox",
    "matches_geo",
    "matches_q",
    "matches_scopes",
    "matches_types",
    "merge",
    "parse_geoq",
    "parse_q",
    "parse_scopes",
    "parse_temporal",
    "parse_types",
    "partial",
    "replace",
    "simple_conjuncts",
    "to_feature_collection",
    "to_geojson",
    "update",
]
