"""View model of one case's page and of the list of cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from chengmai.web.cockpit.cases.lines import CaseLine, StepButton, case_line
from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.svg.citymap import city_map
from chengmai.web.cockpit.views import (
    AbnormalPlace,
    BaseMap,
    CaseDetail,
    CaseFilter,
    CaseList,
    LogLine,
)
from chengmai.web.cockpit.visit import link

LEVELS = ("act", "watch", "unknown")
PAGE = 50


@dataclass(frozen=True)
class LogItem:
    at: str
    label: str
    by: str
    note: str
    detail: str
    automatic: bool


@dataclass(frozen=True)
class CasePageView:
    line: CaseLine
    reason: str
    description: str
    steps: tuple[StepButton, ...]
    evidence: tuple[tuple[str, str, str], ...]
    checklist: tuple[str, ...]
    open_when: str
    close_when: str
    limit: str
    source: str
    unverified: bool
    log: tuple[LogItem, ...]
    vital_href: str | None
    firing_href: str | None
    map: Markup | None
    position: str


@dataclass(frozen=True)
class CaseListView:
    lines: tuple[CaseLine, ...]
    total: int
    first: int
    states: tuple[tuple[str, str], ...]
    filter: CaseFilter
    previous: int | None
    next: int | None


def page_view(
    case: CaseDetail, log: Sequence[LogLine], base: BaseMap, formats: Formats
) -> CasePageView:
    """Return everything the page shows; the log newest first."""
    words, row = formats.words, case.row
    action = link("cases", row.id, "steps")
    return CasePageView(
        line=case_line(row, formats),
        reason=words.pick(case.reason),
        description=case.description,
        steps=tuple(
            StepButton(
                step=choice.step,
                label=words.pick(choice.label),
                target=words.pick(choice.target) if choice.target else "",
                needs_note=choice.needs_note,
                action=action,
            )
            for choice in case.steps
        ),
        evidence=tuple(
            (formats.instant(e.at), formats.quantity(e.value, e.unit, case.decimals), e.note)
            for e in reversed(case.evidence)
        ),
        checklist=tuple(words.pick(item) for item in case.checklist),
        open_when=words.pick(case.open_when) if case.open_when else "",
        close_when=words.pick(case.close_when) if case.close_when else "",
        limit=words.pick(case.limit) if case.limit else "",
        source=words.pick(case.source) if case.source else "",
        unverified=case.trust in ("M", "C"),
        log=tuple(_log_item(line, formats) for line in reversed(log)),
        vital_href=link("vitals", row.vital_id) if row.vital_id else None,
        firing_href=link("rules", "firings", row.firing_id) if row.firing_id else None,
        map=_map(case, base, formats),
        position=_position(case),
    )


def _log_item(line: LogLine, formats: Formats) -> LogItem:
    words = formats.words
    return LogItem(
        at=formats.instant(line.at),
        label=words.pick(line.label),
        by=words("log.platform") if line.automatic else line.by,
        note=line.note,
        detail=words.pick(line.detail) if line.detail else "",
        automatic=line.automatic,
    )


def _map(case: CaseDetail, base: BaseMap, formats: Formats) -> Markup | None:
    row = case.row
    if row.position is None:
        return None
    place = AbnormalPlace("case", row.id, row.title, row.area, row.level, row.position)
    return city_map(base, [place], formats, lambda _: link("cases", row.id), 420, 240)


def _position(case: CaseDetail) -> str:
    if case.row.position is None:
        return ""
    longitude, latitude = case.row.position
    return f"{latitude:.5f}, {longitude:.5f}"


def list_view(cases: CaseList, asked: CaseFilter, formats: Formats) -> CaseListView:
    """Return one page of the list."""
    after = asked.offset + asked.limit
    return CaseListView(
        lines=tuple(case_line(row, formats) for row in cases.rows),
        total=cases.total,
        first=asked.offset,
        states=tuple((state, formats.words.pick(label)) for state, label in cases.states),
        filter=asked,
        previous=max(0, asked.offset - asked.limit) if asked.offset else None,
        next=after if after < cases.total else None,
    )
