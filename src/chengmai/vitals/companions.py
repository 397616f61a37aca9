"""Which other signs are looked at when a sign is looked ahead from: those of its pack on the same grid."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from chengmai.vitals.entities import vital_id
from chengmai.vitals.model import Sign

MOST = 12
"""Companions of a sign at most, by name: more would cost more than they tell."""
MOST_AREAS = 64
"""Areas beyond which a sign is looked ahead from without companions: its areas tell enough of each other."""

Companions = Mapping[str, Mapping[str, str]]
"""By key of the companion: the id of its vital sign in each area."""


def companions_of(
    sign: Sign, signs: Iterable[Sign], areas: Mapping[str, Collection[str]]
) -> dict[str, dict[str, str]]:
    """Return the companions of a sign: same pack, same step, in an area of the sign or in one area alone.

    `areas` gives the areas of each sign by its key.
    """
    own = set(areas.get(sign.key, ()))
    if len(own) > MOST_AREAS:
        return {}
    found: dict[str, dict[str, str]] = {}
    for other in sorted(signs, key=lambda one: one.key):
        theirs = areas.get(other.key, ())
        near = theirs if len(theirs) == 1 else own.intersection(theirs)
        beside = other.pack == sign.pack and other.spec.step == sign.spec.step
        if beside and other.key != sign.key and near and len(found) < MOST:
            found[other.key] = {area: vital_id(other, area) for area in sorted(near)}
    return found
