"""Provinces as equal tiles, roughly where they lie: no borders, no map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from chengmai.assess.statistics import Rank
from chengmai.web.cockpit.svg.draw import element

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
_WIDTH, _HEIGHT, _GAP = 74, 44, 4


def shades(ranks: Sequence[Rank]) -> dict[str, int]:
    """Return a shade of 0 (nothing) to 5 (most) of each code, by its share of the largest value."""
    most = max((rank.value for rank in ranks), default=0)
    if most <= 0:
        return {rank.code: 0 for rank in ranks}
    return {
        rank.code: 0 if rank.value <= 0 else min(SHADES, int(rank.value / most * SHADES) + 1)
        for rank in ranks
    }


def cartogram(ranks: Sequence[Rank], lang: str, description: str) -> Markup | None:
    """Return the tiles with name and value, or None where the places are not those of China."""
    if not any(rank.code in TILES for rank in ranks):
        return None
    shaded = shades(ranks)
    tiles = [_tile(rank, shaded[rank.code], lang) for rank in ranks if rank.code in TILES]
    width, height = 9 * (_WIDTH + _GAP), 8 * (_HEIGHT + _GAP)
    return element(
        "svg",
        element("title", description),
        *tiles,
        class_="cartogram",
        viewBox=f"0 0 {width} {height}",
        role="img",
    )


def _tile(rank: Rank, shade: int, lang: str) -> Markup:
    column, row = TILES[rank.code]
    x, y = column * (_WIDTH + _GAP), row * (_HEIGHT + _GAP)
    name = _short(rank.name.zh) if lang.startswith("zh") else rank.name.en
    return element(
        "g",
        element("rect", x=x, y=y, width=_WIDTH, height=_HEIGHT, rx=4),
        element("text", name, x=x + _WIDTH / 2, y=y + 17, text_anchor="middle"),
        element("text", f"{rank.value:g}", x=x + _WIDTH / 2, y=y + 36, text_anchor="middle"),
        class_=f"shade-{shade}",
    )


def _short(name: str) -> str:
    return name[:3] if name.startswith(("内蒙", "黑龙")) else name[:2]
