"""A vital sign as a small tile or a table row; shared by the desk, the list and the search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from markupsafe import Markup

from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.svg.citymap import RANK
from chengmai.web.cockpit.svg.sparkline import sparkline
from chengmai.web.cockpit.views import Level, Point, VitalCard
from chengmai.web.cockpit.visit import link

Trend = Literal["rising", "falling", "steady", "none"]
TREND_WINDOW = timedelta(hours=3)
TREND_SHARE = 0.15
"""A move of less than this share of the day's spread is called steady (our own choice)."""
STRIP_LENGTH = 12


@dataclass(frozen=True)
class Tile:
    """One vital sign, ready to be laid out. `others` counts further abnormal areas of the same sign."""

    href: str
    title: str
    pack: str
    area: str
    level: Level
    value: str
    unit: str
    trend: Trend
    trend_word: str
    spark: Markup
    expected: str
    age: str
    observed: str
    reason: str
    case_href: str | None
    others: int = 0


def tile(card: VitalCard, formats: Formats, others: int = 0) -> Tile:
    """Return the tile of a card."""
    words = formats.words
    trend = trend_of(card.recent, formats.now)
    return Tile(
        href=link("vitals", card.id),
        title=words.pick(card.title),
        pack=words.pick(card.pack_title),
        area=card.area,
        level=card.level,
        value=formats.number(card.value, card.decimals),
        unit=card.unit if card.value is not None else "",
        trend=trend,
        trend_word=words(f"trend.{trend}"),
        spark=sparkline(card, formats.now),
        expected=expected_range(card, formats),
        age=formats.age(card.observed_at),
        observed=formats.instant(card.observed_at),
        reason=words.pick(card.reason),
        case_href=link("cases", card.case_id) if card.case_id else None,
        others=others,
    )


def expected_range(card: VitalCard, formats: Formats) -> str:
    """Return `32.1 to 41.0`, or nothing when there is no baseline."""
    if card.expected_low is None or card.expected_high is None:
        return ""
    return formats.words(
        "range.from_to",
        low=formats.number(card.expected_low, card.decimals),
        high=formats.number(card.expected_high, card.decimals),
    )


def worst_first(cards: Sequence[VitalCard]) -> list[VitalCard]:
    """Return the cards by level, worst first; within a level by pack, title and area."""
    return sorted(cards, key=lambda c: (RANK[c.level], c.pack, c.title.en, c.area))


def strip(cards: Sequence[VitalCard], formats: Formats) -> list[Tile]:
    """Return at most twelve tiles, one a sign (its worst area), worst first."""
    shown: dict[tuple[str, str], VitalCard] = {}
    abnormal: dict[tuple[str, str], int] = {}
    for card in worst_first(cards):
        sign = (card.pack, card.title.en)
        shown.setdefault(sign, card)
        abnormal[sign] = abnormal.get(sign, 0) + (card.level != "normal")
    first = list(shown.items())[:STRIP_LENGTH]
    return [tile(card, formats, max(0, abnormal[sign] - 1)) for sign, card in first]


def trend_of(points: Sequence[Point], now: datetime, window: timedelta = TREND_WINDOW) -> Trend:
    """Return where the values went within the last `window`: the mean of its ends against the spread.

    Needs three values in the window and none older than the window at its end; else `none`.
    """
    values = [(p.at, p.value) for p in points if p.value is not None and p.at <= now]
    late = [value for at, value in values if at >= now - window]
    if len(late) < 3:
        return "none"
    everything = [value for _, value in values]
    spread = max(everything) - min(everything)
    third = max(1, len(late) // 3)
    move = sum(late[-third:]) / third - sum(late[:third]) / third
    if spread == 0 or abs(move) < TREND_SHARE * spread:
        return "steady"
    return "rising" if move > 0 else "falling"
