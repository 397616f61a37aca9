"""What each parameter of a path, a query or a header takes, as JSON Schema with one sentence."""

from __future__ import annotations

from typing import Any

from chengmai.ngsild.contexts import CORE_URL

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1}
_NAMES: Schema = {"type": "string", "minLength": 1, "examples": ["temperature,humidity"]}
_FLAG: Schema = {"type": "boolean", "default": False}
_URI: Schema = {"type": "string", "format": "uri", "examples": ["urn:ngsi-ld:Sensor:1"]}
_URIS: Schema = {"type": "string", "minLength": 1, "examples": ["urn:ngsi-ld:Sensor:1"]}
_INSTANT: Schema = {"type": "string", "format": "date-time"}
_FORM: Schema = {"type": "string", "enum": ["normalized", "concise", "simplified", "keyValues"]}

QUERY: dict[str, tuple[Schema, str]] = {
    "id": (_URIS, "Ids of entities, joined by commas."),
    "type": (_TEXT, "A type, or a selection of types with , | ; and brackets (4.17)."),
    "idPattern": (_TEXT, "A regular expression (RE2) that the whole id matches."),
    "attrs": (_NAMES, "Attributes that an entity must have one of, and that are shown."),
    "pick": (_NAMES, "Members to show; braces go on in linked entities (4.21)."),
    "omit": (_NAMES, "Members to leave out; braces go on in linked entities (4.21)."),
    "q": ({**_TEXT, "examples": ["temperature>20;name"]}, "A condition on attributes (4.9)."),
    "scopeQ": ({**_TEXT, "examples": ["/city/#"]}, "A condition on scopes (4.19)."),
    "csf": (_TEXT, "A condition on the properties of context sources (4.9)."),
    "local": (_FLAG, "Only what this broker holds itself."),
    "expandValues": (_NAMES, "Attributes whose values in q are expanded as terms."),
    "georel": (
        {**_TEXT, "examples": ["near;maxDistance==1000", "within"]},
        "A relation to the geometry (4.10).",
    ),
    "geometry": (
        {
            "type": "string",
            "enum": [
                "Point",
                "MultiPoint",
                "LineString",
                "MultiLineString",
                "Polygon",
                "MultiPolygon",
            ],
        },
        "The kind of geometry of `coordinates`.",
    ),
    "coordinates": (
        {**_TEXT, "examples": ["[116.39,39.91]"]},
        "Longitudes and latitudes in degrees (WGS 84), as in GeoJSON.",
    ),
    "geoproperty": (_TEXT, "The GeoProperty compared; `location` when absent."),
    "geometryProperty": (_TEXT, "The GeoProperty that becomes the geometry of a GeoJSON feature."),
    "options": (
        {**_TEXT, "examples": ["keyValues", "sysAttrs,concise"]},
        "Options joined by commas; which ones depends on the operation.",
    ),
    "format": (
        {
            "type": "string",
            "enum": [*_FORM["enum"], "temporalValues", "aggregatedValues"],
        },
        "The representation of the answer.",
    ),
    "lang": (
        {**_TEXT, "examples": ["zh,en;q=0.5", "*"]},
        "Languages preferred in LanguageProperties (4.15).",
    ),
    "datasetId": (_TEXT, "Instances to show or delete; `@none` is the one without a datasetId."),
    "join": ({"type": "string", "enum": ["inline", "flat", "@none"]}, "Linked entities (4.5.23)."),
    "joinLevel": ({"type": "integer", "minimum": 1, "maximum": 10}, "How many links are followed."),
    "containedBy": (_URIS, "Ids of entities that are not shown again when they are linked."),
    "jsonKeys": (_NAMES, "Attributes whose values stay as they are."),
    "orderBy": (
        {**_NAMES, "examples": ["name;desc,id", "location;dist-asc"]},
        "Members to order by, each with a direction after ; (4.23).",
    ),
    "orderFrom": (
        {**_TEXT, "examples": ["[116.39,39.91]"]},
        "The place from which distances are ordered.",
    ),
    "collation": ({**_TEXT, "examples": ["zh"]}, "The language whose order of texts holds."),
    "limit": (
        {"type": "integer", "minimum": 0, "maximum": 100_000, "default": 20},
        "How many are shown at most. More than 1,000 only of entities without an order and without links.",
    ),
    "offset": (
        {"type": "integer", "minimum": 0, "maximum": 10**9, "default": 0},
        "How many are passed over.",
    ),
    "count": (_FLAG, "Whether NGSILD-Results-Count tells how many there are."),
    "timerel": (
        {"type": "string", "enum": ["before", "after", "between"]},
        "The relation to the window in time (4.11).",
    ),
    "timeAt": (_INSTANT, "Where the window begins, or ends for `before`; UTC."),
    "endTimeAt": (_INSTANT, "Where a window of `between` ends; UTC."),
    "timeproperty": (
        {"type": "string", "enum": ["observedAt", "createdAt", "modifiedAt", "deletedAt"]},
        "The instant that the window is about.",
    ),
    "lastN": ({"type": "integer", "minimum": 1}, "Only the last instances of each attribute."),
    "aggrMethods": ({**_NAMES, "examples": ["avg,max"]}, "Aggregates (4.5.19)."),
    "aggrPeriodDuration": (
        {**_TEXT, "examples": ["PT1H"]},
        "The length of a period as ISO 8601 duration; PT0S is everything at once.",
    ),
    "keep": (_NAMES, "Attributes that a purge leaves."),
    "drop": (_NAMES, "Attributes that a purge deletes."),
    "observedAt": (_INSTANT, "The instant given to what has none; UTC."),
    "deleteAll": (_FLAG, "Every instance of the attribute, whatever its datasetId."),
    "details": (_FLAG, "The long form instead of names."),
    "kind": (
        {"type": "string", "enum": ["Hosted", "Cached", "ImplicitlyCreated"]},
        "Only contexts of this kind.",
    ),
    "reload": (_FLAG, "Fetch a cached context anew instead of deleting it."),
    "entityMap": (_FLAG, "Whether the entities found and their sources are kept for later (5.14)."),
    "entityMapLifetime": (
        {"type": "string", "format": "duration"},
        "For how long an entity map made by the query is wanted (ISO 8601), a day at most.",
    ),
    "splitEntities": (_FLAG, "Whether parts of an entity from several sources stay apart."),
}
"""Parameter of a query to (JSON Schema, what it says)."""

