"""View model of the page that looks back on one sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from markupsafe import Markup

from chengmai.kernel.instants import from_us
from chengmai.kernel.texts import Text
from chengmai.vitals.lookback.days import DAY_WORDS, Day
from chengmai.vitals.lookback.exchange import ELSEWHERE, OTHERS
from chengmai.vitals.lookback.explaining import Explanation
from chengmai.vitals.lookback.likeness import Likeness
from chengmai.vitals.lookback.marks import Mark
from chengmai.vitals.lookback.periods import (
    LENGTHS,
    VERSUS,
    Length,
    Period,
    Versus,
    following,
    period_of,
)
from chengmai.vitals.lookback.periods import compared as compared_with
from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.reviewing import LookedBack
from chengmai.web.cockpit.svg.chart import chart
from chengmai.web.cockpit.svg.plot import NARROW, WIDE, ChartData, MarkLine
from chengmai.web.cockpit.views import Point
from chengmai.web.cockpit.visit import link

MOST_SHARES = 8


@dataclass(frozen=True)
class ShareLine:
    """One contribution; `share` is its part of the change, `width` the length of its bar from 0 to 100."""

    name: str
    before: str
    after: str
    own: str
    mix: str
    total: str
    share: str
    width: int
    rises: bool


@dataclass(frozen=True)
class CauseTable:
    """What explains a change: its sentence, its lines, and the rest in one line."""

    kind: str
    how: str
    sentence: str
    change: str
    lines: tuple[ShareLine, ...]
    rest: str
    has_mix: bool


@dataclass(frozen=True)
class MarkRow:
    number: int
    kind: str
    at: str
    until: str
    text: str
    by: str
    href: str


@dataclass(frozen=True)
class Choice:
    """A link of the page to another period or comparison."""

    words: str
    href: str
    is_chosen: bool


@dataclass(frozen=True)
class LookBackView:
    id: str
    path: str
    query: str
    title: str
    area: str
    pack: str
    pack_href: str
    lengths: tuple[Choice, ...]
    versus: tuple[Choice, ...]
    earlier: str
    later: str
    period: str
    against: str
    sentences: tuple[str, ...]
    chart_wide: Markup
    chart_narrow: Markup
    marks: tuple[MarkRow, ...]
    causes: tuple[tuple[str, CauseTable], ...]
    no_entities: str
    likeness: tuple[str, ...]
    groups: tuple[tuple[str, str, str, str, str], ...]
    odd_days: tuple[str, ...]
    rows: tuple[tuple[str, str, str], ...]
    may_note: bool
    note_at: str


def length_named(name: str) -> Length:
    """Return a length that exists; the day for any other name."""
    return next((one for one in LENGTHS if one == name), "day")


def versus_named(name: str) -> Versus:
    """Return a comparison that exists; the one before for any other name."""
    return next((one for one in VERSUS if one == name), "previous")


def page_view(looked: LookedBack, length: Length, versus: Versus, formats: Formats) -> LookBackView:
    """Return everything the page shows."""
    words, card, review = formats.words, looked.vital.card, looked.review
    path = link("vitals", card.id) + "/back"
    period, today = review.now.period, formats.local(formats.now).date()
    rows = tuple(_mark_row(n, mark, formats) for n, mark in enumerate(review.marks, 1))
    data = chart_data(looked, formats)
    sentences = summary(looked, formats)
    later = following(Period(length, period.first, _whole(period), period.zone))

    def to(which: Length, on: date, other: Versus) -> str:
        asked = {"length": which, "on": on.isoformat(), "versus": other}
        return f"{path}?{urlencode(asked)}"

    before = compared_with(Period(length, period.first, _whole(period), period.zone), "previous")
    causes = review.causes
    tables: tuple[tuple[str, Explanation | None, Mapping[str, Text]], ...] = (
        ("entity", causes.by_entity, looked.names),
        ("area", causes.by_area, {}),
        ("hour", causes.by_hour, _hours(review.sign.spec.step, formats)),
    )
    return LookBackView(
        id=card.id,
        path=path,
        query=urlencode({"length": length, "on": period.first.isoformat(), "versus": versus}),
        title=words.pick(card.title),
        area=card.area,
        pack=words.pick(card.pack_title),
        pack_href=link("domains", card.pack),
        lengths=tuple(
            Choice(words(f"length.{one}"), to(one, period.last, versus), one == length)
            for one in LENGTHS
        ),
        versus=tuple(
            Choice(words(f"versus.{one}.{length}"), to(length, period.first, one), one == versus)
            for one in VERSUS
            if (one, length) not in (("week_earlier", "month"), ("week_earlier", "year"))
            and (one, length) != ("year_earlier", "year")
        ),
        earlier=to(length, before.first, versus),
        later=to(length, later.first, versus) if later.first <= today else "",
        period=_days(period, formats),
        against=_days(review.before.period, formats),
        sentences=sentences,
        chart_wide=chart(data, WIDE, formats, card.unit, " ".join(sentences)),
        chart_narrow=chart(data, NARROW, formats, card.unit, " ".join(sentences)),
        marks=rows,
        causes=tuple(
            (name, cause_table(found, names, card.decimals, card.unit, formats))
            for name, found, names in tables
            if found is not None
        ),
        no_entities=words.pick(causes.no_entities) if causes.no_entities else "",
        likeness=likeness_words(review.likeness, card.decimals, card.unit, formats),
        groups=_groups(review.likeness, card.decimals, formats),
        odd_days=tuple(_odd(day, formats) for day in review.days),
        rows=_rows(looked, formats),
        may_note=looked.may_note,
        note_at=formats.local(formats.now).strftime("%Y-%m-%dT%H:%M"),
    )


def summary(looked: LookedBack, formats: Formats) -> tuple[str, ...]:
    """Return the comparison of the two periods in sentences."""
    words, card, review = formats.words, looked.vital.card, looked.review
    new, old = review.now.mean, review.before.mean
    said = {
        "period": _days(review.now.period, formats),
        "against": _days(review.before.period, formats),
        "now": formats.quantity(new, card.unit, card.decimals),
        "before": formats.quantity(old, card.unit, card.decimals),
    }
    if new is None:
        return (words("back.no_values", **said),)
    if old is None:
        return (words("back.only_now", **said),)
    change = formats.quantity(new - old, card.unit, card.decimals)
    sign = "+" if new > old else ""
    return (words("back.compared", **said, change=sign + change),)


def chart_data(looked: LookedBack, formats: Formats) -> ChartData:
    """Return the curve of the period, that of the other one laid under it, and the marks."""
    review = looked.review
    period, other = review.now.period, review.before.period
    shift = period.start - other.start
    shown = min(period.end, max(formats.now, period.start + timedelta(hours=1)))
    return ChartData(
        start=period.start,
        end=shown,
        now=formats.now,
        points=tuple(Point(from_us(us), value) for us, value in review.now.points),
        baseline=tuple(p for p in looked.baseline if p.at < shown),
        other=tuple(Point(from_us(us) + shift, value) for us, value in review.before.points),
        marks=tuple(
            MarkLine(mark.at, mark.until, str(n)) for n, mark in enumerate(review.marks, 1)
        ),
    )


def cause_table(
    found: Explanation, names: Mapping[str, Text], decimals: int, unit: str, formats: Formats
) -> CauseTable:
    """Return an explanation as a table: the largest contributions, and what the rest brings together."""
    words = formats.words
    most = max((abs(share.total) for share in found.shares), default=0.0)
    lines = []
    for share in found.shares[:MOST_SHARES]:
        lines.append(
            ShareLine(
                name=part_name(share.key, names, formats),
                before=formats.number(share.before, decimals),
                after=formats.number(share.after, decimals),
                own=_signed(share.own, decimals, formats),
                mix=_signed(share.mix, decimals, formats),
                total=_signed(share.total, decimals, formats),
                share=formats.percent(share.total / found.change) if found.change else "–",
                width=round(100 * abs(share.total) / most) if most else 0,
                rises=share.total > 0,
            )
        )
    rest = sum(share.total for share in found.shares[MOST_SHARES:])
    left = len(found.shares) - len(lines)
    return CauseTable(
        kind=found.kind,
        how=words(f"explain.{found.kind}"),
        sentence=words(
            "explain.sentence",
            before=formats.quantity(found.before, unit, decimals),
            after=formats.quantity(found.after, unit, decimals),
            change=_signed(found.change, decimals, formats),
        ),
        change=_signed(found.change, decimals, formats),
        lines=tuple(lines),
        rest=words("explain.rest", n=left, total=_signed(rest, decimals, formats)) if left else "",
        has_mix=any(abs(share.mix) > 1e-9 for share in found.shares),
    )


def part_name(key: str, names: Mapping[str, Text], formats: Formats) -> str:
    """Return what people call a part: its name, else the end of its id."""
    if key in (OTHERS, ELSEWHERE):
        return formats.words(f"explain.{key}")
    if key in names:
        return formats.words.pick(names[key])
    return key.rpartition(":")[2] or key


def likeness_words(found: Likeness, decimals: int, unit: str, formats: Formats) -> tuple[str, ...]:
    """Return the like-for-like comparison in sentences: what was matched, how often, and what it gives."""
    words = formats.words
    if found.change is None:
        return (words("like.none", unmatched=found.unmatched),)
    said = [
        words(
            "like.sentence",
            now=formats.quantity(found.now, unit, decimals),
            before=formats.quantity(found.before, unit, decimals),
            change=_signed(found.change, decimals, formats),
        ),
        words(
            "like.matched",
            n=found.matched,
            past=found.past_values,
            days=found.past_days,
            by=words("like.by_weather" if found.uses_weather else "like.by_day"),
        ),
    ]
    if found.unmatched:
        said.append(words("like.unmatched", n=found.unmatched))
    if not found.certain:
        said.append(words("like.uncertain"))
    return tuple(said)


def _groups(
    found: Likeness, decimals: int, formats: Formats
) -> tuple[tuple[str, str, str, str, str], ...]:
    words = formats.words
    rows = []
    for group in found.groups:
        name = words.pick(DAY_WORDS[group.day])
        if group.weather:
            name = f"{name}, {words(f'weather.{group.weather}')}"
        rows.append(
            (
                name,
                formats.number(group.now, decimals),
                formats.number(group.before, decimals),
                str(group.n_now),
                str(group.n_before),
            )
        )
    return tuple(rows)


def _mark_row(number: int, mark: Mark, formats: Formats) -> MarkRow:
    href = {
        "case": link("cases", mark.ref),
        "incident": link("incidents", mark.ref),
        "feed": "/feeds",
    }.get(mark.kind, "")
    return MarkRow(
        number,
        formats.words(f"mark.{mark.kind}"),
        formats.instant(mark.at),
        formats.instant(mark.until) if mark.until else "",
        formats.words.pick(mark.text),
        mark.by,
        href if mark.ref else "",
    )


def _rows(looked: LookedBack, formats: Formats) -> tuple[tuple[str, str, str], ...]:
    """Return the table twin of the chart: at most a hundred rows of value and value then."""
    review, decimals = looked.review, looked.vital.card.decimals
    shift = review.now.period.start_us - review.before.period.start_us
    before = {us + shift: value for us, value in review.before.points}
    points = review.now.points
    every = max(1, -(-len(points) // 100))
    return tuple(
        (
            formats.instant(from_us(us)),
            formats.number(value, decimals),
            formats.number(before.get(us), decimals),
        )
        for us, value in points[::every]
    )


def _odd(day: Day, formats: Formats) -> str:
    words = formats.words
    if not day.is_known:
        return words("days.unknown", day=formats.day(day.on))
    key = "days.made_up" if day.is_made_up else "days.holiday"
    return words(key, day=formats.day(day.on))


def _hours(step: timedelta, formats: Formats) -> dict[str, Text]:
    if step >= timedelta(days=1):
        return {
            str(n): Text(zh=zh, en=en)
            for n, (zh, en) in enumerate(
                (
                    ("周一", "Monday"),
                    ("周二", "Tuesday"),
                    ("周三", "Wednesday"),
                    ("周四", "Thursday"),
                    ("周五", "Friday"),
                    ("周六", "Saturday"),
                    ("周日", "Sunday"),
                ),
                1,
            )
        }
    return {f"{n:02}": Text(zh=f"{n:02}:00", en=f"{n:02}:00") for n in range(24)}


def _days(period: Period, formats: Formats) -> str:
    if period.first == period.last:
        return formats.day(period.first)
    first, last = formats.day(period.first), formats.day(period.last)
    return formats.words("range.from_to", low=first, high=last)


def _whole(period: Period) -> date:
    """Return the last day of a period that may have been cut at the present."""
    return period_of(period.length, period.first, period.zone).last


def _signed(value: float, decimals: int, formats: Formats) -> str:
    text = formats.number(value, decimals + 1)
    return f"+{text}" if value > 0 else text
