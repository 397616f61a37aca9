"""View models of the list of pools and of a pool's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from markupsafe import Markup

from chengmai.web.cockpit.formats import NO_VALUE, Formats
from chengmai.web.cockpit.pools.views import (
    Ahead,
    EffectView,
    MemberView,
    MoveView,
    PoolCard,
    PoolDetail,
    PoolSums,
    SuggestionView,
)
from chengmai.web.cockpit.svg.chart import chart
from chengmai.web.cockpit.svg.plot import NARROW, WIDE, ChartData, Threshold
from chengmai.web.cockpit.views import ForecastPoint
from chengmai.web.cockpit.visit import link

PAST = timedelta(days=7)
_FULL_HEAT = 10


@dataclass(frozen=True)
class PoolLine:
    """A pool as a row of the list."""

    href: str
    title: str
    pack: str
    used: str
    share: str
    idle: str
    short: str
    outlook: str
    is_short: bool
    waits: bool
    age: str


@dataclass(frozen=True)
class PoolListView:
    lines: tuple[PoolLine, ...]
    packs: tuple[tuple[str, str], ...]
    pack: str


@dataclass(frozen=True)
class MemberLine:
    name: str
    area: str
    used: str
    waiting: str
    share: str
    idle: str
    short: str
    peak: str
    naive: str
    basis: str
    because: str


@dataclass(frozen=True)
class AreaLine:
    area: str
    used: str
    share: str
    idle: str
    short: str


@dataclass(frozen=True)
class HeatCell:
    """One hour of the week: its words, and from 0 to 10 how full; -1 without any reading."""

    text: str
    heat: int


@dataclass(frozen=True)
class MoveLine:
    n: int
    title: str
    units: int
    changed: str
    most: int
    lot: int
    saves: str
    why: str
    binds: str
    case_href: str
    done: str


@dataclass(frozen=True)
class SuggestionBox:
    id: str
    action: str
    state: str
    state_word: str
    when: str
    decide_by: str
    summary: str
    moves: tuple[MoveLine, ...]
    decided: str
    reason: str
    effect: str
    effect_word: str
    effect_facts: str
    may_decide: bool


@dataclass(frozen=True)
class PoolPage:
    line: PoolLine
    path: str
    about: str
    at: str
    numbers: tuple[tuple[str, str, str], ...]
    chart_wide: Markup
    chart_narrow: Markup
    has_forecast: bool
    ahead: str
    ahead_rows: tuple[tuple[str, str, str, str], ...]
    week: tuple[tuple[str, tuple[HeatCell, ...]], ...]
    members: tuple[MemberLine, ...]
    areas: tuple[AreaLine, ...]
    read_from: str
    outlook: str
    open: SuggestionBox | None
    past: tuple[SuggestionBox, ...]
    source: str
    unverified: bool
    queries: tuple[tuple[str, str], ...]


def list_view(cards: Sequence[PoolCard], pack: str, formats: Formats) -> PoolListView:
    """Return the list: those with a suggestion first, then those with most shortage in the week."""
    packs = {card.pack: formats.words.pick(card.pack_title) for card in cards}
    return PoolListView(
        tuple(pool_line(card, formats) for card in chosen(cards, pack)),
        tuple(sorted(packs.items())),
        pack,
    )


def chosen(cards: Sequence[PoolCard], pack: str) -> list[PoolCard]:
    """Return the cards of a domain (all for an empty text) in the order of the list."""
    kept = [card for card in cards if not pack or card.pack == pack]
    return sorted(kept, key=lambda c: (not c.open_suggestion, -c.sums.short_week, c.pack, c.pool))


def pool_line(card: PoolCard, formats: Formats) -> PoolLine:
    words, sums = formats.words, card.sums
    known = sums.capacity > 0
    used = words("pools.of", used=formats.number(sums.used), there=formats.number(sums.capacity))
    return PoolLine(
        href=link("pools", card.pack, card.pool),
        title=words.pick(card.title),
        pack=words.pick(card.pack_title),
        used=used if known else NO_VALUE,
        share=formats.percent(sums.utilisation),
        idle=formats.number(sums.idle_week) if sums.read else NO_VALUE,
        short=formats.number(sums.short_week) if sums.read else NO_VALUE,
        outlook=words("pools.outlook." + card.why),
        is_short=card.why in ("moves", "no_help", "not_worth", "no_answer"),
        waits=card.open_suggestion,
        age=formats.age(card.at),
    )


def page_view(detail: PoolDetail, formats: Formats) -> PoolPage:
    """Return everything the page of a pool shows."""
    words, card = formats.words, detail.card
    unit = words.pick(card.unit)
    line = pool_line(card, formats)
    data = chart_data(detail, formats)
    told = words("pools.chart_about", title=line.title, used=line.used, unit=unit, share=line.share)
    path = link("pools", card.pack, card.pool)
    boxes = [_box(one, path, formats) for one in detail.suggestions]
    return PoolPage(
        line=line,
        path=path,
        about=words.pick(detail.about),
        at=formats.instant(card.at),
        numbers=_numbers(detail, formats),
        chart_wide=chart(data, WIDE, formats, unit, told),
        chart_narrow=chart(data, NARROW, formats, unit, told),
        has_forecast=bool(data.forecast),
        ahead=_ahead_words(detail.ahead, formats),
        ahead_rows=tuple(
            _ahead_row(p, formats) for p in (detail.ahead.points if detail.ahead else ())
        ),
        week=_week(detail, formats),
        members=tuple(_member(one, formats) for one in detail.members),
        areas=tuple(_area(area, sums, formats) for area, sums in detail.areas),
        read_from=words(
            "pools.read_from",
            title=words.pick(detail.member_title),
            type=detail.member_type,
            n=len(detail.members),
        ),
        outlook=_outlook(detail, formats),
        open=next((box for box in boxes if box.state == "proposed"), None),
        past=tuple(box for box in boxes if box.state != "proposed"),
        source=words.pick(detail.source),
        unverified=detail.trust in ("M", "C"),
        queries=detail.queries,
    )


def _outlook(detail: PoolDetail, formats: Formats) -> str:
    """Return why there is nothing to decide now."""
    for one in detail.suggestions:
        if one.state in ("accepted", "changed") and one.end > formats.now:
            return formats.words("pools.running", at=formats.near(one.end))
    decided = any(one.made_at == detail.card.at for one in detail.suggestions)
    return formats.words("pools.next") if decided else formats.words.pick(detail.card.sentence)


def chart_data(detail: PoolDetail, formats: Formats) -> ChartData:
    """Return what the chart draws: demand of a week, what is expected, usable units and capacity."""
    words, sums, now = formats.words, detail.card.sums, formats.now
    usable = (1 - detail.reserve) * sums.capacity
    lines = []
    if sums.capacity > 0:
        label = words("pools.usable", value=formats.number(usable))
        lines.append(Threshold(usable, "watch", label))
        label = words("pools.capacity_line", value=formats.number(sums.capacity))
        lines.append(Threshold(sums.capacity, "act", label))
    ahead = tuple(p for p in (detail.ahead.points if detail.ahead else ()) if p.at >= now)
    end = max([now, *(p.at for p in ahead)])
    return ChartData(
        start=now - PAST,
        end=end + (end - (now - PAST)) * 0.01,
        now=now,
        points=tuple(p for p in detail.demand if p.at >= now - PAST),
        forecast=ahead,
        thresholds=tuple(lines),
    )


def _numbers(detail: PoolDetail, formats: Formats) -> tuple[tuple[str, str, str], ...]:
    """Return (name, value, definition with its denominator) of what is counted."""
    words, sums = formats.words, detail.card.sums
    unit = words.pick(detail.card.unit)
    read = words("pools.read_of", read=formats.number(sums.read), there=formats.number(sums.of))
    usable = formats.percent(1 - detail.reserve)
    known = sums.capacity > 0
    return (
        (
            words("pools.used"),
            formats.quantity(sums.used, unit) if known else NO_VALUE,
            words("pools.used_is"),
        ),
        (
            words("pools.waiting"),
            formats.quantity(sums.waiting, unit) if known else NO_VALUE,
            words("pools.waiting_is"),
        ),
        (words("pools.share"), formats.percent(sums.utilisation, 1), words("pools.share_is")),
        (
            words("pools.idle"),
            words("pools.unit_hours", n=formats.number(sums.idle_week), unit=unit),
            words("pools.idle_is", usable=usable) + read,
        ),
        (
            words("pools.short"),
            words("pools.unit_hours", n=formats.number(sums.short_week), unit=unit),
            words("pools.short_is", usable=usable) + read,
        ),
    )


def _ahead_words(ahead: Ahead | None, formats: Formats) -> str:
    if ahead is None:
        return formats.words("pools.ahead_none")
    return formats.words.pick(ahead.because)


def _ahead_row(point: ForecastPoint, formats: Formats) -> tuple[str, str, str, str]:
    between = formats.words(
        "range.from_to", low=formats.number(point.low, 1), high=formats.number(point.high, 1)
    )
    naive = formats.number(point.naive, 1)
    return formats.instant(point.at), formats.number(point.median, 1), between, naive


def _week(detail: PoolDetail, formats: Formats) -> tuple[tuple[str, tuple[HeatCell, ...]], ...]:
    rows = []
    for day in range(7):
        cells = []
        for hour in range(24):
            share = detail.week.get((day, hour))
            heat = -1 if share is None else max(0, min(_FULL_HEAT, round(share * _FULL_HEAT)))
            cells.append(HeatCell("" if share is None else f"{share * 100:.0f}", heat))
        rows.append((formats.words(f"pools.day.{day}"), tuple(cells)))
    return tuple(rows)


def _member(one: MemberView, formats: Formats) -> MemberLine:
    words, sums, ahead = formats.words, one.sums, one.ahead
    points = ahead.points if ahead else ()
    peak = max(points, key=lambda p: p.median, default=None)
    return MemberLine(
        name=words.pick(one.name),
        area=one.area,
        used=words("pools.of", used=formats.number(sums.used), there=formats.number(sums.capacity)),
        waiting=formats.number(sums.waiting),
        share=formats.percent(sums.utilisation),
        idle=formats.number(sums.idle_week),
        short=formats.number(sums.short_week),
        peak=_peak(peak, formats),
        naive=formats.number(peak.naive) if peak else NO_VALUE,
        basis=words(f"pools.basis.{ahead.basis}") if ahead else words("pools.basis.unknown"),
        because=words.pick(ahead.because) if ahead else "",
    )


def _area(area: str, sums: PoolSums, formats: Formats) -> AreaLine:
    words = formats.words
    used = words("pools.of", used=formats.number(sums.used), there=formats.number(sums.capacity))
    idle, short = formats.number(sums.idle_week), formats.number(sums.short_week)
    return AreaLine(area or NO_VALUE, used, formats.percent(sums.utilisation), idle, short)


def _peak(point: ForecastPoint | None, formats: Formats) -> str:
    if point is None:
        return NO_VALUE
    return formats.words(
        "pools.peak",
        median=formats.number(point.median),
        low=formats.number(point.low),
        high=formats.number(point.high),
        at=formats.near(point.at),
    )


def _box(one: SuggestionView, path: str, formats: Formats) -> SuggestionBox:
    words = formats.words
    decided = ""
    if one.decided_at is not None:
        decided = words("pools.decided", by=one.decided_by, at=formats.instant(one.decided_at))
    effect = one.effect
    return SuggestionBox(
        id=one.id,
        action=f"{path}/decide",
        state=one.state,
        state_word=words(f"pools.state.{one.state}"),
        when=words("pools.window", start=formats.instant(one.start), end=formats.near(one.end)),
        decide_by=formats.near(one.decide_by),
        summary=words.pick(one.summary),
        moves=tuple(_move(move, formats) for move in one.moves),
        decided=decided,
        reason=one.reason,
        effect=words.pick(effect.sentence) if effect else "",
        effect_word=words(f"pools.effect.{effect.verdict}") if effect else "",
        effect_facts=_facts(effect, formats) if effect else "",
        may_decide=one.may_decide,
    )


def _facts(effect: EffectView, formats: Formats) -> str:
    if not effect.way:
        return ""
    way = formats.words(f"pools.way.{effect.way}", weeks=effect.weeks)
    return formats.words("pools.measured", at=formats.instant(effect.measured_at), way=way)


def _move(move: MoveView, formats: Formats) -> MoveLine:
    words = formats.words
    changed = ""
    if move.units != move.suggested:
        changed = words("pools.changed_from", n=formats.number(move.suggested))
    return MoveLine(
        n=move.n,
        title=f"{words.pick(move.source)} → {words.pick(move.target)}",
        units=move.units,
        changed=changed,
        most=move.most,
        lot=move.lot,
        saves=formats.number(move.saves, 1),
        why=words.pick(move.why),
        binds=words.pick(move.binds),
        case_href=link("cases", move.case_id) if move.case_id else "",
        done=words("pools.done_at", at=formats.near(move.done_at)) if move.done_at else "",
    )


def sums_row(sums: PoolSums) -> tuple[object, ...]:
    """Return use as cells of a table for machines."""
    share = None if sums.utilisation is None else round(sums.utilisation, 6)
    return (sums.used, sums.waiting, sums.capacity, share, sums.idle_week, sums.short_week)
