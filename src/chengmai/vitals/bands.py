"""Bands: which are in force, and the level a value has by them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from chengmai.kernel.instants import from_us
from chengmai.packs.model import Band, Grade
from chengmai.vitals.model import LEVEL_RANK, Level, Side

_SAME = 1e-9
"""How near a computed value comes to a threshold that it is on: sums and shares of decimals are not exact."""
GRADE_RANK: dict[Grade | None, int] = {None: 0, "blue": 1, "yellow": 2, "orange": 3, "red": 4}


@dataclass(frozen=True)
class Verdict:
    """The level of a value, the band that decides it, and whether only hysteresis still holds it."""

    level: Level
    band: Band | None = None
    held: bool = False

    @property
    def side(self) -> Side | None:
        """Return the side of the deciding band."""
        return None if self.band is None else side_of(self.band)


_NORMAL = Verdict("normal")


def bands_on(bands: Sequence[Band], on: date) -> tuple[Band, ...]:
    """Return the bands in force on a day, first and last day included."""
    return tuple(
        band
        for band in bands
        if (band.from_ is None or band.from_ <= on) and (band.until is None or on <= band.until)
    )


def bands_at(bands: Sequence[Band], at_us: int, zone: ZoneInfo) -> tuple[Band, ...]:
    """Return the bands in force at an observation: standards change, and old readings keep theirs."""
    return bands_on(bands, from_us(at_us).astimezone(zone).date())


def side_of(band: Band) -> Side:
    """Return which side of the threshold is the bad one."""
    return "above" if band.above is not None else "below"


def bound_of(band: Band) -> float:
    """Return the threshold."""
    bound = band.above if band.above is not None else band.below
    assert bound is not None
    return bound


def clear_of(band: Band) -> float:
    """Return the value on whose good side the level ends."""
    return bound_of(band) if band.clear is None else band.clear


@dataclass(frozen=True, slots=True)
class Edge:
    """A band as a value is held against it: every tick of every sign is, so nothing is looked up then."""

    band: Band
    bound: float
    clear: float
    near: float
    """How near to the bound a value is on it."""
    side: Side
    rank: int

    @classmethod
    def of(cls, band: Band) -> Edge:
        """Return the edge of a band."""
        bound = bound_of(band)
        near = _SAME * max(1.0, abs(bound))
        return cls(band, bound, clear_of(band), near, side_of(band), LEVEL_RANK[band.level])

    def is_passed(self, value: float) -> bool:
        """Return whether a value lies beyond the threshold; one on it does when the band is `inclusive`."""
        if abs(value - self.bound) <= self.near:
            return self.band.inclusive
        return value > self.bound if self.side == "above" else value < self.bound

    def is_cleared(self, value: float) -> bool:
        """Return whether a value lies on the good side of the clearing value (a value on it does)."""
        return value <= self.clear if self.side == "above" else value >= self.clear


def level_of(
    value: float,
    bands: Sequence[Band],
    held: Level = "normal",
    side: Side | None = None,
) -> Verdict:
    """Return the worst level of a value by the bands in force.

    With hysteresis: a level that is `held` on `side` goes on until its band is cleared (domain facts 3.10:
    the value that ends an alarm is not the value that raised it).
    """
    return level_by(value, [Edge.of(band) for band in bands], held, side)


def level_by(
    value: float, edges: Sequence[Edge], held: Level = "normal", side: Side | None = None
) -> Verdict:
    """Return what `level_of` does, by the edges of the bands in force."""
    best, rank = _NORMAL, LEVEL_RANK[held]
    for edge in edges:
        beyond = edge.is_passed(value)
        if beyond or (rank >= edge.rank and side == edge.side and not edge.is_cleared(value)):
            best = max(best, Verdict(edge.band.level, edge.band, held=not beyond), key=_weight)
    return best


def _weight(verdict: Verdict) -> tuple[int, bool, int]:
    """Rank verdicts: by level; what the value is beyond before what hysteresis holds; by colour.

    Of bands that only hysteresis holds the mildest decides: nobody knows any more which colour it was.
    """
    colour = GRADE_RANK[verdict.band.grade] if verdict.band else 0
    return LEVEL_RANK[verdict.level], not verdict.held, -colour if verdict.held else colour


def nearest(value: float, bands: Sequence[Band]) -> Band | None:
    """Return the band whose threshold lies nearest to the value."""
    return min(bands, key=lambda band: abs(bound_of(band) - value), default=None)