PATH: dict[str, tuple[Schema, str]] = {
    "entityId": (_URI, "The id of the entity."),
    "attrId": (_TEXT, "The name of the attribute, short or as IRI."),
    "instanceId": (_URI, "The id of the instance."),
    "type": (_TEXT, "The name of the type, short or as IRI."),
    "attribute": (_TEXT, "The name of the attribute, short or as IRI."),
    "contextId": (_TEXT, "The id of the context, or its URL."),
    "id": (_URI, "The id."),
}
"""Parameter of a path to (JSON Schema, what it says)."""

_PATHS: dict[str, tuple[str, ...]] = {
    "entities": ("entityId", "attrId"),
    "temporal": ("entityId", "attrId", "instanceId"),
    "types": ("type",),
    "attributes": ("attribute",),
    "jsonldContexts": ("contextId",),
}


def path_names(pattern: tuple[str, ...]) -> list[str]:
    """Return the names of the variable parts of a path, in order."""
    wild = sum(part == "*" for part in pattern)
    names = _PATHS.get(pattern[0], ("id",))
    if wild and "entityMaps" in pattern:
        names = ("id",)
    return list(names[:wild])


HEADERS: dict[str, Schema] = {
    "Tenant": {
        "name": "NGSILD-Tenant",
        "in": "header",
        "description": "The tenant; it must be that of the credentials (6.3.14).",
        "schema": {"type": "string", "minLength": 1},
    },
    "Context": {
        "name": "Link",
        "in": "header",
        "description": "The JSON-LD context of names in the request and the answer (6.3.5).",
        "schema": {
            "type": "string",
            "examples": [f'<{CORE_URL}>; rel="http://www.w3.org/ns/json-ld#context"'],
        },
    },
}
"""Headers that every operation takes, as components."""
