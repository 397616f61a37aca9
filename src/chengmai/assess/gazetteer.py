"""Places as they were on a day: names, levels, parents, successors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from chengmai.assess.model import Level, Place
from chengmai.assess.problems import PlaceUnknown
from chengmai.kernel.texts import Text

CHINA = "CN"
"""The country of a topmost place that names none."""
_KEPT_DAYS = 16
_LONGEST_PATH = 12


@dataclass(frozen=True)
class Spot:
    """A place on one day. `path` are the codes from the topmost place down to itself."""

    code: str
    name: Text
    level: Level
    kind: str
    path: tuple[str, ...]
    country: str = CHINA

    @property
    def parent(self) -> str | None:
        return self.path[-2] if len(self.path) > 1 else None

    @property
    def province(self) -> str:
        """The topmost place that it belongs to."""
        return self.path[0]


@dataclass(frozen=True)
class Day:
    """All places of one day."""

    on: date
    spots: Mapping[str, Spot]
    heirs: Mapping[str, str] = field(default_factory=dict)

    def standing_for(self, code: str) -> str | None:
        """Return the place that `code` names on this day: itself, or who took over; None for neither."""
        seen: set[str] = set()
        while code not in self.spots:
            if code in seen or code not in self.heirs:
                return None
            seen.add(code)
            code = self.heirs[code]
        return code

    def children(self, code: str | None) -> list[Spot]:
        """Return the places directly below `code`, or the topmost ones, by code."""
        return sorted(
            (spot for spot in self.spots.values() if spot.parent == code), key=lambda s: s.code
        )

    def spot(self, code: str) -> Spot:
        """Return a place of this day; raises `PlaceUnknown`."""
        if (found := self.spots.get(code)) is None:
            raise PlaceUnknown(code)
        return found


class Gazetteer:
    """Places with all they ever were. A later one of the same code replaces the earlier."""

    def __init__(self, *sets: Iterable[Place]) -> None:
        self._places = {place.code: place for one in sets for place in one}
        self._all_on = lru_cache(_KEPT_DAYS)(self._on)
        self._only_on = lru_cache(_KEPT_DAYS)(self._within)

    def on(self, day: date, country: str | None = None) -> Day:
        """Return the places of a day: all, or those of one country."""
        found = self._all_on(day)
        return found if country is None else self._only_on(day, country)

    def country_of(self, code: str) -> str | None:
        """Return the country in which a place lies, or lay at last; None for no place."""
        seen: set[str] = set()
        while code in self._places and code not in seen:
            seen.add(code)
            place = self._places[code]
            above = place.standings[-1].parent
            if above is None:
                return place.country or CHINA
            code = above
        return CHINA if seen else None

    def countries(self) -> list[str]:
        """Return the countries of the topmost places, China first."""
        found = {
            place.country or CHINA
            for place in self._places.values()
            if any(one.parent is None for one in place.standings)
        }
        return sorted(found, key=lambda one: (one != CHINA, one))

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, code: object) -> bool:
        return code in self._places

    def place(self, code: str) -> Place:
        """Return a place with all it ever was; raises `PlaceUnknown`."""
        if (found := self._places.get(code)) is None:
            raise PlaceUnknown(code)
        return found

    def _on(self, day: date) -> Day:
        held = {code: found for code, place in self._places.items() if (found := place.on(day))}
        heirs = {p.code: p.successor for p in self._places.values() if p.successor}
        spots: dict[str, Spot] = {}
        for code, standing in held.items():
            path = [code]
            parent = standing.parent
            while parent is not None and parent in held and len(path) < _LONGEST_PATH:
                if parent in path:
                    break
                path.append(parent)
                parent = held[parent].parent
            spots[code] = Spot(
                *(code, standing.name, standing.level, standing.kind, tuple(reversed(path))),
                self._places[path[-1]].country or CHINA,
            )
        return Day(day, spots, heirs)

    def _within(self, day: date, country: str) -> Day:
        found = self._all_on(day)
        spots = {code: spot for code, spot in found.spots.items() if spot.country == country}
        return found if len(spots) == len(found.spots) else Day(day, spots, found.heirs)
