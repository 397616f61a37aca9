"""Provinces as equal tiles, roughly where they lie, each a link: no borders, no map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chengmai.assess.statistics import Rank
from chengmai.web.cockpit.formats import Formats

TILES: Mapping[str, tuple[int, int]] = {
    "230000": (8, 0), "650000": (0, 1), "150000": (5, 1), "220000": (8, 1), "620000": (2, 2),
    "640000": (3, 2), "140000": (4, 2), "130000": (5, 2), "110000": (6, 2), "120000": (7, 2),
    "210000": (8, 2), "630000": (2, 3), "610000": (4, 3), "410000": (5, 3), "370000": (6, 3),
    "320000": (7, 3), "540000": (1, 4), "510000": (3, 4), "500000": (4, 4), "420000": (5, 4),
    "340000": (6, 4), "310000": (8, 4), "330000": (7, 4), "530000": (3, 5), "520000": (4, 5),
    "430000": (5, 5), "360000": (6, 5), "350000": (7, 5), "710000": (8, 5), "450000": (4, 6),
    "440000": (5, 6), "460000": (4, 7), "810000": (6, 7), "820000": (5, 7),
}  # fmt: skip
SHADES = 5


def shades(ranks: Sequence[Rank]) -> dict[str, int]:
    """Return a shade of 0 (nothing) to 5 (most) of each code, by its share of the largest value."""
    most = max((rank.value for rank in ranks), default=0)
    if most <= 0:
        return {rank.code: 0 for rank in ranks}
    return {
        rank.code: 0 if rank.value <= 0 else min(SHADES, int(rank.value / most * SHADES) + 1)
        for rank in ranks
    }


@dataclass(frozen=True)
class TileView:
    """A tile: where it stands, what it says, its shade with the same shade as a number of marks, its link."""

    column: int
    row: int
    name: str
    value: str
    shade: int
    marks: str
    label: str
    link: str


def cartogram(ranks: Sequence[Rank], query: str, formats: Formats) -> tuple[TileView, ...]:
    """Return the tiles in the order of the ranking; none where the places are not those of China."""
    shaded = shades(ranks)
    return tuple(
        _tile(rank, shaded[rank.code], query, formats) for rank in ranks if rank.code in TILES
    )


def _tile(rank: Rank, shade: int, query: str, formats: Formats) -> TileView:
    words = formats.words
    column, row = TILES[rank.code]
    name, value = words.pick(rank.name), formats.number(rank.value)
    place = f"{rank.place}{'=' if rank.tied else ''}"
    return TileView(
        column + 1,
        row + 1,
        _short(name) if words.lang.startswith("zh") else name,
        value,
        shade,
        "●" * shade,
        words("assess.tile", name=name, n=value, place=place),
        f"/assessment/places?{query}&code={rank.code}",
    )


def _short(name: str) -> str:
    return name[:3] if name.startswith(("内蒙", "黑龙")) else name[:2]
