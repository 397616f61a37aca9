"""View models of the list of incidents, of the room of one, and of the week's review."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from chengmai.kernel.ids import urn
from chengmai.web.cockpit.cases.lines import CaseLine, case_line
from chengmai.web.cockpit.cases.view import LogItem
from chengmai.web.cockpit.formats import NO_VALUE, Formats
from chengmai.web.cockpit.incidents.shown import (
    AHEAD,
    AlarmReview,
    IncidentDetail,
    IncidentFilter,
    IncidentList,
    IncidentMember,
    IncidentRow,
)
from chengmai.web.cockpit.svg.chart import chart
from chengmai.web.cockpit.svg.plot import ChartData, Frame
from chengmai.web.cockpit.views import Level, LogLine
from chengmai.web.cockpit.visit import link

CURVE = Frame(350, 170, left=42, right=6, top=24)
PAGE = 50


@dataclass(frozen=True)
class IncidentLine:
    """An incident, ready to be laid out."""

    href: str
    number: str
    title: str
    nature: str
    nature_word: str
    state: str
    level: Level
    areas: str
    since: str
    age: str
    ended: str
    count: str
    is_expected: bool
    version: int
    reason: str


@dataclass(frozen=True)
class MemberView:
    """One alarm of the room: its words, its curve, and what is expected of it."""

    id: str
    href: str
    title: str
    area: str
    role: str
    level: Level
    kind: str
    since: str
    over: str
    reason: str
    times: str
    value: str
    curve: Markup | None
    ahead: tuple[tuple[str, str, str], ...]
    expected: str
    case_href: str | None


@dataclass(frozen=True)
class ChoiceView:
    step: str
    label: str
    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RoomView:
    line: IncidentLine
    because: tuple[str, ...]
    members: tuple[MemberView, ...]
    log: tuple[LogItem, ...]
    cases: tuple[CaseLine, ...]
    nearby: tuple[CaseLine, ...]
    choices: tuple[ChoiceView, ...]
    others: tuple[tuple[str, str], ...]
    undo: str
    may_note: bool
    merged_href: str | None
    action: str


@dataclass(frozen=True)
class IncidentListView:
    lines: tuple[IncidentLine, ...]
    total: int
    first: int
    states: tuple[tuple[str, str], ...]
    filter: IncidentFilter
    previous: int | None
    next: int | None


def incident_line(row: IncidentRow, formats: Formats) -> IncidentLine:
    """Return the line of an incident."""
    words = formats.words
    return IncidentLine(
        href=link("incidents", row.id),
        number=row.number,
        title=words.pick(row.title),
        nature=row.nature,
        nature_word=words(f"incident.nature.{row.nature}"),
        state=words.pick(row.state_label),
        level=row.level,
        areas=words("incident.and").join(row.areas[:3]) + ("…" if len(row.areas) > 3 else ""),
        since=formats.near(row.since),
        age=formats.age(row.since),
        ended=formats.near(row.ended_at) if row.ended_at else "",
        count=words("incident.count", standing=row.standing, members=row.members),
        is_expected=row.is_expected,
        version=row.version,
        reason=words.pick(row.reason),
    )


def list_view(found: IncidentList, asked: IncidentFilter, formats: Formats) -> IncidentListView:
    """Return one page of the list."""
    first, shown = asked.offset, len(found.rows)
    return IncidentListView(
        lines=tuple(incident_line(row, formats) for row in found.rows),
        total=found.total,
        first=first,
        states=tuple((name, formats.words.pick(words)) for name, words in found.states),
        filter=asked,
        previous=max(0, first - PAGE) if first else None,
        next=first + PAGE if first + shown < found.total else None,
    )


def room_view(incident: IncidentDetail, formats: Formats) -> RoomView:
    """Return everything the room shows; the timeline newest first."""
    words = formats.words
    return RoomView(
        line=incident_line(incident.row, formats),
        because=tuple(words.pick(one) for one in incident.because),
        members=tuple(member_view(one, formats) for one in incident.members),
        log=tuple(_item(one, formats) for one in reversed(incident.log)),
        cases=tuple(case_line(one, formats) for one in incident.cases),
        nearby=tuple(case_line(one, formats) for one in incident.nearby),
        choices=tuple(
            ChoiceView(
                one.step,
                words.pick(one.label),
                tuple((code, words.pick(reason)) for code, reason in one.reasons),
            )
            for one in incident.choices
        ),
        others=tuple((i, f"{number} {words.pick(title)}") for i, number, title in incident.others),
        undo=words.pick(incident.undo) if incident.undo else "",
        may_note=incident.may_note,
        merged_href=link("incidents", incident.merged_into) if incident.merged_into else None,
        action=link("incidents", incident.row.id, "decisions"),
    )


def member_view(member: IncidentMember, formats: Formats) -> MemberView:
    """Return a member with its curve and its two hours ahead."""
    words, card = formats.words, member.card
    unit = card.unit if card else ""
    decimals = card.decimals if card else 1
    return MemberView(
        id=member.vital_id,
        href=link(*_page_of(member.vital_id)),
        title=words.pick(member.title),
        area=member.area,
        role=words(f"incident.role.{member.role}"),
        level=card.level if card else member.level,
        kind="" if member.kind == "real" else words(f"incident.kind.{member.kind}"),
        since=formats.near(member.since),
        over=formats.near(member.until) if member.until else "",
        reason=words.pick(member.reason),
        times=words("incident.times", n=member.times) if member.times > 1 else "",
        value=formats.quantity(card.value, unit, decimals) if card else NO_VALUE,
        curve=_curve(member, formats),
        ahead=tuple(
            (
                formats.near(p.at),
                formats.quantity(p.median, unit, decimals),
                words(
                    "range.from_to",
                    low=formats.number(p.low, decimals),
                    high=formats.number(p.high, decimals),
                ),
            )
            for p in member.ahead
        ),
        expected=_expected(member, formats),
        case_href=link("cases", member.case_id) if member.case_id else None,
    )


def _curve(member: IncidentMember, formats: Formats) -> Markup | None:
    if member.card is None or member.history is None:
        return None
    history = member.history
    end = max([formats.now + AHEAD, *(p.at for p in member.ahead)])
    data = ChartData(
        start=history.start,
        end=end,
        now=formats.now,
        points=history.points,
        baseline=history.baseline,
        forecast=member.ahead,
    )
    described = f"{formats.words.pick(member.title)}: {formats.words.pick(member.reason)}"
    return chart(data, CURVE, formats, member.card.unit, described)


def _expected(member: IncidentMember, formats: Formats) -> str:
    words, card = formats.words, member.card
    if card is None:
        return ""
    if member.ahead:
        last = member.ahead[-1]
        return words(
            "summary.ahead",
            at=formats.near(last.at),
            median=formats.quantity(last.median, card.unit, card.decimals),
            low=formats.number(last.low, card.decimals),
            high=formats.number(last.high, card.decimals),
            share=formats.percent(member.interval),
        )
    if card.expected_low is None or card.expected_high is None:
        return words("incident.nothing_ahead")
    return words(
        "incident.only_usual",
        low=formats.number(card.expected_low, card.decimals),
        high=formats.quantity(card.expected_high, card.unit, card.decimals),
    )


def _item(line: LogLine, formats: Formats) -> LogItem:
    words = formats.words
    return LogItem(
        at=formats.instant(line.at),
        label=words.pick(line.label),
        by=words("log.platform") if line.automatic else line.by,
        note="",
        detail=words.pick(line.detail) if line.detail else "",
        automatic=line.automatic,
    )


def review_rows(review: AlarmReview, formats: Formats) -> tuple[tuple[str, str], ...]:
    """Return the figures of the week with their names."""
    words, number = formats.words, formats.number
    folded = review.alarms / review.incidents if review.incidents else None
    return (
        (words("review.alarms"), number(review.alarms)),
        (words("review.incidents"), number(review.incidents)),
        (words("review.folded"), number(folded, 1)),
        (words("review.shown"), number(review.shown)),
        (words("review.act"), number(review.act_shown)),
        (words("review.held"), number(review.held)),
        (words("review.held_now"), number(review.held_now)),
        (words("review.hours"), number(review.person_hours)),
        (words("review.mean"), number(review.mean, 1)),
        (words("review.most"), number(review.most)),
        (
            words("review.above", n=review.acceptable),
            formats.percent(review.above_acceptable) if review.person_hours else NO_VALUE,
        ),
        (
            words("review.above", n=review.manageable),
            formats.percent(review.above_manageable) if review.person_hours else NO_VALUE,
        ),
    )


def _page_of(member_id: str) -> tuple[str, ...]:
    is_firing = member_id.startswith(f"{urn('RuleFiring')}:")
    return ("rules", "firings", member_id) if is_firing else ("vitals", member_id)
