"""View models of forecast quality: all signs in lines, and one sign by horizon with its fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chengmai.forecast.record import HORIZONS, Record, Tally
from chengmai.forecast.telling import model_title, why_title
from chengmai.kernel.instants import parse_instant
from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.reviewing import Standing
from chengmai.web.cockpit.visit import link

MOST_VERSIONS = 40
PAGE = 100


@dataclass(frozen=True)
class QualityLine:
    """One sign and area. Errors are in the unit of the sign, live ones as a share of what came."""

    id: str
    href: str
    title: str
    area: str
    pack: str
    pack_id: str
    model: str
    backtest: str
    naive: str
    skill: str
    cover: str
    live: str
    live_naive: str
    live_cover: str
    points: int
    shown: bool
    has_forecast: bool
    because: str


@dataclass(frozen=True)
class HorizonLine:
    words: str
    points: str
    error: str
    naive: str
    skill: str
    cover: str


@dataclass(frozen=True)
class VersionLine:
    model: str
    version: str
    params: str
    trained: str
    first_used: str
    shown: bool
    why: str


@dataclass(frozen=True)
class OneQuality:
    """One sign and area by horizon, with the history of its fits."""

    line: QualityLine
    promised: str
    trained: str
    why: str
    horizons: tuple[HorizonLine, ...]
    versions: tuple[VersionLine, ...]
    stored: str
    sentence: str


@dataclass(frozen=True)
class QualityList:
    """One page of the list; `hidden` are those of its lines whose forecast is not shown."""

    lines: tuple[QualityLine, ...]
    hidden: tuple[QualityLine, ...]
    packs: tuple[tuple[str, str], ...]
    pack: str
    title: str
    total: int
    previous: int | None
    next: int | None


def quality_line(one: Standing, formats: Formats) -> QualityLine:
    """Return a sign and area as a line."""
    words, card, look = formats.words, one.card, one.forecast
    total = one.record.total if one.record else Tally()
    decimals = card.decimals + 1
    return QualityLine(
        id=card.id,
        href=link("vitals", card.id) + "/forecasts",
        title=words.pick(card.title),
        area=card.area,
        pack=words.pick(card.pack_title),
        pack_id=card.pack,
        model=words.pick(model_title(look.model)) if look and look.mae is not None else "–",
        backtest=formats.number(look.mae if look else None, decimals),
        naive=formats.number(look.naive_mae if look else None, decimals),
        skill=formats.percent(look.skill if look else None),
        cover=formats.percent(look.coverage if look else None),
        live=formats.percent(total.share, 1),
        live_naive=formats.percent(total.naive_share, 1),
        live_cover=formats.percent(total.coverage),
        points=total.points,
        shown=bool(look and look.shown),
        has_forecast=look is not None,
        because=words.pick(look.because) if look else words("quality.none_yet"),
    )


def list_view(
    found: Sequence[Standing],
    packs: Sequence[tuple[str, str]],
    pack: str,
    first: int,
    formats: Formats,
) -> QualityList:
    """Return a page of the list from index `first` on, those that are not shown apart with the reason."""
    lines = tuple(quality_line(one, formats) for one in found[first : first + PAGE])
    return QualityList(
        lines,
        tuple(line for line in lines if not line.shown),
        tuple(packs),
        pack,
        next((name for one, name in packs if one == pack), ""),
        len(found),
        max(0, first - PAGE) if first else None,
        first + PAGE if first + PAGE < len(found) else None,
    )


def one_view(one: Standing, formats: Formats) -> OneQuality:
    """Return one sign and area."""
    words, record, card = formats.words, one.record, one.card
    level = one.forecast.interval if one.forecast else None
    rows = []
    for (first, last), tally in zip(HORIZONS, record.by_horizon if record else (), strict=False):
        key = "quality.step" if first == last else "quality.steps"
        rows.append(
            HorizonLine(
                words(key, first=first, last=last),
                formats.number(tally.points),
                formats.number(tally.mae, card.decimals + 1),
                formats.number(tally.naive_mae, card.decimals + 1),
                formats.percent(tally.skill),
                formats.percent(tally.coverage),
            )
        )
    versions = tuple(
        VersionLine(
            words.pick(model_title(fit.model)),
            fit.version,
            fit.params,
            formats.instant(parse_instant(fit.trained)) if fit.trained else "–",
            formats.instant(parse_instant(fit.first_origin)),
            fit.shown,
            words.pick(why_title(fit.why)),
        )
        for fit in (record.versions[:MOST_VERSIONS] if record else ())
    )
    return OneQuality(
        quality_line(one, formats),
        formats.percent(level),
        formats.instant(one.trained),
        words.pick(why_title(one.why_fitted)),
        tuple(rows),
        versions,
        words("quality.forecasts", n=record.forecasts, hidden=record.unshown) if record else "",
        quality_sentence(record, level, formats),
    )


def quality_sentence(record: Record | None, level: float | None, formats: Formats) -> str:
    """Return `last 30 days: 11 % error, baseline 17 %`, or nothing before a forecast has come to its hour."""
    total = record.total if record else Tally()
    if not total.points or total.share is None:
        return ""
    return formats.words(
        "domain.quality_line",
        error=formats.percent(total.share, 1),
        naive=formats.percent(total.naive_share, 1),
        promised=formats.percent(level),
        held=formats.percent(total.coverage),
        n=formats.number(total.points),
    )
