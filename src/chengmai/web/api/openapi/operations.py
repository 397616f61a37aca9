"""What each operation does, takes and answers: one line each, beside the table of routes."""

from __future__ import annotations

from dataclasses import dataclass, field

Key = tuple[str, str]
"""Method, and path below the prefix with `*` for a variable part."""


@dataclass(frozen=True)
class Described:
    """One operation: `body` and the values of `answers` are names of schemas, None for no body."""

    summary: str
    clause: str
    answers: dict[int, str | None] = field(default_factory=lambda: {204: None})
    body: str | None = None
    merge_patch: bool = False


_ENTITIES = {200: "ShownEntities"}
_EVOLUTIONS: dict[int, str | None] = {200: "ShownEvolutions", 206: "ShownEvolutions"}
_MADE: dict[int, str | None] = {201: None}
_CHANGED: dict[int, str | None] = {204: None, 207: "UpdateResult"}
_BATCH: dict[int, str | None] = {201: "Created", 204: None, 207: "BatchOperationResult"}
_PASSED: dict[int, str | None] = {204: None, 207: "BatchOperationResult"}

OPERATIONS: dict[Key, Described] = {
    ("GET", "entities"): Described("Query entities", "5.7.2", {**_ENTITIES}),
    ("POST", "entities"): Described("Create an entity", "5.6.1", _MADE, "Entity"),
    ("DELETE", "entities"): Described("Purge entities, or attributes of them", "5.6.21"),
    ("GET", "entities/*"): Described("Retrieve an entity", "5.7.1", {200: "ShownEntity"}),
    ("DELETE", "entities/*"): Described("Delete an entity", "5.6.6"),
    ("PATCH", "entities/*"): Described(
        "Merge into an entity", "5.6.17", _CHANGED, "EntityFragment", merge_patch=True
    ),
    ("PUT", "entities/*"): Described("Replace an entity", "5.6.18", _CHANGED, "EntityFragment"),
    ("POST", "entities/*/attrs"): Described(
        "Append attributes", "5.6.3", _CHANGED, "EntityFragment"
    ),
    ("PATCH", "entities/*/attrs"): Described(
        "Update attributes", "5.6.2", _CHANGED, "EntityFragment"
    ),
    ("PUT", "entities/*/attrs/*"): Described(
        "Replace an attribute", "5.6.19", body="AttributeFragment"
    ),
    ("PATCH", "entities/*/attrs/*"): Described(
        "Update members of an attribute", "5.6.4", body="AttributeFragment", merge_patch=True
    ),
    ("DELETE", "entities/*/attrs/*"): Described("Delete an attribute", "5.6.5"),
    ("POST", "entityOperations/create"): Described("Create entities", "5.6.7", _BATCH, "Entities"),
    ("POST", "entityOperations/upsert"): Described(
        "Create, or replace or update entities", "5.6.8", _BATCH, "Entities"
    ),
    ("POST", "entityOperations/update"): Described("Update entities", "5.6.9", _PASSED, "Entities"),
    ("POST", "entityOperations/merge"): Described(
        "Merge into entities", "5.6.20", _PASSED, "Entities"
    ),
    ("POST", "entityOperations/delete"): Described("Delete entities", "5.6.10", _PASSED, "Ids"),
    ("POST", "entityOperations/query"): Described(
        "Query entities by a body", "5.7.2", {**_ENTITIES}, "Query"
    ),
    ("GET", "temporal/entities"): Described("Query evolutions", "5.7.4", _EVOLUTIONS),
    ("POST", "temporal/entities"): Described(
        "Create an evolution, or add to it", "5.6.11", {201: None, 204: None}, "EntityTemporal"
    ),
    ("GET", "temporal/entities/*"): Described(
        "Retrieve an evolution", "5.7.3", {200: "ShownEvolution", 206: "ShownEvolution"}
    ),
    ("DELETE", "temporal/entities/*"): Described("Delete an evolution", "5.6.16"),
    ("POST", "temporal/entities/*/attrs"): Described(
        "Add instances to an evolution", "5.6.12", body="EntityTemporalFragment"
    ),
    ("DELETE", "temporal/entities/*/attrs/*"): Described(
        "Delete an attribute from an evolution", "5.6.13"
    ),
    ("PATCH", "temporal/entities/*/attrs/*/*"): Described(
        "Change one instance", "5.6.14", body="AttributeFragment", merge_patch=True
    ),
    ("DELETE", "temporal/entities/*/attrs/*/*"): Described("Delete one instance", "5.6.15"),
    ("POST", "temporal/entityOperations/query"): Described(
        "Query evolutions by a body", "5.7.4", _EVOLUTIONS, "Query"
    ),
    ("GET", "subscriptions"): Described("List subscriptions", "5.8.4", {200: "Subscriptions"}),
    ("POST", "subscriptions"): Described("Subscribe", "5.8.1", _MADE, "Subscription"),
    ("GET", "subscriptions/*"): Described(
        "Retrieve a subscription", "5.8.3", {200: "Subscription"}
    ),
    ("PATCH", "subscriptions/*"): Described(
        "Change a subscription", "5.8.2", body="Fragment", merge_patch=True
    ),
    ("DELETE", "subscriptions/*"): Described("End a subscription", "5.8.5"),
    ("GET", "jsonldContexts"): Described("List contexts", "5.13.3", {200: "ContextEntries"}),
    ("POST", "jsonldContexts"): Described("Host a context", "5.13.2", _MADE, "Context"),
    ("GET", "jsonldContexts/*"): Described("Serve a context", "5.13.4", {200: "ContextEntry"}),
    ("DELETE", "jsonldContexts/*"): Described("Delete or reload a context", "5.13.5"),
    ("GET", "types"): Described("List the types there are", "5.7.5", {200: "Types"}),
    ("GET", "types/*"): Described("Tell about a type", "5.7.7", {200: "EntityTypeInfo"}),
    ("GET", "attributes"): Described("List the attributes there are", "5.7.8", {200: "Attributes"}),
    ("GET", "attributes/*"): Described("Tell about an attribute", "5.7.10", {200: "AttributeInfo"}),
    ("GET", "csourceRegistrations"): Described(
        "Discover registrations of context sources", "5.10.2", {200: "Registrations"}
    ),
    ("POST", "csourceRegistrations"): Described(
        "Register a context source", "5.9.2", _MADE, "Registration"
    ),
    ("GET", "csourceRegistrations/*"): Described(
        "Retrieve a registration", "5.10.1", {200: "Registration"}
    ),
    ("PATCH", "csourceRegistrations/*"): Described(
        "Change a registration", "5.9.3", body="Fragment", merge_patch=True
    ),
    ("DELETE", "csourceRegistrations/*"): Described("Take a registration off", "5.9.4"),
    ("GET", "csourceSubscriptions"): Described(
        "List subscriptions to registrations", "5.11.5", {200: "Subscriptions"}
    ),
    ("POST", "csourceSubscriptions"): Described(
        "Subscribe to registrations", "5.11.2", _MADE, "Subscription"
    ),
    ("GET", "csourceSubscriptions/*"): Described(
        "Retrieve a subscription to registrations", "5.11.4", {200: "Subscription"}
    ),
    ("PATCH", "csourceSubscriptions/*"): Described(
        "Change a subscription to registrations", "5.11.3", body="Fragment", merge_patch=True
    ),
    ("DELETE", "csourceSubscriptions/*"): Described(
        "End a subscription to registrations", "5.11.6"
    ),
    **{
        ("GET", path): Described(f"Make an entity map of {what}", "5.14.4", {201: "Any"})
        for path, what in (("entityMaps", "a query"), ("temporal/entityMaps", "a query over time"))
    },
    **{
        (method, f"{path}/*"): described
        for path in ("entityMaps", "temporal/entityMaps")
        for method, described in (
            ("GET", Described("Retrieve an entity map", "5.14.1", {200: "Any"})),
            ("PATCH", Described("Let an entity map live longer", "5.14.2", body="Fragment")),
            ("DELETE", Described("Delete an entity map", "5.14.3")),
        )
    },
    ("POST", "snapshots"): Described("Take a snapshot", "5.16.1", {201: None}, "Fragment"),
    ("DELETE", "snapshots"): Described("Purge snapshots", "5.16.7"),
    ("GET", "snapshots/*"): Described("Tell about a snapshot", "5.16.3", {200: "Any"}),
    ("PATCH", "snapshots/*"): Described("Change a snapshot", "5.16.4", {200: "Any"}, "Fragment"),
    ("DELETE", "snapshots/*"): Described("Delete a snapshot", "5.16.5"),
    ("POST", "snapshots/*/clone"): Described("Copy a snapshot", "5.16.2", {201: None}, "Fragment"),
    ("GET", "info/sourceIdentity"): Described("Tell who this source is", "5.15.1", {200: "Any"}),
}
"""Operation to what it is, also of those that come; a test compares it with the table of routes."""
