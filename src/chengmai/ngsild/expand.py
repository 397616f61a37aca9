"""From JSON as it arrives to the inner form: normalized, concise or simplified (GS CIM 009 V1.9.1, 4.5).

The reading is strict where a mistake would be stored for ever and lenient where the standard lets a form
be inferred: an attribute without `type` is what its value member says it is.
"""

from __future__ import annotations

from typing import Any

from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import (
    NGSI_LD,
    VALUE_MEMBER,
    Entity,
    Instance,
)
from chengmai.ngsild.geojson import is_geometry
from chengmai.ngsild.limits import check_limits
from chengmai.ngsild.members import (
    CHECKED_VALUE,
    CHECKED_WHOLE_VALUE,
    NULL,
    checked_instant,
    checked_name,
    checked_scopes,
    checked_text,
    checked_types,
    checked_uri,
    expanded_name,
    refused,
)
from chengmai.ngsild.particular import PARTICULAR, check_particular
from chengmai.ngsild.quick import quick_instance, quick_instances
from chengmai.ngsild.tombstones import PREVIOUS

_ENTITY_MEMBERS = frozenset(
    [
        "id",
        "type",
        "@id",
        "@type",
        "@context",
        "scope",
        "createdAt",
        "modifiedAt",
        "deletedAt",
        "expiresAt",
    ]
)
# Written by the broker alone, or an answer's decoration: a client that sends back what it read is not
# wrong, and what it says there does not count (clause 4.8).
_IGNORED = frozenset(
    [
        "type",
        "@type",
        "createdAt",
        "modifiedAt",
        "deletedAt",
        "instanceId",
        "entity",
        "entityList",
    ]
)
_OF_ANSWERS = frozenset(["@context", *PREVIOUS.values()])
"""What only an answer or a notification may hold in an attribute (clauses 4.5.2, 4.5.3, 5.5.7)."""
_UNITLESS = frozenset(VALUE_MEMBER) - {"Property", "ListProperty"}
_OF_ATTRIBUTES = frozenset(["datasetId", "instanceId", "observedAt"])
_KIND_OF_MEMBER = {m: k for k, m in VALUE_MEMBER.items() if k != "GeoProperty"}
_KIND = {kind: kind for kind in VALUE_MEMBER} | {NGSI_LD + kind: kind for kind in VALUE_MEMBER}
_KIND |= {"VocabularyProperty": "VocabProperty"}  # its name in edition V1.7.1
_VALUE_MEMBERS = frozenset(_KIND_OF_MEMBER)


def expand_entity(
    body: Any,
    ctx: Context,
    *,
    fragment: bool = False,
    simplified: bool = False,
    temporal: bool = False,
    merging: bool = False,
) -> Entity:
    """Return the inner form of an entity given in normalized or concise form.

    `fragment` makes `id` and `type` optional and lets `null` (or `urn:ngsi-ld:null`) ask for removal and
    attributes come without a value; `merging` lets nulls stand inside values too. `simplified` reads
    key-values; in a fragment a plain value then has no `type`, since what is stored says its kind.
    `temporal` allows many instances with
    the same `datasetId`. Raises `Invalid`; the problem names the path.
    """
    body = _checked_body(body)
    made: Entity = {}
    entity_id = body.get("id", body.get("@id"))
    if entity_id is not None or not fragment:
        made["id"] = checked_uri(entity_id, "id")
        if entity_id == NULL:
            raise refused("it names nothing", "id", "choose another id")
    types = body.get("type", body.get("@type"))
    if types is not None or not fragment:
        made["type"] = checked_types(types, ctx, "type")
    reader = Reader(
        ctx, complete=not fragment, simplified=simplified, temporal=temporal, merging=merging
    )
    reader.read_attributes(body, made)
    return made


def expand_fragment(
    body: Any,
    ctx: Context,
    *,
    complete: bool = False,
    simplified: bool = False,
    temporal: bool = False,
    merging: bool = False,
) -> Entity:
    """Return the inner form of attributes to append, update or merge; `id` and `type` are optional.

    `complete` demands whole attributes without nulls, as appending does. Raises `Invalid`.
    """
    if not complete:
        return expand_entity(
            body, ctx, fragment=True, simplified=simplified, temporal=temporal, merging=merging
        )
    body = _checked_body(body)
    made: Entity = {}
    if "id" in body:
        made["id"] = checked_uri(body["id"], "id")
    if "type" in body:
        made["type"] = checked_types(body["type"], ctx, "type")
    reader = Reader(ctx, complete=True, simplified=simplified, temporal=temporal)
    reader.read_attributes(body, made)
    return made


def expand_attribute(
    name: str, body: Any, ctx: Context, *, fragment: bool = True, temporal: bool = False
) -> list[Instance]:
    """Return the instances of one attribute; with `fragment` a value may be missing or null.

    An instance of a fragment that says neither its kind nor its value has no `type` in the inner form.
    Raises `Invalid`.
    """
    check_limits([body])
    reader = Reader(ctx, complete=not fragment, simplified=False, temporal=temporal)
    made = reader.attribute(checked_name(name, name), body)
    check_particular(ctx.expand(name), name, made)
    return made


