"""The shapes of bodies as JSON Schema 2020-12, named as in clause 5.2 of GS CIM 009."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_URI: Schema = {"type": "string", "format": "uri"}
_INSTANT: Schema = {"type": "string", "format": "date-time"}
_TEXTS: Schema = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}
_TYPE: Schema = {"anyOf": [{"type": "string", "minLength": 1}, _TEXTS]}
_CONTEXT: Schema = {
    "description": "A URL, an object, or a list of them.",
    "anyOf": [{"type": "string", "format": "uri"}, {"type": "object"}, {"type": "array"}],
}


def ref(name: str) -> Schema:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def many(name: str) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": ref(name)}


def _object(required: tuple[str, ...] = (), **members: Schema) -> Schema:
    made: Schema = {"type": "object", "properties": members}
    return made | ({"required": list(required)} if required else {})


def _kind(name: str, value: str, shape: Schema, **more: Schema) -> Schema:
    """Return the schema of one kind of attribute (clause 4.5)."""
    made = _object(
        ("type", value),
        type={"const": name},
        **{value: shape},
        observedAt=_INSTANT,
        datasetId=_URI,
        expiresAt=_INSTANT,
        **more,
    )
    return {**made, "description": "Members that are not named here are sub-attributes."}


_KINDS: dict[str, Schema] = {
    "Property": _kind("Property", "value", {"not": {"type": "null"}}, unitCode={"type": "string"}),
    "Relationship": _kind(
        "Relationship", "object", {"anyOf": [_URI, {"type": "array", "items": _URI}]}
    ),
    "GeoProperty": _kind("GeoProperty", "value", ref("Geometry")),
    "LanguageProperty": _kind(
        "LanguageProperty",
        "languageMap",
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"anyOf": [{"type": "string"}, _TEXTS]},
        },
    ),
    "VocabProperty": _kind("VocabProperty", "vocab", {"anyOf": [{"type": "string"}, _TEXTS]}),
    "ListProperty": _kind("ListProperty", "valueList", {"type": "array"}),
    "ListRelationship": _kind(
        "ListRelationship",
        "objectList",
        {"type": "array", "items": {"anyOf": [_URI, _object(("object",), object=_URI)]}},
    ),
    "JsonProperty": _kind("JsonProperty", "json", {}),
}

_POSITION: Schema = {
    "type": "array",
    "prefixItems": [
        {"type": "number", "minimum": -180, "maximum": 180},
        {"type": "number", "minimum": -90, "maximum": 90},
    ],
    "items": {"type": "number"},
    "minItems": 2,
    "maxItems": 3,
}
_GEOMETRY: Schema = {
    "description": "A GeoJSON geometry (RFC 7946), WGS 84.",
    "oneOf": [
        _object(("type", "coordinates"), type={"const": "Point"}, coordinates=_POSITION),
        _object(
            ("type", "coordinates"),
            type={"enum": ["MultiPoint", "LineString"]},
            coordinates={"type": "array", "items": _POSITION, "minItems": 2},
        ),
        _object(
            ("type", "coordinates"),
            type={"enum": ["MultiLineString", "Polygon", "MultiPolygon"]},
            coordinates={"type": "array", "items": {"type": "array"}, "minItems": 1},
        ),
    ],
}

_ATTRIBUTES: Schema = {
    "anyOf": [ref("Attribute"), {"type": "array", "items": ref("Attribute"), "minItems": 1}]
}
_SHOWN: Schema = {
    "type": "object",
    "description": "An entity in the representation asked for; which members it has depends on it.",
    "properties": {"id": _URI, "type": _TYPE, "scope": _TYPE},
}
_ENTITY_INFO: Schema = _object(
    ("type",), type={"type": "string", "minLength": 1}, id=_TYPE, idPattern={"type": "string"}
)
_GEO_QUERY: Schema = _object(
    ("georel", "geometry", "coordinates"),
    georel={"type": "string"},
    geometry={"type": "string"},
    coordinates={"anyOf": [{"type": "array"}, {"type": "string"}]},
    geoproperty={"type": "string"},
)
_ORDERING: Schema = _object(
    orderBy=_TEXTS,
    collation={"type": "string"},
    geometry={"type": "string"},
    coordinates={"type": "array"},
)
_WINDOW: Schema = _object(
    timerel={"enum": ["before", "after", "between"]},
    timeAt=_INSTANT,
    endTimeAt=_INSTANT,
    timeproperty={"enum": ["observedAt", "createdAt", "modifiedAt", "deletedAt"]},
    lastN={"type": "integer", "minimum": 1},
)
_RECEIVER: Schema = {"type": "array", "items": ref("KeyValuePair")}

SCHEMAS: dict[str, Schema] = {
    **_KINDS,
    "Geometry": _GEOMETRY,
    "Attribute": {"anyOf": [ref(name) for name in _KINDS]},
    "Entity": {
        **_object(("id", "type"), id=_URI, type=_TYPE, scope=_TYPE, expiresAt=_INSTANT),
        "description": "An entity, normalized or concise (4.5.1); other members are attributes.",
        "additionalProperties": {"anyOf": [_ATTRIBUTES, {"not": {"type": "null"}}]},
    },
    "EntityFragment": {
        **_object(type=_TYPE, scope=_TYPE),
        "description": "Attributes by their name (5.4); with type and scope where these change.",
        "additionalProperties": _ATTRIBUTES,
    },
    "AttributeFragment": {
        "description": "One attribute, or members of it.",
        "anyOf": [ref("Attribute"), {"type": "object"}],
    },
    "EntityTemporal": {
        **_object(("id", "type"), id=_URI, type=_TYPE),
        "description": "An entity with the instances of its attributes over time (5.2.20).",
        "additionalProperties": {"type": "array", "items": ref("Attribute"), "minItems": 1},
    },
    "EntityTemporalFragment": {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {"type": "array", "items": ref("Attribute"), "minItems": 1},
    },
    "ShownEntity": _SHOWN,
    "ShownEvolution": _SHOWN,
    "Feature": _object(
        ("type",),
        type={"const": "Feature"},
        id=_URI,
        geometry={"anyOf": [ref("Geometry"), {"type": "null"}, {"type": "object"}]},
        properties={"type": "object"},
    ),
    "FeatureCollection": _object(
        ("type", "features"),
        type={"const": "FeatureCollection"},
        features={"type": "array", "items": ref("Feature")},
    ),
    "Query": {
        **_object(
            ("type",),
            type={"const": "Query"},
            entities={"type": "array", "items": _ENTITY_INFO, "minItems": 1},
            attrs=_TEXTS,
            pick=_TEXTS,
            omit=_TEXTS,
            q={"type": "string"},
            geoQ=_GEO_QUERY,
            scopeQ={"type": "string"},
            csf={"type": "string"},
            lang={"type": "string"},
            join={"enum": ["inline", "flat", "@none"]},
            joinLevel={"type": "integer", "minimum": 1},
            containedBy={"type": "array", "items": _URI},
            datasetId=_TEXTS,
            expandValues=_TEXTS,
            ordering=_ORDERING,
            temporalQ=_WINDOW,
        ),
        "description": "A query as a body (5.2.23); `temporalQ` for evolutions only.",
    },
    "KeyValuePair": _object(("key", "value"), key={"type": "string"}, value={"type": "string"}),
    "Endpoint": _object(
        ("uri",),
        uri=_URI,
        accept={"enum": ["application/json", "application/ld+json", "application/geo+json"]},
        cooldown={"type": "number", "minimum": 1},
        timeout={"type": "number", "minimum": 1},
        receiverInfo=_RECEIVER,
        notifierInfo=_RECEIVER,
    ),
    "NotificationParams": _object(
        ("endpoint",),
        endpoint=ref("Endpoint"),
        attributes=_TEXTS,
        pick=_TEXTS,
        omit=_TEXTS,
        format={"enum": ["normalized", "concise", "simplified", "keyValues"]},
        showChanges={"type": "boolean"},
        sysAttrs={"type": "boolean"},
        join={"enum": ["inline", "flat", "@none"]},
        joinLevel={"type": "integer", "minimum": 1},
    ),
    "Subscription": {
        **_object(
            ("type", "notification"),
            id=_URI,
            type={"const": "Subscription"},
            subscriptionName={"type": "string"},
            description={"type": "string"},
            entities={"type": "array", "items": _ENTITY_INFO, "minItems": 1},
            watchedAttributes=_TEXTS,
            notificationTrigger=_TEXTS,
            q={"type": "string"},
            geoQ=_GEO_QUERY,
            scopeQ={"type": "string"},
            lang={"type": "string"},
            isActive={"type": "boolean"},
            expiresAt=_INSTANT,
            throttling={"type": "number", "minimum": 0},
            timeInterval={"type": "number", "minimum": 1},
            jsonldContext=_URI,
            notification=ref("NotificationParams"),
        ),
        "description": "Who is told of what (5.2.12).",
    },
    "Fragment": {"type": "object", "description": "Members to set or change; null removes."},
    "Registration": {
        **_object(
            ("type", "information", "endpoint"),
            id=_URI,
            type={"const": "ContextSourceRegistration"},
            information={
                "type": "array",
                "items": _object(
                    entities={"type": "array", "items": _ENTITY_INFO, "minItems": 1},
                    propertyNames=_TEXTS,
                    relationshipNames=_TEXTS,
                ),
                "minItems": 1,
            },
            endpoint=_URI,
            mode={"enum": ["inclusive", "exclusive", "redirect", "auxiliary"]},
            operations=_TEXTS,
            tenant={"type": "string"},
            expiresAt=_INSTANT,
        ),
        "description": "What a context source holds, and how it is asked (5.2.9).",
    },
    "Context": {**_object(("@context",), **{"@context": _CONTEXT})},
    "ContextEntries": {"type": "array", "items": {"anyOf": [_URI, {"type": "object"}]}},
    "ContextEntry": {"type": "object", "description": "The context, or its metadata (5.2.39)."},
    "Ids": {"type": "array", "items": _URI, "minItems": 1},
    "Entities": {"type": "array", "items": ref("Entity"), "minItems": 1},
    "UpdateResult": {
        **_object(
            ("updated", "notUpdated"),
            updated={"type": "array", "items": {"type": "string"}},
            notUpdated={
                "type": "array",
                "items": _object(
                    ("attributeName", "reason"),
                    attributeName={"type": "string"},
                    reason={"type": "string"},
                ),
            },
        ),
        "description": "What was changed and what was not, and why (5.2.18).",
    },
    "BatchOperationResult": {
        **_object(
            ("success", "errors"),
            success={"type": "array", "items": {"type": "string"}},
            errors={
                "type": "array",
                "items": _object(
                    ("error",), entityId={"type": "string"}, error=ref("ProblemDetails")
                ),
            },
        ),
        "description": "The outcome of each entity (5.2.16).",
    },
    "EntityTypeList": _object(
        ("id", "type", "typeList"),
        id=_URI,
        type={"const": "EntityTypeList"},
        typeList={"type": "array", "items": {"type": "string"}},
    ),
    "EntityType": _object(
        ("id", "type", "typeName", "attributeNames"),
        id={"type": "string"},
        type={"const": "EntityType"},
        typeName={"type": "string"},
        attributeNames={"type": "array", "items": {"type": "string"}},
    ),
    "EntityTypeInfo": _object(
        ("id", "type", "typeName", "entityCount", "attributeDetails"),
        id={"type": "string"},
        type={"const": "EntityTypeInfo"},
        typeName={"type": "string"},
        entityCount={"type": "integer", "minimum": 0},
        attributeDetails=many("AttributeInfo"),
    ),
    "AttributeList": _object(
        ("id", "type", "attributeList"),
        id=_URI,
        type={"const": "AttributeList"},
        attributeList={"type": "array", "items": {"type": "string"}},
    ),
    "AttributeInfo": _object(
        ("id", "type", "attributeName"),
        id={"type": "string"},
        type={"const": "Attribute"},
        attributeName={"type": "string"},
        attributeCount={"type": "integer", "minimum": 0},
        attributeTypes={"type": "array", "items": {"type": "string"}},
        typeNames={"type": "array", "items": {"type": "string"}},
    ),
    "Types": {"anyOf": [ref("EntityTypeList"), many("EntityType")]},
    "Attributes": {"anyOf": [ref("AttributeList"), many("AttributeInfo")]},
    "Created": {"type": "array", "items": {"type": "string"}},
    "Any": {"type": ["object", "array"]},
    "ProblemDetails": {
        **_object(
            ("type", "title", "status", "detail", "code"),
            type={"type": "string", "format": "uri"},
            title={"type": "string"},
            status={"type": "integer", "minimum": 400, "maximum": 599},
            detail={"type": "string"},
            code={"type": "string", "description": "Stable: see the list of problem codes."},
            param={"type": "string", "description": "The field or parameter that is wrong."},
            fix={"type": "string", "description": "What to do."},
            request_id={"type": "string", "description": "The same as in the log."},
        ),
        "description": "RFC 9457 with the ETSI problem types (5.5.3).",
    },
}
"""Every schema of the document by name."""
