"""What came of an accepted suggestion: the shortage there was, against the one that was to be expected.

Compared are the members touched, from the first whole step after the decision to the end of the window, and of
those only the steps with readings. What would have been without the moves is known in two ways: from the
forecast that was kept when the suggestion was made, and from the same hours of earlier weeks in which nothing
was moved. The first is used where every member had a forecast with skill, else the second.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from chengmai.kernel.instants import from_us, to_us
from chengmai.kernel.texts import Text
from chengmai.pools.model import Against, Effect, Hour, Member, Pool, Suggestion, Verdict
from chengmai.pools.rules import LEAST, WEEKS, shortage_of
from chengmai.pools.solving import SCENARIOS
from chengmai.pools.telling import short_number

ENOUGH = 0.8
"""The share of steps that must have been read, to say anything."""
_STUDENT_90 = {3: 1.638, 4: 1.533, 5: 1.476, 6: 1.440, 7: 1.415}
"""The 90 % quantile of Student's t by degrees of freedom: of an interval that holds 80 %."""
Cell = tuple[str, int]
Window = tuple[datetime, datetime]

_SENTENCES: Mapping[Verdict, Text] = {
    "less": Text(
        zh="实际短缺 {actual} {unit}·小时，不调度预计 {expected}（80% 区间 {low}–{high}）：减少了 "
        "{saved}。",
        en="{actual} unit-hours were short; without the moves {expected} were to be expected "
        "(80% interval "
        "{low} to {high}): {saved} less.",
    ),
    "more": Text(
        zh="实际短缺 {actual} {unit}·小时，高于不调度预计的 {expected}（80% 区间 {low}–{high}）：没"
        "有帮上忙。",
        en="{actual} unit-hours were short, more than the {expected} to be expected without the "
        "moves (80% "
        "interval {low} to {high}): they did not help.",
    ),
    "not_shown": Text(
        zh="实际短缺 {actual} {unit}·小时，不调度预计 {expected}（80% 区间 {low}–{high}）：实际值在"
        "区间之内，看不出效果。",
        en="{actual} unit-hours were short; without the moves {expected} were to be expected "
        "(80% interval "
        "{low} to {high}). The actual value lies within: no effect could be shown.",
    ),
    "not_measurable": Text(
        zh="无法衡量效果：{why}。",
        en="The effect cannot be measured: {why}.",
    ),
    "not_carried_out": Text(
        zh="建议已采纳，但时段结束前没有一项调度办结，谈不上效果。实际短缺 {actual} {unit}·小时，预"
        "计 {expected}。",
        en="It was accepted, but no move was done before the time was over, so there is no effect "
        "to speak of. "
        "{actual} unit-hours were short, {expected} were to be expected.",
    ),
}
_PARTLY = Text(
    zh="{moves} 项调度中办结 {done} 项。", en="Of {moves} moves {done} were carried out."
)
_SILENT = Text(zh="只有 {share} 的时刻有读数", en="only {share} of the steps were read")
_YOUNG = Text(
    zh="没有胜过朴素法的预测，往周可比的只有 {weeks} 周",
    en="no forecast had skill, and only {weeks} earlier weeks can be compared",
)
_LATE = Text(zh="决定之后没有完整的时刻", en="no whole step was left after the decision")


def effect_of(
    pool: Pool,
    made: Suggestion,
    members: Sequence[Member],
    *,
    at: datetime,
    carried_out: int,
    others: Sequence[Window] = (),
) -> Effect:
    """Return what came of `made`; `others` are the windows of other accepted suggestions of the pool.

    Earlier weeks in which one of `others` was at work are left out of what is compared with.
    """
    hours = {member.id: member.hours for member in members}
    cells = _cells(pool, made)
    read = [(name, tick) for name, tick in cells if tick in hours.get(name, {})]
    covered = len(read) / len(cells) if cells else 0.0
    moves = sum(move.units > 0 for move in made.moves)
    if covered < ENOUGH:
        why = _SILENT.format(share=f"{covered:.0%}") if cells else _LATE
        return _unknown(at, why, carried_out, moves, covered, ())
    actual = sum(hours[name][tick].shortage for name, tick in read)
    against = [*_by_forecast(made, read), *_by_weeks(pool, read, hours, others)]
    if not against:
        weeks = len(_sums(pool, read, hours, others))
        return _unknown(at, _YOUNG.format(weeks=weeks), carried_out, moves, covered, (), actual)
    return _judged(pool, at, actual, tuple(against), carried_out, moves, covered)


