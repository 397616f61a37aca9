"""The OpenAPI 3.1 description of the machine API, made from the table of routes."""

from __future__ import annotations

from typing import Any

from chengmai import __version__
from chengmai.web.api.negotiation import GEO_JSON, JSON, JSON_LD, MERGE_PATCH
from chengmai.web.api.openapi.operations import OPERATIONS, Described
from chengmai.web.api.openapi.parameters import HEADERS, PATH, QUERY, path_names
from chengmai.web.api.openapi.schemas import SCHEMAS, Schema, many, ref
from chengmai.web.api.routes import PREFIX, ROUTES, Route

PATH_OF_DOCUMENT = "/openapi.json"
_PROBLEM = "application/problem+json"
_LISTS = {
    "ShownEntities": "ShownEntity",
    "ShownEvolutions": "ShownEvolution",
    "Subscriptions": "Subscription",
    "Registrations": "Registration",
}
_GEO = {"ShownEntities": "FeatureCollection", "ShownEntity": "Feature"}
_UNKNOWN = Described("Not described", "6.2", {200: "Any", 201: None, 204: None}, "Any")
_PROBLEMS: dict[int, str] = {
    400: "The request is not valid",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    406: "None of the accepted types can be given",
    409: "In conflict with what exists",
    413: "Too large",
    415: "This type of content is not taken",
    422: "Not supported",
    429: "Busy; Retry-After says when to come back",
    503: "Not available now; Retry-After says when to come back",
    504: "The JSON-LD context is not available",
    507: "No room left",
}
_ANSWERS = {
    200: "Found",
    201: "Created",
    204: "Done",
    206: "Part of it, see Content-Range",
    207: "Partly done",
}


def openapi() -> dict[str, Any]:
    """Return the description of every operation that `ROUTES` offers, as OpenAPI 3.1."""
    paths: dict[str, Any] = {}
    for pattern, methods in ROUTES.items():
        names = path_names(pattern)
        held = iter(names)
        path = "/".join(f"{{{next(held)}}}" if part == "*" else part for part in pattern)
        paths[PREFIX + path] = {
            "parameters": [_parameter(name, *PATH[name], place="path") for name in names],
            **{
                method.lower(): _operation(method, pattern, route)
                for method, route in methods.items()
            },
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Chengmai NGSI-LD API",
            "version": __version__,
            "summary": "ETSI GS CIM 009 V1.9.1, HTTP binding",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "parameters": HEADERS,
            "schemas": SCHEMAS,
            "responses": {
                name: {
                    "description": says,
                    "content": {_PROBLEM: {"schema": ref("ProblemDetails")}},
                }
                for name, says in _problems().items()
            },
        },
    }


def _parameter(name: str, schema: Schema, says: str, *, place: str) -> Schema:
    made = {"name": name, "in": place, "description": says, "schema": schema}
    return made | ({"required": True} if place == "path" else {})


def _operation(method: str, pattern: tuple[str, ...], route: Route) -> Schema:
    described = OPERATIONS.get((method, "/".join(pattern)), _UNKNOWN)
    made: Schema = {
        "operationId": method.lower() + "".join(_word(part) for part in pattern),
        "summary": described.summary,
        "description": f"GS CIM 009 V1.9.1, clause {described.clause}. Needs `{route.action}`.",
        "tags": [pattern[0]],
        "parameters": [
            *({"$ref": f"#/components/parameters/{name}"} for name in HEADERS),
            *(_query_parameter(name) for name in sorted(route.parameters)),
        ],
        "responses": _responses(described, has_id="*" in pattern),
    }
    if described.body is not None and method not in ("GET", "DELETE"):
        made["requestBody"] = {"required": True, "content": _body(described)}
    return made


def _query_parameter(name: str) -> Schema:
    schema, says = QUERY.get(name, ({"type": "string"}, ""))
    return _parameter(name, schema, says, place="query")


def _word(part: str) -> str:
    return "One" if part == "*" else part[0].upper() + part[1:]


def _schema(name: str) -> Schema:
    return many(_LISTS[name]) if name in _LISTS else ref(name)


def _body(described: Described) -> Schema:
    name = described.body or "Any"
    content = {JSON: {"schema": ref(name)}, JSON_LD: {"schema": _with_context(name)}}
    if described.merge_patch:
        content[MERGE_PATCH] = {"schema": ref(name)}
    return content


def _with_context(name: str) -> Schema:
    """Return the schema of a JSON-LD body, which brings its own context (clause 6.3.5)."""
    if name == "Context":
        return ref(name)
    if name == "Entities":
        return {"type": "array", "items": _with_context("Entity"), "minItems": 1}
    return ref(name) if name == "Ids" else {"allOf": [ref(name), ref("Context")]}


def _responses(described: Described, *, has_id: bool) -> Schema:
    made: Schema = {}
    for status, name in described.answers.items():
        one: Schema = {"description": _ANSWERS.get(status, "Done")}
        if status == 201:
            one["headers"] = {"Location": {"schema": {"type": "string"}}}
        if name is not None:
            one["content"] = _content(name)
        made[str(status)] = one
    for status in _PROBLEMS:
        if (status != 404 or has_id) and (status != 415 or described.body):
            made[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    made["default"] = {"$ref": "#/components/responses/Problem"}
    return made


def _problems() -> dict[str, str]:
    made = {f"Problem{status}": says for status, says in _PROBLEMS.items()}
    return {"Problem": "What is wrong, where, and what to do", **made}


def _content(name: str) -> Schema:
    content = {JSON: {"schema": _schema(name)}, JSON_LD: {"schema": _schema(name)}}
    if name in _GEO:
        content[GEO_JSON] = {"schema": ref(_GEO[name])}
    return content
