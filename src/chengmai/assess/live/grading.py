"""From what a calculation found to the indicator: value, period, and a grade of the data behind it."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from chengmai.assess.catalogue import Indicator
from chengmai.assess.live.model import DAYS, Definition, Grade, Live, Measured, Period, Quality
from chengmai.kernel.instants import format_instant, format_us, from_us, to_us
from chengmai.kernel.texts import Text

_SHOWN = 1000
_GRADES: tuple[tuple[float, Grade], ...] = ((0.95, "A"), (0.8, "B"), (0.5, "C"))
RULE = Text(
    zh="完整（贡献数据的实体÷已知实体）、及时（按时更新的实体÷贡献数据的实体）、覆盖（有数据的时段÷统计时段）三者取最小："
    "≥95 % 为 A，≥80 % 为 B，≥50 % 为 C，其余为 D。",
    en="The least of complete (entities with data, of those known), timely (of these, those up to date) and"
    " covered (the part of the period with data): A from 95 %, B from 80 %, C from 50 %, D below.",
)
NO_DENOMINATOR = Text(
    zh="分母为 0：还没有可统计的数据，既不是 0 也不是 100。",
    en="Nothing to divide by: there is nothing to count yet, which is neither 0 nor 100.",
)


def start_of(period: Period, now: datetime, zone: ZoneInfo) -> datetime:
    """Return when a period began: whole days of the city, or the year."""
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "year":
        return midnight.replace(month=1, day=1)
    local = midnight.replace(tzinfo=None) - timedelta(days=DAYS.get(period, 0))
    return local.replace(tzinfo=zone)


def quality_of(found: Measured, start: datetime | None, now: datetime) -> Quality:
    """Return how good the data are; without known entities (records of the platform itself) all are there."""
    complete = len(found.entities) / found.known if found.known else 1.0
    fresh = found.fresh / len(found.entities) if found.known and found.entities else 1.0
    covered = 1.0
    if start is not None and found.since_us is not None:
        whole = (now - start).total_seconds()
        covered = min(1.0, max(0.0, (now - from_us(found.since_us)).total_seconds() / whole))
        # What began within the first day is there from the beginning on.
        if from_us(found.since_us) - start <= min(timedelta(days=1), (now - start) / 20):
            covered = 1.0
    least = min(complete, fresh, covered)
    grade: Grade = next((grade for limit, grade in _GRADES if least >= limit), "D")
    return Quality(round(complete, 4), round(fresh, 4), round(covered, 4), grade)


def made(
    indicator: Indicator, definition: Definition, found: Measured, now: datetime, zone: ZoneInfo
) -> Live:
    """Return the indicator with its value; without a denominator there is none."""
    start = None if definition.period == "now" else start_of(definition.period, now, zone)
    ratio = _ratio(found.numerator, found.denominator)
    has_value = ratio is not None
    scale = definition.scale
    begun = None
    if start is not None:
        begun = max(start, from_us(found.since_us)) if found.since_us is not None else start
    return Live(
        indicator=indicator,
        state="computed" if has_value else "no_data",
        computed_at=format_instant(now),
        how=definition.how,
        approximates=definition.approximates,
        because=None if has_value else NO_DENOMINATOR,
        value=None if ratio is None else ratio * scale,
        numerator=found.numerator,
        denominator=found.denominator,
        period=(format_us(to_us(begun)), format_instant(now)) if begun else None,
        quality=quality_of(found, start, now) if has_value else None,
        entity_count=len(found.entities),
        entities=tuple(found.entities[:_SHOWN]),
        links=tuple(found.links),
        areas=tuple(
            (area, value * scale)
            for area, (up, down) in sorted(found.areas.items())
            if (value := _ratio(up, down)) is not None
        ),
        days=tuple(
            (from_us(tick).astimezone(zone).date(), value * scale)
            for tick, (up, down) in sorted(found.days.items())
            if (value := _ratio(up, down)) is not None
        ),
        parts=tuple(found.parts),
    )


def missing(
    indicator: Indicator, because: Text, now: datetime, definition: Definition | None = None
) -> Live:
    """Return an indicator without a value: not held, or held and not to be worked out."""
    return Live(
        indicator=indicator,
        state="not_held" if definition is None else "no_data",
        computed_at=format_instant(now),
        how=definition.how if definition else None,
        approximates=definition.approximates if definition else None,
        because=because,
    )


def _ratio(up: float, down: float | None) -> float | None:
    if down is None:
        return up
    return up / down if down else None
