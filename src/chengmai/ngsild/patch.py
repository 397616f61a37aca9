"""Changing an entity: append, update, partial update, merge, replace, delete (GS CIM 009 V1.9.1, 5.6).

Pure: the instant comes in as text (`now`), and nothing given is touched. What did not change is shared between
the entity that came in and the result: an entity is a value, and nobody changes one in place. `createdAt` of an
instance survives every change, `modifiedAt` moves when it changes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from chengmai.ngsild.entity import Entity, Instance
from chengmai.ngsild.members import NULL
from chengmai.ngsild.merging import (
    copied,
    is_whole,
    merged_instance,
    of_stored_kind,
    overlaid,
    same_dataset,
    stamped,
    without_nulls,
)
from chengmai.ngsild.particular import is_null
from chengmai.ngsild.problems import AttributeMissing

EXISTS = "the attribute exists already and is not to be overwritten"
NO_SCOPE = "the entity has no scope; append it"
MISSING = "the entity has no such attribute"
INCOMPLETE = "the attribute is new and comes without a kind and a value"


@dataclass
class PatchResult:
    """What a change made of an entity.

    `changed` holds the instances written, as they are now; `removed` those taken away, as they were.
    `updated` and `not_updated` are for the answer (UpdateResult): expanded names, and a reason.
    """

    entity: Entity
    updated: list[str] = field(default_factory=list)
    not_updated: list[tuple[str, str]] = field(default_factory=list)
    changed: list[tuple[str, Instance]] = field(default_factory=list)
    removed: list[tuple[str, Instance]] = field(default_factory=list)

    @property
    def is_changed(self) -> bool:
        """Whether anything but system members differs from before."""
        return bool(self.changed or self.removed or self.updated)


def created(entity: Entity, now: str) -> PatchResult:
    """Return a new entity with its system members, ready to be stored."""
    made: Entity = {
        "id": entity.get("id"),
        "type": entity.get("type", []),
        "createdAt": now,
        "modifiedAt": now,
    }
    edit = _Edit(made, now)
    edit.set_member("scope", entity)
    edit.set_member("expiresAt", entity)
    for iri, instances in _attributes(entity):
        edit.put_all(iri, instances)
    return edit.done()


def append(entity: Entity, fragment: Entity, now: str, *, overwrite: bool = True) -> PatchResult:
    """Return `entity` with the attributes and types of `fragment` added (5.6.3).

    An instance with the same `datasetId` is overwritten, or left and reported without `overwrite`; scopes
    take the place of the stored ones, or without `overwrite` join them.
    """
    edit = _Edit(entity, now)
    edit.add_to_list("type", fragment.get("type", []))
    if overwrite:
        edit.set_member("scope", fragment)
    else:
        edit.add_to_list("scope", fragment.get("scope", []))
    edit.set_member("expiresAt", fragment)
    for iri, instances in _attributes(fragment):
        if overwrite:
            edit.put_all(iri, instances)
            continue
        for instance in instances:
            if edit.find(iri, instance.get("datasetId")) is not None:
                edit.refuse(iri, EXISTS)
            else:
                edit.put(iri, instance)
    return edit.done()


def update(entity: Entity, fragment: Entity, now: str) -> PatchResult:
    """Return `entity` with the attribute instances of `fragment` in place of its own, or added (5.6.2).

    A null removes the instance; a part of an instance that is not there is reported. Types are added.
    """
    edit = _Edit(entity, now)
    edit.add_to_list("type", fragment.get("type", []))
    if "scope" in fragment and "scope" not in entity:
        edit.refuse("scope", NO_SCOPE)
    else:
        edit.set_member("scope", fragment)
    edit.set_member("expiresAt", fragment)
    for iri, instances in _attributes(fragment):
        for instance in instances:
            stored = edit.find(iri, instance.get("datasetId"))
            if is_null(instance):
                if stored is None:
                    edit.refuse(iri, MISSING)
                else:
                    edit.remove(iri, stored)
            elif stored is None and not is_whole(instance):
                edit.refuse(iri, INCOMPLETE)
            elif is_whole(instance):
                edit.put(iri, without_nulls(instance))
            elif stored is not None:
                edit.put(iri, overlaid(stored, instance, iri))
    return edit.done()


def partial(entity: Entity, iri: str, instance_patch: Instance, now: str) -> PatchResult:
    """Return `entity` with the members of one attribute instance replaced by those of the patch (5.6.4).

    The instance is the one with the patch's `datasetId`. A null member is removed; a null value removes
    the instance. Raises `AttributeMissing`, and `Invalid` when the kinds differ.
    """
    edit = _Edit(entity, now)
    stored = edit.find(iri, instance_patch.get("datasetId"))
    if stored is None:
        raise _missing(iri, instance_patch.get("datasetId"))
    if is_null(instance_patch):
        edit.remove(iri, stored)
    else:
        edit.put(iri, overlaid(stored, instance_patch, iri))
    return edit.done()


def merge(entity: Entity, fragment: Entity, now: str) -> PatchResult:
    """Return `entity` merged with `fragment` at every level (5.5.12; RFC 7396 with `urn:ngsi-ld:null`).

    Objects inside values, language maps and sub-attributes are merged, lists and geometries replaced, nulls
    removed, and attributes that are new are added. Two members of `fragment` say how (5.6.17.3): `lang` is
    the language of texts that come without their kind, and `observedAt` is when what changes was observed,
    where the stored instance says when it was and the given one does not.
    """
    edit = _Edit(entity, now)
    edit.add_to_list("type", fragment.get("type", []))
    edit.set_member("scope", fragment)
    edit.set_member("expiresAt", fragment)
    for iri, instances in _attributes(fragment):
        for instance in instances:
            stored = edit.find(iri, instance.get("datasetId"))
            if is_null(instance):
                if stored is not None:
                    edit.remove(iri, stored)
                continue
            instance = of_stored_kind(stored, instance, iri, fragment.get("lang"))
            if stored is not None:
                merged = merged_instance(stored, instance)
                if "observedAt" in stored and "observedAt" in fragment:
                    merged = {
                        **merged,
                        "observedAt": instance.get("observedAt", fragment["observedAt"]),
                    }
                if merged.get("languageMap", True):
                    edit.put(iri, merged)
                else:
                    edit.remove(iri, stored)
            elif is_whole(instance):
                edit.put(iri, without_nulls(instance))
            else:
                edit.refuse(iri, INCOMPLETE)
    return edit.done()


def replace(entity: Entity, new: Entity, now: str) -> PatchResult:
    """Return `new` in the place of `entity` (5.6.18); only `id` and `createdAt` are kept."""
    base: Entity = {
        "id": entity.get("id", new.get("id")),
        "type": new.get("type", entity.get("type", [])),
        "createdAt": entity.get("createdAt", now),
        "modifiedAt": now,
    }
    edit = _Edit(base, now)
    edit.set_member("scope", new)
    edit.set_member("expiresAt", new)
    edit.note_differences(entity, "type", "scope", "expiresAt")
    for iri, instances in _attributes(new):
        edit.put_all(iri, instances)
    kept = {(iri, one.get("datasetId")) for iri, one in edit.result.changed}
    for iri, instances in _attributes(entity):
        edit.result.removed += [
            (iri, one) for one in instances if (iri, one.get("datasetId")) not in kept
        ]
    return edit.done()


def replace_attribute(
    entity: Entity, iri: str, instances: Sequence[Instance], now: str
) -> PatchResult:
    """Return `entity` with instances of one attribute replaced as wholes (5.6.19).

    Each takes the place of the one with its `datasetId`. Raises `AttributeMissing` when there is none.
    """
    edit = _Edit(entity, now)
    for instance in instances:
        if edit.find(iri, instance.get("datasetId")) is None:
            raise _missing(iri, instance.get("datasetId"))
        edit.put(iri, instance)
    return edit.done()


def without(entity: Entity, names: Collection[str], now: str) -> PatchResult:
    """Return `entity` without the attributes `names`; one that it does not have is no matter."""
    edit = _Edit(entity, now)
    for iri in names:
        for instance in list(edit.entity.get(iri, ())) if ":" in iri else ():
            edit.remove(iri, instance)
        if iri == "scope":
            edit.set_member("scope", {"scope": NULL})
    return edit.done()


def delete_attribute(
    entity: Entity,
    iri: str,
    dataset_id: str | None = None,
    delete_all: bool = False,
    *,
    now: str | None = None,
) -> PatchResult:
    """Return `entity` without the instance of `iri` with `dataset_id`, or without all of them (5.6.5).

    `iri` may be `scope`. With `now`, `modifiedAt` of the entity moves. Raises `AttributeMissing`.
    """
    dataset_id = None if dataset_id == "@none" else dataset_id
    edit = _Edit(entity, now or entity.get("modifiedAt", ""))
    if iri == "scope" and "scope" in entity:
        edit.set_member("scope", {"scope": NULL})
        return edit.done()
    stored = edit.entity.get(iri, []) if ":" in iri else []
    doomed = [one for one in stored if delete_all or one.get("datasetId") == dataset_id]
    if not doomed:
        raise _missing(iri, dataset_id)
    for instance in doomed:
        edit.remove(iri, instance)
    return edit.done()


class _Edit:
    """A copy of an entity being changed, and the record of what was done to it."""

    def __init__(self, entity: Entity, now: str) -> None:
        self.entity: Entity = dict(entity)
        self.now = now
        self.result = PatchResult(self.entity)
        self._touched = False
        self._own: set[str] = set()

    def find(self, iri: str, dataset_id: str | None) -> Instance | None:
        """Return the stored instance with `dataset_id` (None: the default one)."""
        found: list[Instance] = self.entity.get(iri, [])
        return same_dataset(found, dataset_id)

    def put(self, iri: str, instance: Instance) -> None:
        """Write `instance` over the one with its `datasetId`, or add it."""
        own, result = self._own, self.result
        siblings: list[Instance]
        if iri in own:
            siblings = self.entity[iri]
        else:
            own.add(iri)
            siblings = self.entity[iri] = list(self.entity.get(iri, ()))
        dataset_id = instance.get("datasetId")
        for place, stored in enumerate(siblings):
            if stored.get("datasetId") == dataset_id:
                made = siblings[place] = stamped(instance, stored, self.now)
                break
        else:
            made = stamped(instance, None, self.now)
            siblings.append(made)
        result.changed.append((iri, made))
        # Most instances of an attribute come one after the other.
        if not result.updated or result.updated[-1] != iri:
            self._note(iri)

    def put_all(self, iri: str, instances: Sequence[Instance]) -> None:
        """Write instances of an attribute that nothing was done to yet."""
        before = self.entity.get(iri)
        if len(instances) == 1 and (before is None or len(before) == 1):
            (instance,) = instances
            stored: Instance | None = None if before is None else before[0]
            if stored is None or stored.get("datasetId") == instance.get("datasetId"):
                made = stamped(instance, stored, self.now)
                self._own.add(iri)
                self.entity[iri] = [made]
                self.result.changed.append((iri, made))
                self.result.updated.append(iri)
                self._touched = True
                return
        for instance in instances:
            self.put(iri, instance)

    def remove(self, iri: str, stored: Instance) -> None:
        """Take a stored instance away, and the attribute with its last one."""
        left = [one for one in self.entity[iri] if one is not stored]
        self._own.add(iri)
        if left:
            self.entity[iri] = left
        else:
            del self.entity[iri]
            self._own.discard(iri)
        self.result.removed.append((iri, stored))
        self._note(iri)

    def refuse(self, iri: str, reason: str) -> None:
        """Record that `iri` was left as it is, and why."""
        self.result.not_updated.append((iri, reason))

    def add_to_list(self, member: str, values: Any) -> None:
        """Add to `type` or `scope` what it does not hold yet."""
        known = self.entity.get(member, [])
        new = [one for one in values if one not in known] if type(values) is list else []
        if new:
            self.entity[member] = [*known, *new]
            self._note(member)

    def set_member(self, member: str, fragment: Entity) -> None:
        """Set or, by null, remove a member of the entity that `fragment` carries."""
        if member not in fragment:
            return
        value = fragment[member]
        if value == NULL:
            if self.entity.pop(member, None) is not None:
                self._note(member)
        elif value != self.entity.get(member):
            self.entity[member] = copied(value)
            self._note(member)

    def note_differences(self, before: Entity, *members: str) -> None:
        """Record which of `members` are not what they were."""
        for member in members:
            if before and before.get(member) != self.entity.get(member):
                self._note(member)

    def done(self) -> PatchResult:
        """Return the result, the entity stamped when something was done to it."""
        if self._touched and self.now:
            self.entity.setdefault("createdAt", self.now)
            self.entity["modifiedAt"] = self.now
        return self.result

    def _note(self, name: str) -> None:
        self._touched = True
        if name not in self.result.updated:
            self.result.updated.append(name)


def _attributes(entity: Entity) -> list[tuple[str, list[Instance]]]:
    return [(key, value) for key, value in entity.items() if ":" in key]


def _missing(iri: str, dataset_id: str | None) -> AttributeMissing:
    which = "" if dataset_id is None else f" with datasetId {dataset_id}"
    return AttributeMissing(
        f"the entity has no attribute {iri}{which}", param=iri, fix="append it instead"
    )
