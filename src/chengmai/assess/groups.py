"""Groups of provinces and tiers of places: data, so that a country can have its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from chengmai.assess.gazetteer import Day, Spot
from chengmai.assess.model import Source
from chengmai.assess.problems import GroupsOverlap
from chengmai.kernel.texts import Text


@dataclass(frozen=True)
class PlaceGroup:
    """Provinces that are looked at together. Groups of one `partition` share no place."""

    id: str
    title: Text
    members: frozenset[str]
    partition: str | None = None

    def holds(self, spot: Spot) -> bool:
        return spot.province in self.members


@dataclass(frozen=True)
class Tier:
    """Places of one rank: those whose (level, kind) is in `ranks`; a kind `*` is any."""

    id: str
    title: Text
    ranks: frozenset[tuple[str, str]]

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


def check_exclusive(groups: Sequence[PlaceGroup]) -> None:
    """Let groups that share no place pass; raises `GroupsOverlap`."""
    for index, first in enumerate(groups):
        for second in groups[index + 1 :]:
            if shared := first.members & second.members:
                raise GroupsOverlap(first.id, second.id, shared)


def partition_of(groups: Iterable[PlaceGroup], name: str) -> list[PlaceGroup]:
    """Return the groups of a partition, found to be exclusive."""
    chosen = [group for group in groups if group.partition == name]
    check_exclusive(chosen)
    return chosen


@dataclass(frozen=True)
class Frame:
    """How places are looked at: groups, tiers, and what coverage is a share of."""

    groups: tuple[PlaceGroup, ...]
    tiers: tuple[Tier, ...]
    denominators: tuple[Denominator, ...]
    source: Source
    places_dated: date