def looks_like_instances(value: Any) -> bool:
    """Return whether `value` is read as several instances of an attribute, not as a value that is a list."""
    return (
        type(value) is list
        and bool(value)
        and all(
            type(one) is dict
            and (one["type"] in _KIND if type(one.get("type")) is str else _is_concise(one))
            for one in value
        )
    )


def _checked_body(body: Any) -> dict[str, Any]:
    if type(body) is not dict:
        raise refused("an entity is a JSON object", "body", 'write it as {"id": …, "type": …}')
    check_limits(body)
    return body


class Reader:
    """Reads attributes with one context and one set of rules; the common forms are read by `quick`."""

    __slots__ = ("_checked", "_complete", "_ctx", "_instants", "_simplified", "_temporal")

    def __init__(
        self,
        ctx: Context,
        *,
        complete: bool,
        simplified: bool,
        temporal: bool,
        merging: bool = False,
    ) -> None:
        self._ctx = ctx
        self._instants: set[str] = set()
        self._checked = CHECKED_VALUE if merging else CHECKED_WHOLE_VALUE
        self._complete = complete
        self._simplified = simplified
        self._temporal = temporal

    def read_attributes(self, body: dict[str, Any], made: Entity) -> None:
        """Add to `made` what `body` holds besides id and type."""
        seen, instants = self._ctx.seen, self._instants
        for key, value in body.items():
            if key in _ENTITY_MEMBERS:
                if key == "scope":
                    made[key] = self._nullable(value, key) or checked_scopes(value, key)
                elif key == "expiresAt":
                    made[key] = self._nullable(value, key) or checked_instant(value, key)
                continue
            if key in _OF_ATTRIBUTES:
                raise refused("it is a member of attributes, not an attribute", key, "rename it")
            iri = seen.get(key) or expanded_name(key, self._ctx, key)
            if iri in made:
                raise refused("the attribute is given twice", key, "give it once")
            quick = None if self._simplified else quick_instance(value, instants)
            made[iri] = self.attribute(key, value) if quick is None else [quick]
            if quick is None or iri in PARTICULAR:
                check_particular(iri, key, made[iri])

    def attribute(self, path: str, value: Any) -> list[Instance]:
        """Return the instances of the attribute at `path`."""
        if type(value) is not list:
            if self._simplified:
                return self._simplified_value(path, value)
            return [quick_instance(value, self._instants) or self.instance(path, value)]
        if not self._simplified and (quick := quick_instances(value, self._instants)) is not None:
            return quick
        if self._simplified and not self._temporal:
            return [self._kindless(value)]
        if not self._temporal and not looks_like_instances(value):
            return [{"type": "Property", "value": value}]
        made = [self.instance(f"{path}[{at}]", one) for at, one in enumerate(value)]
        if not self._temporal:
            _check_datasets(path, made)
        return made

    def instance(self, path: str, value: Any) -> Instance:
        """Return one instance of the attribute at `path`, in any form; raises `Invalid`."""
        if type(value) is not dict:
            return {"type": "Property", "value": self._plain(path, value)}
        if "@value" in value:
            return {"type": "Property", "value": value}
        kind = self._kind(path, value)
        if kind is None:
            return {
                "type": "GeoProperty",
                "value": CHECKED_VALUE["GeoProperty"](value, self._ctx, path),
            }
        made = self._members(path, value, kind)
        if kind and self._complete and VALUE_MEMBER[kind] not in made:
            member = VALUE_MEMBER[kind]
            raise refused(f"a {kind} needs {member!r}", path, f'add "{member}": …')
        return made

    def _plain(self, path: str, value: Any) -> Any:
        return self._nullable(value, path) or self._checked["Property"](value, self._ctx, path)

    def _nullable(self, value: Any, param: str) -> str | None:
        """Return `NULL` for a value that asks for removal, where that is allowed; None for any other."""
        return NULL if not self._complete and (value is None or value == NULL) else None

    def _kind(self, path: str, value: dict[str, Any]) -> str | None:
        """Return the kind of an instance, "" when a fragment does not say, None for a bare geometry."""
        given = value.get("type", value.get("@type"))
        if given is not None:
            kind = _KIND.get(given) if type(given) is str else None
            if kind is not None:
                return kind
            if is_geometry(value):
                return None
            raise refused(
                f"{given!r:.60} is not a kind of attribute", path + ".type", _meant(given, value)
            )
        for member, kind in _KIND_OF_MEMBER.items():
            if member in value:
                return "GeoProperty" if kind == "Property" and is_geometry(value[member]) else kind
        if self._complete:
            raise refused(
                "an object that is neither typed nor has a value member",
                path,
                'wrap a plain object as {"value": {…}}',
            )
        return ""

    def _members(self, path: str, given: dict[str, Any], kind: str) -> Instance:
        made: Instance = {"type": kind} if kind else {}
        for key, value in given.items():
            if key in _VALUE_MEMBERS:
                made[key] = self._value(path, key, value, kind)
            elif key in _IGNORED:
                continue
            elif key in _MEMBER_CHECKS:
                self._member(path, key, value, made)
            elif key in _OF_ANSWERS:
                raise refused("only answers hold it", f"{path}.{key}", "leave it out")
            else:
                where = f"{path}.{key}"
                iri = expanded_name(key, self._ctx, where)
                if iri in made:
                    raise refused("the sub-attribute is given twice", where, "give it once")
                made[iri] = self.attribute(where, value)
                check_particular(iri, where, made[iri])
        return made

    def _value(self, path: str, member: str, value: Any, kind: str) -> Any:
        where = f"{path}.{member}"
        if VALUE_MEMBER[kind] != member:
            raise refused(
                f"a {kind} has no {member!r}", where, f"use {VALUE_MEMBER[kind]!r}, or another type"
            )
        if not self._complete:
            if value is None or value == NULL:
                return NULL
            if kind == "LanguageProperty" and type(value) is dict:
                value = {lang: NULL if text is None else text for lang, text in value.items()}
        elif kind == "LanguageProperty" and type(value) is dict and NULL in value.values():
            raise refused("a text may not be null", where, "leave the language out")
        return self._checked[kind](value, self._ctx, where)

    def _member(self, path: str, key: str, value: Any, made: Instance) -> None:
        where = f"{path}.{key}"
        if key == "unitCode" and made.get("type") in _UNITLESS:
            raise refused(f"a {made['type']} has no unit", where, "leave it out, or use a Property")
        if key == "datasetId":
            if value != "@none":
                made[key] = checked_uri(value, where)
                if value == NULL:
                    raise refused("it cannot be removed", where, "delete the instance instead")
        elif self._nullable(value, where):
            made[key] = NULL
        elif key == "valueType" and made.get("type") == "LanguageProperty":
            if value != "langString":
                raise refused(f"{value!r:.60} is not langString", where, "leave it out")
            made[key] = self._ctx.expand(value)
        elif key == "entityTypeSealed":
            made[key] = self._ctx.expand(checked_text(value, where))
        elif key in ("objectType", "valueType"):
            names = value if type(value) is list else [value]
            expanded = [expanded_name(name, self._ctx, where) for name in names]
            made[key] = expanded if type(value) is list else expanded[0]
        else:
            made[key] = _MEMBER_CHECKS[key](value, where)

    def _simplified_value(self, path: str, value: Any) -> list[Instance]:
        datasets = value.get("dataset") if type(value) is dict and len(value) == 1 else None
        if type(datasets) is not dict or not datasets:
            return [self._simplified_one(path, value)]
        made = []
        for dataset_id, one in datasets.items():
            instance = self._simplified_one(f"{path}.{dataset_id}", one)
            if dataset_id != "@none":
                instance["datasetId"] = checked_uri(dataset_id, path + ".dataset")
            made.append(instance)
        return made

    def _simplified_one(self, path: str, value: Any) -> Instance:
        if type(value) is dict:
            member = next(iter(value)) if len(value) == 1 else ""
            if is_geometry(value) or (
                member in _VALUE_MEMBERS and member not in ("value", "object")
            ):
                return self.instance(path, value)
            return self._kindless(value)
        plain = self._plain(path, value)
        return {"type": "Property", "value": NULL} if plain == NULL else self._kindless(plain)

    def _kindless(self, value: Any) -> Instance:
        """Return a value without its kind: a Property, or in a fragment what the stored one says."""
        return {"type": "Property", "value": value} if self._complete else {"value": value}


