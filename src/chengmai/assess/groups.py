"""Groups, tiers and denominators of the places of a country: data, so that each country has its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from chengmai.assess.gazetteer import CHINA, Day, Spot
from chengmai.assess.model import Source
from chengmai.assess.problems import GroupsOverlap
from chengmai.kernel.texts import Text


@dataclass(frozen=True)
class PlaceGroup:
    """Places that are looked at together, each with all below it. Groups of one `partition` share no place."""

    id: str
    title: Text
    members: frozenset[str]
    partition: str | None = None
    is_compared: bool = True
    """Whether its growth is set beside that of other groups."""

    def holds(self, spot: Spot) -> bool:
        """Return whether a place, or one that it belongs to, is a member."""
        return not self.members.isdisjoint(spot.path)


@dataclass(frozen=True)
class Tier:
    """Places of one rank: those whose (level, kind) is in `ranks`; a kind `*` is any."""

    id: str
    title: Text
    ranks: frozenset[tuple[str, str]]
    is_covered: bool = True
    """Whether conclusions say how many of its places build."""
    is_compared: bool = True
    """Whether growth of groups and ranking are shown for it."""

    def holds(self, spot: Spot) -> bool:
        return (spot.level, spot.kind) in self.ranks or (spot.level, "*") in self.ranks

    def places(self, day: Day) -> list[Spot]:
        """Return the places of the tier on a day."""
        return [spot for spot in day.spots.values() if self.holds(spot)]


@dataclass(frozen=True)
class Denominator:
    """What a coverage is a share of: all places of a tier on the day, or a number that a source gives."""

    tier: str
    title: Text
    counted: Tier | None = None
    given: int | None = None
    source: Source | None = None


def check_exclusive(groups: Sequence[PlaceGroup], day: Day | None = None) -> None:
    """Let groups that share no place pass; raises `GroupsOverlap`.

    With a day places below members count too: a city and the province it lies in share the city.
    """
    held = [_held(group, day) for group in groups]
    for index, first in enumerate(groups):
        for other, second in enumerate(groups[index + 1 :], index + 1):
            if shared := held[index] & held[other]:
                raise GroupsOverlap(first.id, second.id, shared)


def _held(group: PlaceGroup, day: Day | None) -> frozenset[str]:
    if day is None:
        return group.members
    return group.members | {spot.code for spot in day.spots.values() if group.holds(spot)}


def partition_of(
    groups: Iterable[PlaceGroup], name: str, day: Day | None = None
) -> list[PlaceGroup]:
    """Return the groups of a partition, found to be exclusive."""
    chosen = [group for group in groups if group.partition == name]
    check_exclusive(chosen, day)
    return chosen


@dataclass(frozen=True)
class Frame:
    """How the places of a country are looked at: groups, tiers, denominators, names of levels."""

    groups: tuple[PlaceGroup, ...]
    tiers: tuple[Tier, ...]
    denominators: tuple[Denominator, ...]
    source: Source
    places_dated: date
    country: str = CHINA
    title: Text = field(default_factory=lambda: Text(zh="全国", en="the country"))
    top: Text = field(default_factory=lambda: Text(zh="省份", en="provinces"))
    """What its topmost places are called, all together."""
    levels: Mapping[str, Text] = field(default_factory=dict)
    """What its levels are called there, where that differs from their usual names."""

    def partitions(self) -> list[str]:
        """Return the partitions, in the order of their first groups."""
        return list(dict.fromkeys(one.partition for one in self.groups if one.partition))
