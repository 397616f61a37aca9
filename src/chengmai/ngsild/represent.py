"""From the inner form to what an answer shows: normalized, concise, simplified, GeoJSON.

GS CIM 009 V1.9.1, clauses 4.5.1–4.5.4, 4.5.16, 4.5.17, 4.15 (language filter), 4.21 (pick and
omit). Output shares values with the stored entity and is meant to be written out at once, not to be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Any, Literal, TypeAlias

from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import LOCATION, VALUE_MEMBER, Entity, Instance
from chengmai.ngsild.expand import looks_like_instances
from chengmai.ngsild.geojson import is_geometry
from chengmai.ngsild.languages import in_language

Form: TypeAlias = Literal["normalized", "concise", "simplified"]

_NONE: AbstractSet[str] = frozenset()
_SYSTEM = frozenset({"createdAt", "modifiedAt", "deletedAt", "expiresAt"})
_EXPANDED = frozenset({"vocab", "objectType", "valueType", "entityTypeSealed"})
# Members that are shown as they are stored, whoever asks.
_AS_STORED = frozenset(
    {"type", "observedAt", "unitCode", "datasetId", "lang", "entityIdSealed"}
    | set(VALUE_MEMBER.values())
) - {"vocab"}
# Kinds whose simplified value keeps its member, since the bare value would be read as something else.
_KEEPS_MEMBER = frozenset({"LanguageProperty", "VocabProperty", "JsonProperty"})


def compact_entity(
    entity: Entity,
    ctx: Context,
    *,
    form: Form = "normalized",
    sys_attrs: bool = False,
    attrs: AbstractSet[str] | None = None,
    pick: AbstractSet[str] | None = None,
    omit: AbstractSet[str] = _NONE,
    lang: str | None = None,
    datasets: AbstractSet[str] | None = None,
) -> dict[str, Any]:
    """Return `entity` in `form`, with the names of `ctx`. The order of members is the stored one.

    `attrs` (expanded names) keeps these attributes only; `pick` and `omit` (expanded names, or `id`,
    `type`, `scope`) act on every member; `lang` turns each LanguageProperty into the best text for a
    language list such as `zh, en;q=0.5`; `datasets` (`@none` for the default) keeps these instances only.
    """
    view = _View(ctx, form, sys_attrs=sys_attrs, lang=lang)
    made: dict[str, Any] = {}
    for key, value in entity.items():
        if key in omit or (pick is not None and key not in pick):
            continue
        if ":" in key:
            if attrs is not None and key not in attrs:
                continue
            if datasets is not None:
                value = [one for one in value if one.get("datasetId", "@none") in datasets]
            if value:
                made[ctx.compact(key)] = view.attribute(value)
        elif key == "type":
            made[key] = _one_or_all([ctx.compact(name) for name in value])
        elif key == "scope":
            made[key] = _one_or_all(value)
        elif key not in _SYSTEM or sys_attrs:
            made[key] = value
    return made


def compact_attribute(
    instances: list[Instance], ctx: Context, *, form: Form = "normalized", sys_attrs: bool = False
) -> Any:
    """Return one attribute as `compact_entity` shows it."""
    return _View(ctx, form, sys_attrs=sys_attrs, lang=None).attribute(instances)


def to_geojson(
    entity: Entity,
    ctx: Context,
    *,
    geometry_property: str = LOCATION,
    dataset_id: str | None = None,
    geometry_of: Entity | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Return `entity` as a GeoJSON Feature; `options` are those of `compact_entity`.

    The geometry is the value of the instance of `geometry_property` (expanded) with `dataset_id`, or
    null where the entity has none; `geometry_of` is the whole entity where `entity` is a part of it.
    """
    geometry = None
    for instance in (geometry_of or entity).get(geometry_property, ()):
        if instance.get("type") == "GeoProperty" and instance.get("datasetId") == dataset_id:
            geometry = instance["value"]
    properties = compact_entity(entity, ctx, **options)
    properties.pop("id", None)
    return {
        "id": (geometry_of or entity)["id"],
        "type": "Feature",
        "geometry": geometry,
        "properties": properties,
    }


