"""Which path and method of the NGSI-LD API is answered by what, for whom, and with which parameters.

One look-up in a table; a parameter that an operation does not know is refused (clause 6.3.2), because a
misspelt filter that is ignored gives a wrong answer with a straight face.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from chengmai.kernel.problems import NotFound
from chengmai.ngsild.members import checked_uri
from chengmai.web.api import (
    batches,
    contexts,
    discovery,
    entities,
    entity_maps,
    identity,
    queries,
    registration_subscriptions,
    registrations,
    snapshots,
    subscriptions,
    temporal,
)
from chengmai.web.api.http import InvalidRequest, MethodNotAllowed, Request, Response
from chengmai.web.api.negotiation import JSON, JSON_LD, MERGE_PATCH
from chengmai.web.api.wire import parts_of

PREFIX = "/ngsi-ld/v1/"
Handler = Callable[..., Awaitable[Response]]


@dataclass(frozen=True)
class Route:
    """One operation: who may (an action of the policy), what answers, which parameters it knows."""

    action: str
    handler: Handler
    parameters: frozenset[str] = frozenset()
    creates: bool = False
    """Whether it answers for a tenant that is not there yet: it makes it (clause 5.5.10), or needs none."""


def _route(action: str, handler: Handler, *parameters: str, creates: bool = False) -> Route:
    return Route(action, handler, frozenset(parameters), creates)


_WHICH = ("id", "idPattern", "type", "q", "scopeQ", "csf", "local", "expandValues", "jsonKeys")
_TYPED = ("type", "local")
_VIEW = (
    "attrs",
    "pick",
    "omit",
    "options",
    "format",
    "lang",
    "datasetId",
    "geometryProperty",
    "join",
    "joinLevel",
    "containedBy",
)
_ORDER = ("orderBy", "orderFrom", "collation")
_GEO = ("georel", "geometry", "coordinates", "geoproperty")
_PAGE = ("limit", "offset", "count")
_VIEW_OVER_TIME = ("attrs", "pick", "omit", "datasetId", "options", "format", "lang")
_MAP = ("entityMap", "entityMapLifetime")
_TIME = (
    "timerel",
    "timeAt",
    "endTimeAt",
    "timeproperty",
    "lastN",
    "aggrMethods",
    "aggrPeriodDuration",
)

ROUTES: dict[tuple[str, ...], dict[str, Route]] = {
    ("entities",): {
        "GET": _route(
            "entities.read",
            queries.query,
            *_WHICH,
            "splitEntities",
            *_GEO,
            *_VIEW,
            *_PAGE,
            *_ORDER,
            *_MAP,
        ),
        "POST": _route("entities.write", entities.create, "local", creates=True),
        "DELETE": _route("entities.delete", queries.purge, *_WHICH, *_GEO, "attrs", "keep", "drop"),
    },
    ("entities", "*"): {
        "GET": _route("entities.read", queries.retrieve, "type", "local", *_VIEW, *_MAP),
        "DELETE": _route("entities.delete", entities.delete, *_TYPED),
        "PATCH": _route(
            "entities.write", entities.merge, *_TYPED, "options", "format", "observedAt", "lang"
        ),
        "PUT": _route("entities.write", entities.replace, *_TYPED),
    },
    ("entities", "*", "attrs"): {
        "POST": _route("entities.write", entities.append, *_TYPED, "options"),
        "PATCH": _route("entities.write", entities.update, *_TYPED),
    },
    ("entities", "*", "attrs", "*"): {
        "PUT": _route("entities.write", entities.replace_attribute, *_TYPED),
        "PATCH": _route("entities.write", entities.update_attribute, *_TYPED),
        "DELETE": _route(
            "entities.write", entities.delete_attribute, *_TYPED, "datasetId", "deleteAll"
        ),
    },
    ("entityOperations", "create"): {
        "POST": _route("entities.write", batches.create, "local", creates=True)
    },
    ("entityOperations", "upsert"): {
        "POST": _route("entities.write", batches.upsert, "options", "local", creates=True)
    },
    ("entityOperations", "update"): {
        "POST": _route("entities.write", batches.update, "options", "local")
    },
    ("entityOperations", "merge"): {"POST": _route("entities.write", batches.merge, "local")},
    ("entityOperations", "query"): {
        "POST": _route(
            "entities.read", queries.query_by_body, *_PAGE, "options", "format", "local", *_MAP
        ),
    },
    ("entityOperations", "delete"): {"POST": _route("entities.delete", batches.delete, "local")},
    ("temporal", "entities"): {
        "GET": _route(
            "temporal.read",
            temporal.query,
            "id",
            "idPattern",
            "type",
            "q",
            "scopeQ",
            "csf",
            "local",
            "expandValues",
            "jsonKeys",
            "orderBy",
            *_GEO,
            *_VIEW_OVER_TIME,
            *_PAGE,
            *_TIME,
            *_MAP,
        ),
        "POST": _route("entities.write", temporal.create, "local", creates=True),
    },
    ("temporal", "entities", "*"): {
        "GET": _route("temporal.read", temporal.retrieve, "local", *_VIEW_OVER_TIME, *_TIME, *_MAP),
        "DELETE": _route("entities.delete", temporal.delete, "local"),
    },
    ("temporal", "entities", "*", "attrs"): {
        "POST": _route("entities.write", temporal.append, "local"),
    },
    ("temporal", "entities", "*", "attrs", "*"): {
        "DELETE": _route(
            "entities.delete", temporal.delete_attribute, "datasetId", "deleteAll", "local"
        ),
    },
    ("temporal", "entities", "*", "attrs", "*", "*"): {
        "PATCH": _route("entities.write", temporal.change_instance, "local"),
        "DELETE": _route("entities.delete", temporal.delete_instance, "local"),
    },
    ("temporal", "entityOperations", "query"): {
        "POST": _route("temporal.read", temporal.query_by_post, *_PAGE, "options", "format"),
    },
    ("subscriptions",): {
        "GET": _route("subscriptions.manage", subscriptions.query, *_PAGE),
        "POST": _route("subscriptions.manage", subscriptions.create, "local", creates=True),
    },
    ("subscriptions", "*"): {
        "GET": _route("subscriptions.manage", subscriptions.retrieve, "local"),
        "PATCH": _route("subscriptions.manage", subscriptions.change, "local"),
        "DELETE": _route("subscriptions.manage", subscriptions.delete, "local"),
    },
    ("csourceRegistrations",): {
        "GET": _route(
            "registrations.read",
            registrations.query,
            "id",
            "idPattern",
            "type",
            "attrs",
            "q",
            "csf",
            "scopeQ",
            *_GEO,
            "timerel",
            "timeAt",
            "endTimeAt",
            "timeproperty",
            *_PAGE,
            "options",
        ),
        "POST": _route("registrations.manage", registrations.create, creates=True),
    },
    ("csourceRegistrations", "*"): {
        "GET": _route("registrations.read", registrations.retrieve, "options"),
        "PATCH": _route("registrations.manage", registrations.change),
        "DELETE": _route("registrations.manage", registrations.delete),
    },
    ("csourceSubscriptions",): {
        "GET": _route("registrations.watch", registration_subscriptions.query, *_PAGE),
        "POST": _route("registrations.watch", registration_subscriptions.create, creates=True),
    },
    ("csourceSubscriptions", "*"): {
        "GET": _route("registrations.watch", registration_subscriptions.retrieve),
        "PATCH": _route("registrations.watch", registration_subscriptions.change),
        "DELETE": _route("registrations.watch", registration_subscriptions.delete),
    },
    ("jsonldContexts",): {
        "GET": _route("entities.read", contexts.query, "details", "kind", creates=True),
        "POST": _route("contexts.manage", contexts.add, creates=True),
    },
    ("jsonldContexts", "*"): {
        "GET": _route("entities.read", contexts.retrieve, "details"),
        "DELETE": _route("contexts.manage", contexts.delete, "reload"),
    },
    ("entityMaps",): {
        "GET": _route("entities.read", entity_maps.create, *_WHICH, *_GEO, "attrs", "pick", *_MAP),
    },
    ("entityMaps", "*"): {
        "GET": _route("entities.read", entity_maps.retrieve),
        "PATCH": _route("entities.read", entity_maps.change),
        "DELETE": _route("entities.read", entity_maps.delete),
    },
    ("temporal", "entityMaps"): {
        "GET": _route(
            "temporal.read",
            entity_maps.create_over_time,
            *_WHICH,
            *_GEO,
            "attrs",
            *_TIME,
            *_MAP,
        ),
    },
    ("snapshots",): {
        "POST": _route("snapshots.manage", snapshots.create, "local", creates=True),
        "DELETE": _route("snapshots.manage", snapshots.purge, "q", "local"),
    },
    ("snapshots", "*"): {
        "GET": _route("entities.read", snapshots.retrieve, "local"),
        "PATCH": _route("snapshots.manage", snapshots.change, "local"),
        "DELETE": _route("snapshots.manage", snapshots.delete, "local"),
    },
    ("snapshots", "*", "clone"): {
        "POST": _route("snapshots.manage", snapshots.clone, "local"),
    },
    ("info", "sourceIdentity"): {
        "GET": _route("entities.read", identity.retrieve, creates=True),
    },
    ("types",): {"GET": _route("entities.read", discovery.types, "details", "local")},
    ("types", "*"): {"GET": _route("entities.read", discovery.type_details, "local")},
    ("attributes",): {"GET": _route("entities.read", discovery.attributes, "details", "local")},
    ("attributes", "*"): {"GET": _route("entities.read", discovery.attribute_details, "local")},
}


WITHIN_SNAPSHOT: frozenset[Handler] = frozenset(
    [
        queries.query,
        queries.query_by_body,
        queries.retrieve,
        temporal.query,
        temporal.query_by_post,
        temporal.retrieve,
        discovery.types,
        discovery.type_details,
        discovery.attributes,
        discovery.attribute_details,
        subscriptions.query,
        subscriptions.create,
        subscriptions.retrieve,
        subscriptions.change,
        subscriptions.delete,
    ]
)
"""What of a snapshot anybody does who may do so elsewhere: it stays as it was (clause 5.5.15)."""
CHANGING_SNAPSHOT: frozenset[Handler] = frozenset(
    [
        queries.purge,
        entities.create,
        entities.delete,
        entities.merge,
        entities.replace,
        entities.append,
        entities.update,
        entities.replace_attribute,
        entities.update_attribute,
        entities.delete_attribute,
        batches.create,
        batches.upsert,
        batches.update,
        batches.merge,
        batches.delete,
        temporal.create,
        temporal.append,
        temporal.delete,
        temporal.delete_attribute,
        temporal.change_instance,
        temporal.delete_instance,
    ]
)
"""What changes a snapshot: for who may do it and manages snapshots."""


def find(request: Request) -> tuple[Route, list[str]]:
    """Return the route of a request and its path parameters.

    Raises `NotFound`, `MethodNotAllowed`, or `InvalidRequest` on an unknown parameter.
    """
    parts = _parts(request.path)
    pattern = _pattern(request.path, parts)
    methods = ROUTES[pattern]
    route = methods.get(request.method)
    if route is None and request.path == PREFIX + "entities/":
        # The id after the slash was forgotten: that is what is wrong, not the method.
        route = ROUTES.get((*pattern, "*"), {}).get(request.method)
        parts, pattern = ([*parts, ""], (*pattern, "*")) if route else (parts, pattern)
    if request.method == "PATCH" and parts[-3:-1] == ["attrs", ""]:
        # The attribute was forgotten: what is left names none of its instances.
        route, methods = None, ROUTES[pattern[:-2]]
    if route is None:
        raise MethodNotAllowed(request.method, sorted(methods))
    if request.query and (unknown := sorted(set(request.query) - route.parameters)):
        raise InvalidRequest(
            f"parameter {unknown[0]!r} is not known here",
            param=unknown[0],
            fix="use " + (", ".join(sorted(route.parameters)) or "no parameters"),
        )
    ids = [part for wanted, part in zip(pattern, parts, strict=True) if wanted == "*"]
    if pattern[0] == "entities" and ids:
        checked_uri(ids[0], "id")
    return route, ids


def offered(path: str) -> Response:
    """Return what may be done at a path: its methods, and what a PATCH of it may hold (RFC 5789, 3.1).

    Raises `NotFound`.
    """
    methods = ROUTES[_pattern(path, _parts(path))]
    allowed = sorted({*methods, "OPTIONS"} | ({"HEAD"} if "GET" in methods else set()))
    response = Response(200).header("Allow", ", ".join(allowed))
    if "PATCH" in methods:
        types = [JSON, JSON_LD] + [MERGE_PATCH] * (methods["PATCH"].handler in _MERGING)
        response.header("Accept-Patch", ", ".join(types))
    return response


_MERGING = frozenset(
    [entities.merge, entities.update_attribute, subscriptions.change, temporal.change_instance]
)


def _tree() -> _Tree:
    made: _Tree = {}
    for pattern in ROUTES:
        at = made
        for part in pattern:
            at = at.setdefault(part, {})
        at[None] = pattern
    return made


_Tree = dict[str | None, Any]
_TREE = _tree()
"""The patterns part by part, `*` for any; a pattern that ends at a place stands there under None."""


def _parts(path: str) -> list[str]:
    return parts_of(path[len(PREFIX) :])


def _pattern(path: str, parts: list[str]) -> tuple[str, ...]:
    pattern = _under(_TREE, parts, 0)
    if pattern is None:
        raise NotFound(f"there is nothing at {path}", param="path")
    return pattern


def _under(tree: _Tree, parts: list[str], at: int) -> tuple[str, ...] | None:
    """Return the pattern below a place in the tree that fits best: a name before `*`."""
    found: tuple[str, ...] | None = None
    if at == len(parts):
        return tree.get(None)
    if (below := tree.get(parts[at])) is not None:
        found = _under(below, parts, at + 1)
    if found is None and (below := tree.get("*")) is not None:
        found = _under(below, parts, at + 1)
    return found