def _cells(pool: Pool, made: Suggestion) -> list[Cell]:
    """Return (member, tick) of the steps in which the moves could be felt."""
    first = to_us(max(made.start, made.decided_at or made.start))
    begins = -(-first // pool.step_us) * pool.step_us
    return [
        (name, tick)
        for name in made.touched
        for tick in range(to_us(made.start), to_us(made.end), pool.step_us)
        if tick >= begins
    ]


def _by_forecast(made: Suggestion, cells: Sequence[Cell]) -> list[Against]:
    if any(made.basis.get(name) != "forecast" for name in made.touched):
        return []
    expected = {(name, to_us(one.at)): one for name, some in made.expected.items() for one in some}
    limits = made.limits
    sums = [
        limits.hours
        * sum(
            shortage_of(getattr(one, which), one.capacity, limits.reserve)
            for cell in cells
            if (one := expected.get(cell)) is not None
        )
        for which in ("low", "median", "high")
    ]
    middle = sum(weight * one for weight, one in zip(SCENARIOS, sums, strict=True))
    return [Against(way="forecast", expected=middle, low=sums[0], high=sums[2])]


def _by_weeks(
    pool: Pool,
    cells: Sequence[Cell],
    hours: Mapping[str, Mapping[int, Hour]],
    others: Sequence[Window],
) -> list[Against]:
    """Return what the same hours of earlier weeks say: their mean, and where another such week "
    "would lie."""
    sums = _sums(pool, cells, hours, others)
    if len(sums) < LEAST:
        return []
    n = len(sums)
    middle, spread = float(np.mean(sums)), float(np.std(sums, ddof=1))
    reach = _STUDENT_90[min(n - 1, 7)] * spread * math.sqrt(1 + 1 / n)
    low, high = max(0.0, middle - reach), middle + reach
    return [Against(way="same_hours", expected=middle, low=low, high=high, weeks=n)]


def _sums(
    pool: Pool,
    cells: Sequence[Cell],
    hours: Mapping[str, Mapping[int, Hour]],
    others: Sequence[Window],
) -> list[float]:
    """Return the shortage of the same cells in each earlier week that can be compared."""
    season_us = int(pool.spec.season.total_seconds() * 1_000_000)
    sums = []
    for back in range(1, WEEKS + 1):
        then = [(name, tick - back * season_us) for name, tick in cells]
        found = [hours[name][tick] for name, tick in then if tick in hours.get(name, {})]
        moved = any(_was_moved(tick, others) for _, tick in then)
        if moved or len(found) < ENOUGH * len(cells):
            continue
        scale = len(cells) / len(found)
        sums.append(scale * sum(hour.shortage for hour in found))
    return sums


def _was_moved(tick: int, windows: Sequence[Window]) -> bool:
    return any(start <= from_us(tick) < end for start, end in windows)


def _judged(
    pool: Pool,
    at: datetime,
    actual: float,
    against: tuple[Against, ...],
    carried_out: int,
    moves: int,
    covered: float,
) -> Effect:
    first = against[0]
    low, high = first.low - actual, first.high - actual
    verdict: Verdict = "less" if low > 1e-9 else "more" if high < -1e-9 else "not_shown"
    if carried_out == 0:
        verdict = "not_carried_out"
    facts = {
        "actual": short_number(actual),
        "expected": short_number(first.expected),
        "low": short_number(first.low),
        "high": short_number(first.high),
        "saved": short_number(first.expected - actual),
    }
    unit = pool.spec.unit
    text = _SENTENCES[verdict]
    zh, en = text.zh.format(unit=unit.zh, **facts), text.en.format(unit=unit.en, **facts)
    if 0 < carried_out < moves:
        partly = _PARTLY.format(moves=moves, done=carried_out)
        zh, en = zh + partly.zh, f"{en} {partly.en}"
    return Effect(
        measured_at=at,
        verdict=verdict,
        actual=actual,
        saved=first.expected - actual,
        low=low,
        high=high,
        against=against,
        carried_out=carried_out,
        moves=moves,
        covered=covered,
        sentence=Text(zh=zh, en=en),
    )


def _unknown(
    at: datetime,
    why: Text,
    carried_out: int,
    moves: int,
    covered: float,
    against: tuple[Against, ...],
    actual: float | None = None,
) -> Effect:
    text = _SENTENCES["not_measurable"]
    return Effect(
        measured_at=at,
        verdict="not_measurable",
        actual=actual,
        saved=None,
        low=None,
        high=None,
        against=against,
        carried_out=carried_out,
        moves=moves,
        covered=covered,
        sentence=Text(zh=text.zh.format(why=why.zh), en=text.en.format(why=why.en)),
    )
