"""What happened meanwhile: marks on the curve of a sign. Pure but for reading entities that it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from chengmai.kernel.instants import from_us, parse_instant
from chengmai.kernel.problems import Problem
from chengmai.kernel.texts import Text
from chengmai.ngsild.entity import Entity, value_of
from chengmai.packs.model import VitalSpec
from chengmai.vitals.bands import bound_of
from chengmai.vitals.model import LEVEL_WORDS
from chengmai.vitals.words import source_of, symbol_of

MarkKind = Literal["case", "incident", "gap", "feed", "threshold", "note"]
_FEED_WORDS = {
    "late": Text(zh="数据源“{name}”迟到", en="feed {name} is late"),
    "silent": Text(zh="数据源“{name}”静默", en="feed {name} is silent"),
    "failed": Text(zh="数据源“{name}”失败", en="feed {name} failed"),
}
MOST_MARKS = 200


@dataclass(frozen=True)
class Mark:
    """Something that happened at `at` (until `until`); `ref` names what is behind it, `by` who told it."""

    kind: MarkKind
    at: datetime
    text: Text
    until: datetime | None = None
    by: str = ""
    ref: str = ""


def of_cases(cases: Iterable[Entity], vital_id: str) -> list[Mark]:
    """Return a mark for each case about the sign."""
    return [
        Mark("case", at, _named(case, "case", "案件"), ref=case["id"])
        for case in cases
        if value_of(case, "refVital") == vital_id and (at := _instant(case, "openedAt"))
    ]


def of_incidents(incidents: Iterable[Entity], vital_id: str, area: str) -> list[Mark]:
    """Return a mark for each incident that the sign is part of, or that happened in its area."""
    found = []
    for one in incidents:
        members = [target.get("object") for target in value_of(one, "hasMember") or []]
        is_near = vital_id in members or area in (value_of(one, "areasServed") or [])
        if is_near and (at := _instant(one, "since")):
            ended = _instant(one, "endedAt")
            named = _named(one, "incident", "事件")
            found.append(Mark("incident", at, named, until=ended, ref=one["id"]))
    return found


def of_gaps(points: Sequence[tuple[int, float]], spec: VitalSpec) -> list[Mark]:
    """Return a mark for each stretch without values that is longer than the sign may be silent."""
    limit = spec.step + spec.stale_after
    marks = []
    for (before, _), (after, _) in pairwise(points):
        silent = timedelta(microseconds=after - before)
        if silent > limit:
            hours = f"{silent / timedelta(hours=1):.1f}"
            text = Text(zh=f"{hours} 小时没有数值", en=f"no values for {hours} h")
            begin = from_us(before) + spec.step
            marks.append(Mark("gap", begin, text, until=from_us(after)))
    return marks


def of_feed(feed: Entity, states: Sequence[tuple[datetime, str]]) -> list[Mark]:
    """Return a mark for each time that a feed went late, silent or failed, until it was live again."""
    name: Mapping[str, str] = value_of(feed, "name") or {}
    both = Text(zh=name.get("zh") or feed["id"], en=name.get("en") or feed["id"])
    marks: list[Mark] = []
    for at, state in states:
        if marks and marks[-1].until is None:
            marks[-1] = _ended(marks[-1], at)
        words = _FEED_WORDS.get(state)
        if words is not None:
            text = Text(zh=words.zh.format(name=both.zh), en=words.en.format(name=both.en))
            marks.append(Mark("feed", at, text, ref=feed["id"]))
    return marks


def of_thresholds(spec: VitalSpec, start: datetime, midnight: Any) -> list[Mark]:
    """Return a mark for each threshold that comes into force; `midnight` turns a day into an instant."""
    marks = []
    for band in spec.bands:
        if band.from_ is None:
            continue
        side = "<" if band.below is not None else ">"
        bound, source = f"{side} {bound_of(band):g} {symbol_of(spec)}", source_of(band)
        level = LEVEL_WORDS[band.level]
        text = Text(
            zh=f"阈值生效：{level.zh} {bound}（{source.zh}）",
            en=f"threshold in force: {level.en} {bound} ({source.en})",
        )
        marks.append(Mark("threshold", midnight(band.from_), text))
    return [mark for mark in marks if mark.at >= start]


def of_notes(notes: Iterable[Entity], vital_id: str) -> list[Mark]:
    """Return a mark for each note that a person wrote about the sign."""
    marks = []
    for note in notes:
        at, words = _instant(note, "notedFor"), value_of(note, "noteText")
        if value_of(note, "refVital") == vital_id and at and isinstance(words, str) and words:
            by = str(value_of(note, "author") or "")
            marks.append(Mark("note", at, Text(zh=words, en=words), by=by, ref=note["id"]))
    return marks


def within(marks: Iterable[Mark], start: datetime, end: datetime) -> tuple[Mark, ...]:
    """Return the marks that touch [start, end), oldest first, the newest `MOST_MARKS` of them."""
    found = [mark for mark in marks if mark.at < end and (mark.until or mark.at) >= start]
    return tuple(sorted(found, key=lambda mark: (mark.at, mark.kind, mark.ref))[-MOST_MARKS:])


def _ended(mark: Mark, at: datetime) -> Mark:
    return Mark(mark.kind, mark.at, mark.text, until=at, by=mark.by, ref=mark.ref)


def _named(found: Entity, en: str, zh: str) -> Text:
    name: Mapping[str, str] = value_of(found, "name") or {}
    number = value_of(found, "caseNumber") or value_of(found, "incidentNumber") or ""
    words = Text(zh=name.get("zh") or found["id"], en=name.get("en") or found["id"])
    return Text(zh=f"{zh} {number} {words.zh}".strip(), en=f"{en} {number} {words.en}".strip())


def _instant(found: Entity, term: str) -> datetime | None:
    text = value_of(found, term)
    if not isinstance(text, str) or not text:
        return None
    try:
        return parse_instant(text)
    except Problem:
        return None
