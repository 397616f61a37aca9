"""Why a sign stands where it stands, in one sentence with its numbers. Pure."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from chengmai.kernel.instants import from_us
from chengmai.kernel.texts import Text
from chengmai.kernel.units import UNITS
from chengmai.packs.model import Band, VitalSpec
from chengmai.vitals.bands import Verdict, bound_of, clear_of, nearest, side_of
from chengmai.vitals.model import GRADE_WORDS, LEVEL_WORDS, Standing
from chengmai.vitals.rules import Rule

UNVERIFIED = Text(zh="待核验", en="to be verified")
_SIDE = {"above": Text(zh="高于", en="above"), "below": Text(zh="低于", en="below")}
_REACHED = {
    "above": Text(zh="达到", en="at or above"),
    "below": Text(zh="不高于", en="at or below"),
}


def is_verified(band: Band) -> bool:
    """Return whether the threshold needs no mark: M (from memory) and C (a city's choice) do."""
    return band.trust not in ("M", "C")


def symbol_of(spec: VitalSpec) -> str:
    """Return the symbol of the sign's unit, its code when there is none on record."""
    return UNITS[spec.unit].symbol if spec.unit in UNITS else spec.unit


def name_of(band: Band) -> Text:
    """Return what a threshold is called: its level, and its colour where it has one."""
    level = LEVEL_WORDS[band.level]
    if band.grade is None:
        return level
    colour = GRADE_WORDS[band.grade]
    return Text(zh=f"{colour.zh}（{level.zh}）", en=f"{colour.en} ({level.en})")


def source_of(band: Band) -> Text:
    """Return where a threshold comes from, since when it holds, and the mark when it is not verified."""
    zh, en = band.source.zh, band.source.en
    if band.from_ is not None:
        zh, en = f"{zh}，{band.from_} 起施行", f"{en}, in force from {band.from_}"
    if band.until is not None:
        zh, en = f"{zh}，至 {band.until}", f"{en}, until {band.until}"
    if not is_verified(band):
        zh, en = f"{zh}，{UNVERIFIED.zh}", f"{en}, {UNVERIFIED.en}"
    return Text(zh=zh, en=en)


def reason(spec: VitalSpec, rule: Rule, tick_us: int, value: float, standing: Standing) -> Text:
    """Return why the sign stands at its level after a tick with this value."""
    told = _figure(value, spec.decimals, symbol_of(spec))
    verdict = rule.verdict(tick_us, value, standing)
    if standing.level == "normal":
        return _normal(spec, rule, tick_us, value, standing, told, verdict)
    band = _deciding(rule, tick_us, standing, verdict)
    if band is None:
        level = LEVEL_WORDS[standing.level]
        return Text(
            zh=f"{told}，已低于各阈值，{_falling_zh(spec, standing)}，级别仍为{level.zh}。",
            en=f"{told} is within all thresholds, {_falling_en(spec, standing)}; still {level.en}.",
        )
    return _abnormal(spec, told, standing, band, verdict)


def silence(spec: VitalSpec, last_us: int | None, zone: ZoneInfo) -> Text:
    """Return why the sign is unknown: since when nothing came, and how long it may take."""
    limit_zh, limit_en = _length(spec.stale_after)
    if last_us is None:
        return Text(
            zh=f"超过 {limit_zh} 没有读数。没有数据不等于正常。",
            en=f"No reading for more than {limit_en}. No data does not mean normal.",
        )
    at = from_us(last_us).astimezone(zone).strftime("%Y-%m-%d %H:%M")
    return Text(
        zh=f"自 {at} 起没有读数，超过 {limit_zh} 的时限。没有数据不等于正常。",
        en=f"No reading since {at}, longer than the limit of {limit_en}. "
        "No data does not mean normal.",
    )


def foretold(spec: VitalSpec, band: Band, at_us: int, value: float, zone: ZoneInfo) -> Text:
    """Return the sentence of a crossing that is expected and has not come."""
    at = from_us(at_us).astimezone(zone).strftime("%Y-%m-%d %H:%M")
    told, symbol = _figure(value, spec.decimals, symbol_of(spec)), symbol_of(spec)
    side, level, source = _side(band), name_of(band), source_of(band)
    bound = _join(f"{bound_of(band):g}", symbol)
    return Text(
        zh=f"预计 {at} 达到 {told}，{side.zh}{level.zh}阈值 {bound}（{source.zh}）。",
        en=f"Expected to reach {told} at {at}, {side.en} the {level.en} threshold of {bound} "
        f"({source.en}).",
    )


def _side(band: Band) -> Text:
    return (_REACHED if band.inclusive else _SIDE)[side_of(band)]


def _abnormal(spec: VitalSpec, told: str, standing: Standing, band: Band, verdict: Verdict) -> Text:
    symbol, level = symbol_of(spec), name_of(band)
    side, source = _side(band), source_of(band)
    bound = _join(f"{bound_of(band):g}", symbol)
    if standing.falling:
        return Text(
            zh=f"{told}，已回到{level.zh}阈值 {bound} 以内，{_falling_zh(spec, standing)}"
            f"（{source.zh}）。",
            en=f"{told} is back within the {level.en} threshold of {bound}, "
            f"{_falling_en(spec, standing)} ({source.en}).",
        )
    if verdict.held:
        clear = _join(f"{clear_of(band):g}", symbol)
        return Text(
            zh=f"{told}，已回到{level.zh}阈值 {bound} 以内，但未越过解除值 {clear}，级别保持"
            f"（{source.zh}）。",
            en=f"{told} is back within the {level.en} threshold of {bound} but not past {clear}, "
            f"where it ends ({source.en}).",
        )
    return Text(
        zh=f"{told}，{side.zh}{level.zh}阈值 {bound}（{source.zh}）。",
        en=f"{told} is {side.en} the {level.en} threshold of {bound} ({source.en}).",
    )


def _normal(
    spec: VitalSpec,
    rule: Rule,
    tick_us: int,
    value: float,
    standing: Standing,
    told: str,
    verdict: Verdict,
) -> Text:
    band = verdict.band or nearest(value, rule.in_force(tick_us))
    if band is None:
        return Text(
            zh=f"{told}，该日没有生效的阈值。", en=f"{told}; no threshold was in force on that day."
        )
    side, level, source = _side(band), name_of(band), source_of(band)
    bound = _join(f"{bound_of(band):g}", symbol_of(spec))
    if standing.rising:
        so_far = f"{standing.rising}/{spec.raise_after}"
        return Text(
            zh=f"{told}，{side.zh}{level.zh}阈值 {bound}，已连续 {so_far} 个时刻（{source.zh}）。",
            en=f"{told} is {side.en} the {level.en} threshold of {bound} for {so_far} steps in a row "
            f"({source.en}).",
        )
    return Text(
        zh=f"{told}，在限值以内；{side.zh} {bound} 为{level.zh}（{source.zh}）。",
        en=f"{told} is within limits; {level.en} is {side.en} {bound} ({source.en}).",
    )


def _deciding(rule: Rule, tick_us: int, standing: Standing, verdict: Verdict) -> Band | None:
    """Return the band the level rests on: the one that decides, else the one of that level and side."""
    if verdict.band is not None and verdict.level == standing.level:
        return verdict.band
    for band in rule.in_force(tick_us):
        if band.level == standing.level and side_of(band) == standing.side:
            return band
    return None


def _falling_zh(spec: VitalSpec, standing: Standing) -> str:
    return f"已连续 {standing.falling}/{spec.clear_after} 个时刻恢复"


def _falling_en(spec: VitalSpec, standing: Standing) -> str:
    return f"for {standing.falling} of {spec.clear_after} steps in a row"


def _figure(value: float, decimals: int, symbol: str) -> str:
    return _join(f"{value:.{decimals}f}", symbol)


def _join(number: str, symbol: str) -> str:
    return f"{number} {symbol}".strip() if symbol != "%" else f"{number}%"


def _length(length: timedelta) -> tuple[str, str]:
    minutes = int(length.total_seconds() // 60)
    for size, zh, en in ((1440, "天", "d"), (60, "小时", "h")):
        if minutes >= size and minutes % size == 0:
            return f"{minutes // size} {zh}", f"{minutes // size} {en}"
    return f"{minutes} 分钟", f"{minutes} min"
