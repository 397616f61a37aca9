"""What a notification says of an entity (GS CIM 009 V1.9.1, clauses 5.8.6 and 5.3.1). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chengmai.broker.subscription import Subscription
from chengmai.ngsild.entity import VALUE_MEMBER, Entity, Instance
from chengmai.ngsild.linking import Lookup, joined
from chengmai.ngsild.merging import same_dataset
from chengmai.ngsild.represent import compact_entity, to_feature_collection
from chengmai.ngsild.tombstones import PREVIOUS, tombstone

GEO_JSON = "application/geo+json"
_HEAD = ("id", "type", "scope", "createdAt", "modifiedAt")


def notice(
    subscription: Subscription,
    before: Entity | None,
    after: Entity | None,
    names: Sequence[str],
    now: str,
    lookup: Lookup,
) -> Any:
    """Return the `data` of a notification of the change of `names` at an instant, or None when it is empty."""
    if after is None:
        assert before is not None
        return data_of(subscription, [_gone(subscription, before, now)], lookup, deleted_at=now)
    told = _changed(subscription, before or {}, after, names, now)
    return data_of(subscription, [told], lookup)


def data_of(
    subscription: Subscription,
    entities: Sequence[Entity],
    lookup: Lookup,
    *,
    deleted_at: str | None = None,
) -> Any:
    """Return entities as the receiver wants them: a list, or a FeatureCollection; None when nothing is left."""
    shown = joined(entities, subscription.view, subscription.join, subscription.join_level, lookup)
    if not shown:
        return None
    how: dict[str, Any] = {
        "form": subscription.form,
        "sys_attrs": subscription.sys_attrs,
        "lang": subscription.lang,
    }
    if subscription.accept == GEO_JSON:
        return to_feature_collection(shown, subscription.context, **how)
    documents = [compact_entity(one, subscription.context, **how) for one in shown]
    if deleted_at is not None:
        documents[0]["deletedAt"] = deleted_at
    if subscription.accept == "application/ld+json":
        source = subscription.context_source
        documents = [{**document, "@context": source} for document in documents]
    return documents


def _gone(subscription: Subscription, before: Entity, now: str) -> Entity:
    """Return a deleted entity; its attributes are told where they or their former values are asked for."""
    told = {member: before[member] for member in _HEAD if member in before}
    if subscription.show_changes or "attributeDeleted" in subscription.triggers:
        for name, instances in before.items():
            if ":" in name and (not subscription.watched or name in subscription.watched):
                told[name] = [_ended(subscription, one, now) for one in instances]
    return {**told, "deletedAt": now}


def _changed(
    subscription: Subscription, before: Entity, after: Entity, names: Sequence[str], now: str
) -> Entity:
    told = dict(after)
    for name in names:
        old, new = before.get(name, []), after.get(name, [])
        if ":" not in name or not old:
            continue
        if not new:
            # An attribute that is gone altogether is told of once, whatever instances it had.
            whole = old[0] if len(old) == 1 else {**old[0], "datasetId": None}
            told[name] = [_ended(subscription, whole, now)]
            continue
        shown = [_with_previous(subscription, one, old) for one in new]
        lost = [one for one in old if same_dataset(new, one.get("datasetId")) is None]
        told[name] = shown + [_ended(subscription, one, now) for one in lost]
    return told


def _ended(subscription: Subscription, instance: Instance, now: str) -> Instance:
    made = tombstone(instance, now)
    if made.get("datasetId", "") is None:
        del made["datasetId"]
    return _previous(subscription, made, instance) if subscription.show_changes else made


def _with_previous(subscription: Subscription, instance: Instance, old: list[Instance]) -> Instance:
    former = same_dataset(old, instance.get("datasetId"))
    if not subscription.show_changes or former is None or former == instance:
        return instance
    return _previous(subscription, instance, former)


def _previous(subscription: Subscription, instance: Instance, former: Instance) -> Instance:
    value = former.get(VALUE_MEMBER[former["type"]])
    if former["type"] == "VocabProperty":
        compact = subscription.context.compact
        value = [compact(one) for one in value] if isinstance(value, list) else compact(str(value))
    return {**instance, PREVIOUS[former["type"]]: value}
