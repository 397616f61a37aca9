"""Joining a stored attribute instance with a patch of it. Nothing given is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chengmai.ngsild.entity import VALUE_MEMBER, Instance
from chengmai.ngsild.members import NULL, checked_languages, checked_targets, refused
from chengmai.ngsild.particular import is_null

_PLAIN_KINDS: dict[str, Callable[[Any, str], Any]] = {
    "Property": lambda value, _iri: value,
    "LanguageProperty": checked_languages,
    "Relationship": checked_targets,
}


def copied(value: Any) -> Any:
    """Return a copy of plain JSON that shares no list and no object with `value`."""
    kind = type(value)
    if kind is dict:
        return {key: copied(one) for key, one in value.items()}
    if kind is list:
        return [copied(one) for one in value]
    return value


def same_dataset(stored: list[Instance], dataset_id: str | None) -> Instance | None:
    """Return the instance with `dataset_id`; None names the default instance."""
    for one in stored:
        if one.get("datasetId") == dataset_id:
            return one
    return None


def is_whole(instance: Instance) -> bool:
    """Return whether an instance of a fragment has its kind and its value."""
    return "type" in instance and VALUE_MEMBER[instance["type"]] in instance


def stamped(instance: Instance, stored: Instance | None, now: str) -> Instance:
    """Return a copy of `instance` as it is stored at `now` in the place of `stored`.

    `createdAt` is the stored one; what did not change inside keeps its stamps.
    """
    made = instance.copy()
    for key, value in instance.items():
        kind = type(value)
        if kind is str or (kind is not list and kind is not dict):
            continue
        if ":" in key:
            before = stored.get(key, []) if stored else []
            made[key] = [_stamped_below(one, before, now) for one in value]
        else:
            made[key] = copied(value)
    made["createdAt"] = now if stored is None else stored.get("createdAt", now)
    made["modifiedAt"] = now
    return made


def _stamped_below(instance: Instance, stored: list[Instance], now: str) -> Instance:
    before = same_dataset(stored, instance.get("datasetId"))
    if before is not None and instance == before and "modifiedAt" in before:
        unchanged: Instance = copied(before)
        return unchanged
    return stamped(instance, before, now)


def overlaid(stored: Instance, patch: Instance, iri: str) -> Instance:
    """Return `stored` with the members of `patch` in place of its own, first level only (clause 5.5.8).

    Raises `Invalid` when the patch is of another kind.
    """
    given, kind = patch.get("type"), stored["type"]
    if given is not None and given != kind:
        raise refused(
            f"the attribute is a {kind} and cannot become a {given} this way",
            iri,
            "replace the whole attribute, or delete it first",
        )
    made = dict(stored)
    for key, value in patch.items():
        if value == NULL:
            made.pop(key, None)
        elif ":" in key:
            kept = [without_nulls(one) for one in value if is_whole(one) and not is_null(one)]
            if kept:
                made[key] = kept
            else:
                made.pop(key, None)
        else:
            made[key] = merged_json(None, value)
    return made


def of_stored_kind(
    stored: Instance | None, patch: Instance, iri: str, lang: str | None
) -> Instance:
    """Return a value that came without its kind as an instance of the stored kind (clause 5.6.17.4).

    A text given for a LanguageProperty is that of `lang`, or the one for `@none`. Where nothing is stored
    the value is that of a Property. Raises `Invalid` when the stored kind cannot have such a value.
    """
    if "type" in patch or "value" not in patch:
        return patch
    kind = "Property" if stored is None else stored["type"]
    value = patch["value"]
    if kind not in _PLAIN_KINDS:
        raise refused(
            f"the attribute is a {kind}, and a plain value is none",
            iri,
            f'write {{"{VALUE_MEMBER[kind]}": …}}',
        )
    if kind == "LanguageProperty" and type(value) is not dict:
        value = {lang or "@none": value}
    rest = {key: one for key, one in patch.items() if key != "value"}
    return {"type": kind, VALUE_MEMBER[kind]: _PLAIN_KINDS[kind](value, iri), **rest}


def merged_instance(stored: Instance, patch: Instance) -> Instance:
    """Return `stored` merged with `patch` at every level (clause 5.5.12).

    A whole patch of another kind takes the place of the stored instance.
    """
    kind = stored["type"]
    if patch.get("type", kind) != kind:
        return without_nulls(patch) if is_whole(patch) else stored
    made = dict(stored)
    for key, value in patch.items():
        if ":" in key:
            subs = _merged_subs(stored.get(key, []), value)
            if subs:
                made[key] = subs
            else:
                made.pop(key, None)
        elif value == NULL:
            made.pop(key, None)
        elif key == VALUE_MEMBER[kind] and kind != "GeoProperty":
            made[key] = merged_json(stored.get(key), value)
        else:
            made[key] = value
    return made


def _merged_subs(stored: list[Instance], patches: list[Instance]) -> list[Instance]:
    subs = list(stored)
    for patch in patches:
        before = same_dataset(subs, patch.get("datasetId"))
        if before is None:
            if is_whole(patch) and not is_null(patch):
                subs.append(without_nulls(patch))
        elif is_null(patch):
            subs = [one for one in subs if one is not before]
        else:
            merged = merged_instance(before, patch)
            subs = [merged if one is before else one for one in subs]
    return subs


def merged_json(target: Any, patch: Any) -> Any:
    """Return plain JSON `target` merged with `patch`: RFC 7396 with `urn:ngsi-ld:null` for null."""
    if type(patch) is not dict:
        return patch
    made = dict(target) if type(target) is dict else {}
    for key, value in patch.items():
        if value == NULL:
            made.pop(key, None)
        else:
            made[key] = merged_json(made.get(key), value)
    return made


def without_nulls(instance: Instance) -> Instance:
    """Return an instance of a fragment as it is when there is nothing to remove from."""
    made: Instance = {}
    for key, value in instance.items():
        if type(value) not in (dict, list):
            if value != NULL:
                made[key] = value
        elif ":" in key:
            kept = [without_nulls(one) for one in value if is_whole(one) and not is_null(one)]
            if kept:
                made[key] = kept
        elif value != NULL:
            made[key] = merged_json(None, value)
    return made
