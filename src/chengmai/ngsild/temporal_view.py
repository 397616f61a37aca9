"""The temporal representations of an entity: normalized, temporal values, aggregated values.

GS CIM 009 V1.9.1, clauses 4.5.6–4.5.9 and 4.5.19.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from chengmai.ngsild.aggregates import METHODS, aggregate
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import VALUE_MEMBER, Entity, Instance
from chengmai.ngsild.evolution import Series
from chengmai.ngsild.represent import compact_attribute, in_its_language
from chengmai.ngsild.temporal import TemporalQuery

TemporalForm: TypeAlias = Literal["normalized", "temporalValues", "aggregatedValues"]
Keeps: TypeAlias = Callable[[str], bool]
"""Whether a member (`id`, `type`, `scope`, or an expanded attribute name) is shown."""

_PLURAL = {
    "Property": "values",
    "GeoProperty": "values",
    "Relationship": "objects",
    "LanguageProperty": "languageMaps",
    "VocabProperty": "vocabs",
    "JsonProperty": "jsons",
    "ListProperty": "valueLists",
    "ListRelationship": "objectLists",
}
# A bare map, term or JSON would be read as something else (clause 4.5.9).
_KEEPS_MEMBER = frozenset({"LanguageProperty", "VocabProperty", "JsonProperty"})


def compact_evolution(
    entity: Entity,
    series: Series,
    ctx: Context,
    query: TemporalQuery,
    form: TemporalForm,
    *,
    sys_attrs: bool = False,
    keeps: Keeps = lambda _name: True,
    lang: str | None = None,
) -> dict[str, Any]:
    """Return the temporal representation of `entity`, whose instances in the window are `series`.

    Times beside values are those of the query's time property. An empty series is shown as empty. `lang` shows
    the best text of each LanguageProperty for a list of languages (clause 4.15); aggregates have none.
    """
    made: dict[str, Any] = {}
    if keeps("id"):
        made["id"] = entity["id"]
    if keeps("type"):
        made["type"] = _one_or_all([ctx.compact(name) for name in entity["type"]])
    if sys_attrs:
        made |= {name: entity[name] for name in ("createdAt", "modifiedAt") if name in entity}
    for iri, instances in series.items():
        if not keeps(iri):
            continue
        name = iri if iri == "scope" else ctx.compact(iri)
        if lang is not None and form != "aggregatedValues":
            instances = [in_its_language(one, lang) for one in instances]
        if form == "normalized":
            made[name] = [_whole(one, ctx, sys_attrs=sys_attrs) for one in instances]
        elif form == "temporalValues":
            made[name] = _one_or_all(_values(instances, ctx, query.timeproperty))
        else:
            made[name] = _one_or_all(_aggregated(instances, query))
    return made


def _whole(instance: Instance, ctx: Context, *, sys_attrs: bool) -> dict[str, Any]:
    made: dict[str, Any] = compact_attribute([instance], ctx, sys_attrs=sys_attrs)
    for member in ("instanceId", "deletedAt"):
        if member in instance:
            made[member] = instance[member]
    return made


def _values(instances: list[Instance], ctx: Context, by: str) -> list[dict[str, Any]]:
    if not instances:
        return [{"type": "Property", "values": []}]
    groups: dict[tuple[str, str | None], dict[str, Any]] = {}
    for instance in instances:
        kind, dataset_id = instance["type"], instance.get("datasetId")
        group = groups.get((kind, dataset_id))
        if group is None:
            group = groups[kind, dataset_id] = {"type": kind, _PLURAL[kind]: []}
            if dataset_id is not None:
                group["datasetId"] = dataset_id
        group[_PLURAL[kind]].append([_bare(instance, ctx), instance.get(by)])
    return list(groups.values())


def _bare(instance: Instance, ctx: Context) -> Any:
    kind = instance["type"]
    value = instance.get(VALUE_MEMBER[kind])
    if kind == "VocabProperty":
        value = [ctx.compact(v) for v in value] if type(value) is list else ctx.compact(str(value))
    elif kind == "ListRelationship" and type(value) is list:
        value = [one["object"] for one in value]
    return {VALUE_MEMBER[kind]: value} if kind in _KEEPS_MEMBER else value


def _aggregated(instances: list[Instance], query: TemporalQuery) -> list[dict[str, Any]]:
    if instances and "aggregates" in instances[0]:
        return [_summary(one) for one in instances]
    datasets: dict[str | None, list[Instance]] = {}
    for instance in instances:
        datasets.setdefault(instance.get("datasetId"), []).append(instance)
    made = []
    for dataset_id, found in datasets.items():
        one: dict[str, Any] = {"type": found[0]["type"]}
        if dataset_id is not None:
            one["datasetId"] = dataset_id
        results = aggregate(
            found,
            query.methods,
            query.period_us,
            query.start_us,
            query.end_us,
            timeproperty=query.timeproperty,
        )
        made.append(one | {method: results[method] for method in METHODS if method in results})
    return made


def _summary(instance: Instance) -> dict[str, Any]:
    """Return what was aggregated where the history lies, as it is shown."""
    made = {key: value for key, value in instance.items() if key != "aggregates"}
    results = instance["aggregates"]
    return made | {method: results[method] for method in METHODS if method in results}


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values
