"""View model of a domain's page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from chengmai.kernel.texts import Text
from chengmai.vitals.lookback.explaining import Explanation
from chengmai.web.cockpit.cases.lines import CaseLine, case_line
from chengmai.web.cockpit.feeds.view import explain
from chengmai.web.cockpit.forecasts.view import quality_sentence
from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.lookback.view import part_name
from chengmai.web.cockpit.reviewing import Cause, Domain, Standing
from chengmai.web.cockpit.tiles import Tile, tile
from chengmai.web.cockpit.views import FeedView, VitalCard
from chengmai.web.cockpit.visit import link
from chengmai.web.cockpit.vitals.view import BandLine, band_line

MOST_SIGNS = 40


@dataclass(frozen=True)
class SignRow:
    tile: Tile
    ahead: str
    is_outside: bool


@dataclass(frozen=True)
class CauseRow:
    tile: Tile
    href: str
    change: str
    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class FeedRow:
    href: str
    name: str
    state: str
    refused: str
    is_bad: bool


@dataclass(frozen=True)
class QualityRow:
    href: str
    title: str
    area: str
    sentence: str


@dataclass(frozen=True)
class ThresholdRow:
    title: str
    href: str
    bands: tuple[BandLine, ...]


@dataclass(frozen=True)
class DomainView:
    pack: str
    title: str
    about: str
    summary: str
    signs: tuple[SignRow, ...]
    more: int
    causes: tuple[CauseRow, ...]
    cases: tuple[CaseLine, ...]
    feeds: tuple[FeedRow, ...]
    silent: tuple[tuple[str, str, str], ...]
    silent_total: int
    quality: tuple[QualityRow, ...]
    thresholds: tuple[ThresholdRow, ...]


def page_view(domain: Domain, formats: Formats) -> DomainView:
    """Return everything the page shows; the signs that are not normal come first."""
    words = formats.words
    levels = Counter(card.level for card in domain.cards)
    ahead = {one.card.id: one for one in domain.standings}
    summary = words(
        "domain.summary",
        signs=len({card.title.en for card in domain.cards}),
        areas=len({card.area for card in domain.cards}),
        act=levels["act"],
        watch=levels["watch"],
        unknown=levels["unknown"],
    )
    rows = sorted(
        (sign_row(card, ahead.get(card.id), formats) for card in domain.cards),
        key=lambda row: (row.tile.level == "normal", not row.is_outside),
    )
    return DomainView(
        domain.pack,
        words.pick(domain.title),
        words.pick(domain.about),
        summary,
        tuple(rows[:MOST_SIGNS]),
        max(0, len(rows) - MOST_SIGNS),
        tuple(cause_row(cause, formats) for cause in domain.causes),
        tuple(case_line(row, formats) for row in domain.cases),
        tuple(feed_row(feed, formats) for feed in domain.feeds),
        tuple(
            (
                words.pick(one.name),
                one.area,
                formats.age(one.last_at) if one.last_at else words("domain.never"),
            )
            for one in domain.silent
        ),
        domain.silent_total,
        tuple(row for one in domain.standings if (row := quality_row(one, formats)) is not None),
        tuple(
            ThresholdRow(
                words.pick(vital.card.title),
                link("vitals", vital.card.id) + "/thresholds",
                tuple(band_line(band, vital, formats) for band in vital.bands),
            )
            for vital in domain.details
        ),
    )


def sign_row(card: VitalCard, standing: Standing | None, formats: Formats) -> SignRow:
    """Return a sign against its season and its forecast."""
    look = standing.forecast if standing else None
    ahead = ""
    if look is not None and look.shown and look.points:
        last = look.points[-1]
        low, high = (formats.number(bound, card.decimals) for bound in (last.low, last.high))
        between = formats.words("range.from_to", low=low, high=high)
        ahead = f"{formats.number(last.median, card.decimals)} ({between}) {formats.near(last.at)}"
    low_, high_, value = card.expected_low, card.expected_high, card.value
    known = value is not None and low_ is not None and high_ is not None
    outside = known and not (low_ or 0.0) <= (value or 0.0) <= (high_ or 0.0)
    return SignRow(tile(card, formats), ahead, outside)


def cause_row(cause: Cause, formats: Formats) -> CauseRow:
    """Return what explains a sign: the change against its like, and the first source, area and hour."""
    words, card, found = formats.words, cause.card, cause.likeness
    if found.change is None:
        change = words("domain.cause_none")
    else:
        sign = "+" if found.change > 0 else ""
        figure = sign + formats.quantity(found.change, card.unit, card.decimals)
        change = words("domain.cause_like", change=figure, n=found.matched)
    hours = {f"{n:02}": Text(zh=f"{n:02}:00", en=f"{n:02}:00") for n in range(24)}
    found_parts: tuple[tuple[str, Explanation | None, Mapping[str, Text]], ...] = (
        ("entity", cause.by_entity, cause.names),
        ("area", cause.by_area, {}),
        ("hour", cause.by_hour, hours),
    )
    parts = tuple(
        (words(f"domain.top.{name}"), first)
        for name, one, names in found_parts
        if (first := _first(one, names, card, formats))
    )
    return CauseRow(
        tile(card, formats),
        link("vitals", card.id) + "/back?versus=week_earlier",
        change,
        parts,
    )


def feed_row(feed: FeedView, formats: Formats) -> FeedRow:
    """Return a feed of the domain: its state, and how much of it was refused and why."""
    words = formats.words
    refused = words("domain.none_refused")
    if feed.rejected:
        why = ", ".join(
            f"{explain(code, formats)} {count}" for code, count in feed.reject_reasons[:3]
        )
        refused = words(
            "domain.implausible",
            n=formats.number(feed.rejected),
            received=formats.number(feed.received),
            why=why,
        )
    return FeedRow(
        f"/feeds#{feed.id}",
        words.pick(feed.name),
        words(f"feed_state.{feed.state}"),
        refused,
        feed.state in ("late", "silent", "failed"),
    )


def quality_row(one: Standing, formats: Formats) -> QualityRow | None:
    """Return how good the forecasts of a sign have been, None before one has come to its hour."""
    level = one.forecast.interval if one.forecast else None
    sentence = quality_sentence(one.record, level, formats)
    if not sentence:
        return None
    card = one.card
    href = link("vitals", card.id) + "/forecasts"
    return QualityRow(href, formats.words.pick(card.title), card.area, sentence)


def _first(
    found: Explanation | None, names: Mapping[str, Text], card: VitalCard, formats: Formats
) -> str:
    if found is None or not found.shares or not found.change:
        return ""
    share = found.shares[0]
    sign = "+" if share.total > 0 else ""
    figure = sign + formats.quantity(share.total, card.unit, card.decimals)
    return f"{part_name(share.key, names, formats)} {figure}"
