"""Whom a report is about, and whom it is compared with: places of one level on one day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container

from chengmai.assess.gazetteer import Day
from chengmai.assess.groups import Frame, PlaceGroup
from chengmai.assess.model import LEVELS
from chengmai.assess.outlook.model import Subject
from chengmai.assess.problems import GroupUnknown, SubjectInvalid
from chengmai.kernel.texts import Text


def subject_of(
    day: Day,
    frame: Frame,
    known: Container[str],
    *,
    place: str | None,
    group: str | None,
    level: str | None = None,
    peers: str | None = None,
    own: tuple[str, Text] | None = None,
) -> Subject:
    """Return the subject with its peers: places of the same level, of the group `peers` where one is named.

    `known` are the places that have values. A group is looked at on one level: the named one, or that on
    which most of its places have values. `own` is code and name of the city itself, which needs no place
    in the registry: it is compared with places of `level`, without one with nobody.

    Raises `SubjectInvalid`, `PlaceUnknown` or `GroupUnknown`.
    """
    if bool(place) == bool(group):
        raise SubjectInvalid(
            Text(zh="请指定一个地方或一个分组", en="a report is about one place or one group"),
            param="place",
            fix="name a place by its code, or a group",
        )
    if level is not None and level not in LEVELS:
        raise SubjectInvalid(
            Text(
                zh=f"没有层级“{level}”，可用：{'、'.join(LEVELS)}",
                en=f"there is no level {level!r}; use one of: {', '.join(LEVELS)}",
            ),
            param="level",
            fix=f"use one of: {', '.join(LEVELS)}",
        )
    among = _group(frame, peers) if peers else None
    if place and own and place == own[0] and place not in day.spots:
        others = _places(day, among, level) if level else frozenset()
        return Subject("place", place, own[1], level or "", frozenset([place]), others)
    if place:
        spot = day.spot(place)
        others = _places(day, among, spot.level) - {place}
        return Subject("place", place, spot.name, spot.level, frozenset([place]), others)
    chosen = _group(frame, group or "")
    on_level = level or _usual_level(day, chosen, known)
    members = _places(day, chosen, on_level)
    rest = tuple(one for one in frame.groups if not one.members & chosen.members)
    return Subject(
        "group",
        chosen.id,
        chosen.title,
        on_level,
        members,
        _places(day, among, on_level) - members,
        tuple(_places(day, one, on_level) for one in rest),
    )


def _group(frame: Frame, group_id: str) -> PlaceGroup:
    for one in frame.groups:
        if one.id == group_id:
            return one
    raise GroupUnknown(group_id, [one.id for one in frame.groups])


def _places(day: Day, group: PlaceGroup | None, level: str) -> frozenset[str]:
    return frozenset(
        spot.code
        for spot in day.spots.values()
        if spot.level == level and (group is None or group.holds(spot))
    )


def _usual_level(day: Day, group: PlaceGroup, known: Container[str]) -> str:
    counts = Counter(
        spot.level for spot in day.spots.values() if group.holds(spot) and spot.code in known
    )
    return max(LEVELS, key=lambda level: counts.get(level, 0))