_MEMBER_CHECKS = {
    "observedAt": checked_instant,
    "expiresAt": checked_instant,
    "unitCode": checked_text,
    "datasetId": checked_uri,
    "objectType": checked_name,
    "valueType": checked_name,
    "entityIdSealed": checked_uri,
    "entityTypeSealed": checked_text,
}


def _meant(given: Any, value: dict[str, Any]) -> str:
    """Return what to do about a kind that is none: the one meant, where a guess is safe."""
    guess = given.strip().lower() if type(given) is str else ""
    for kind in VALUE_MEMBER:
        if kind.lower() == guess:
            return f"write {kind}"
    if type(given) is str and _VALUE_MEMBERS.isdisjoint(value):
        return 'wrap an object that is a value: {"type": "Property", "value": {…}}'
    return "use one of " + ", ".join(VALUE_MEMBER)


def _is_concise(one: dict[str, Any]) -> bool:
    return "datasetId" in one or not _VALUE_MEMBERS.isdisjoint(one)


def _check_datasets(path: str, made: list[Instance]) -> None:
    datasets = [instance.get("datasetId") for instance in made]
    if len(set(datasets)) < len(datasets):
        raise refused(
            "two instances have the same datasetId",
            path,
            "give each instance a datasetId of its own; several targets of one Relationship"
            ' are a list: "object": […, …]',
        )