def to_feature_collection(
    entities: Iterable[Entity], ctx: Context, **options: Any
) -> dict[str, Any]:
    """Return `entities` as a GeoJSON FeatureCollection; `options` are those of `to_geojson`."""
    features = [to_geojson(entity, ctx, **options) for entity in entities]
    return {"type": "FeatureCollection", "features": features}


def in_its_language(instance: Instance, wanted: str) -> Instance:
    """Return a LanguageProperty as the Property of its best text for a list of languages (clause 4.15).

    What tells of a deletion, and any other kind, stays as it is.
    """
    if instance["type"] != "LanguageProperty" or "deletedAt" in instance:
        return instance
    language, text = in_language(instance["languageMap"], wanted)
    members = {k: v for k, v in instance.items() if k not in ("type", "languageMap")}
    spoken = {"type": "Property", "value": text, **members}
    return spoken if language is None else {**spoken, "lang": language}


class _View:
    """How one answer shows attributes."""

    __slots__ = ("_ctx", "_form", "_hidden", "_lang", "_shape")
    _form: Form

    def __init__(self, ctx: Context, form: Form, *, sys_attrs: bool, lang: str | None) -> None:
        self._ctx = ctx
        self._hidden = _NONE if sys_attrs else _SYSTEM
        self._lang = lang
        self._form = form
        shapes: dict[str, Callable[[Instance], Any]] = {
            "normalized": self._normalized,
            "concise": self._concise,
            "simplified": self._simplified,
        }
        self._shape = shapes[form]

    def attribute(self, instances: list[Instance]) -> Any:
        """Return what stands under the attribute's name."""
        if len(instances) == 1 and (self._form != "simplified" or "datasetId" not in instances[0]):
            return self._shape(self._spoken(instances[0]))
        if self._form == "concise":
            # A bare value among others would be read as an element of one value that is a list.
            return [self._concise(self._spoken(one), bare=False) for one in instances]
        shown = [self._shape(self._spoken(one)) for one in instances]
        if self._form == "normalized":
            return shown
        names = (one.get("datasetId", "@none") for one in instances)
        return {"dataset": dict(zip(names, shown, strict=True))}

    def _spoken(self, instance: Instance) -> Instance:
        return instance if self._lang is None else in_its_language(instance, self._lang)

    def _normalized(self, instance: Instance) -> dict[str, Any]:
        made = {}
        hidden = self._hidden
        for key, value in instance.items():
            if key in _AS_STORED:
                made[key] = value
            elif key in hidden or key == "instanceId":
                continue
            elif ":" in key:
                made[self._ctx.compact(key)] = self.attribute(value)
            elif key in _EXPANDED:
                made[key] = self._names(value)
            elif key == "entity":
                made[key] = self._linked(value)
            elif key == "entityList":
                made[key] = [self._linked(one) for one in value]
            else:
                made[key] = value
        return made

    def _concise(self, instance: Instance, *, bare: bool = True) -> Any:
        made = self._normalized(instance)
        kind = made.pop("type")
        value = made.get("value")
        if kind == "GeoProperty":
            return value if bare and len(made) == 1 else made
        if kind != "Property":
            return made
        if is_geometry(value):
            return {"type": kind, **made}
        plain = len(made) == 1 and type(value) is not dict and not looks_like_instances(value)
        return value if bare and plain else made

    def _simplified(self, instance: Instance) -> Any:
        kind = instance["type"]
        member = VALUE_MEMBER[kind]
        value = instance.get(member)
        if "entity" in instance:
            return self._linked(instance["entity"])
        if "entityList" in instance:
            return [self._linked(one) for one in instance["entityList"]]
        if kind == "ListRelationship" and type(value) is list:
            return [one["object"] for one in value]
        if kind not in _KEEPS_MEMBER:
            return value
        return {member: self._names(value) if kind == "VocabProperty" else value}

    def _linked(self, entity: Entity) -> dict[str, Any]:
        sys_attrs = self._hidden is _NONE
        return compact_entity(
            entity, self._ctx, form=self._form, sys_attrs=sys_attrs, lang=self._lang
        )

    def _names(self, value: Any) -> Any:
        compact = self._ctx.compact
        return [compact(one) for one in value] if type(value) is list else compact(value)


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values
