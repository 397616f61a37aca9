"""View models of changing thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from chengmai.kernel.instants import from_us
from chengmai.vitals.bands import bound_of
from chengmai.vitals.thresholds.model import Change, ChangeState
from chengmai.vitals.thresholds.trying import Tally, Trial
from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.reviewing import ChangeLine
from chengmai.web.cockpit.views import VitalDetail
from chengmai.web.cockpit.vitals.view import BandLine, band_line


@dataclass(frozen=True)
class TallyRow:
    name: str
    without: tuple[str, ...]
    with_it: tuple[str, ...]


@dataclass(frozen=True)
class TrialView:
    """What a change would have meant: normal, watch, act, unknown in hours, and cases."""

    how: str
    total: TallyRow
    areas: tuple[TallyRow, ...]


@dataclass(frozen=True)
class ChangeRow:
    id: str
    href: str
    title: str
    sign: str
    threshold: str
    to: str
    clear: str
    from_on: str
    state: str
    state_word: str
    reason: str
    who: str
    decided: str
    decision: str
    may_decide: bool
    may_withdraw: bool
    is_waiting: bool
    is_filed: bool


@dataclass(frozen=True)
class ProposeView:
    id: str
    title: str
    area: str
    pack: str
    pack_id: str
    unit: str
    bands: tuple[BandLine, ...]
    choices: tuple[tuple[str, str], ...]
    asked: Mapping[str, str]
    first_day: str
    trial: TrialView | None
    may_propose: bool


@dataclass(frozen=True)
class ChangePage:
    row: ChangeRow
    trial: TrialView | None


def change_row(line: ChangeLine, formats: Formats) -> ChangeRow:
    """Return a change as a line."""
    words, change = formats.words, line.change
    decided = ""
    if change.decided_at is not None:
        decided = f"{change.decided_by_name}, {formats.instant(change.decided_at)}"
    filed = not change.proposed_by
    return ChangeRow(
        id=change.id,
        href="" if filed else f"/thresholds/{change.id}",
        title=words.pick(line.title),
        sign=change.sign,
        threshold=threshold_words(change.key.name, formats),
        to=words("thr.pack_value")
        if change.value is None
        else formats.quantity(change.value, line.unit, line.decimals),
        clear=formats.number(change.clear, line.decimals) if change.clear is not None else "",
        from_on=formats.day(change.from_on),
        state=change.state.value,
        state_word=words(f"thr.state.{change.state.value}"),
        reason=change.reason,
        who=words("thr.file") if filed else change.proposed_by_name,
        decided=decided,
        decision=change.decision,
        may_decide=line.may_decide,
        may_withdraw=line.may_withdraw,
        is_waiting=change.state is ChangeState.PROPOSED,
        is_filed=filed,
    )


def threshold_words(name: str, formats: Formats) -> str:
    """Return `watch, above` or `act, below, red`."""
    level, side, *grade = name.split("-")
    words = [formats.words(f"level.{level}"), formats.words(f"thr.side.{side}")]
    if grade:
        words.append(formats.words(f"grade.{grade[0]}"))
    return " · ".join(words)


def trial_view(trial: Trial, on: date, formats: Formats) -> TrialView:
    """Return a trial in hours and cases, all areas together and each."""
    words = formats.words
    if not trial.areas:
        how = words("thr.trial_empty")
    else:
        how = words(
            "thr.trial_how",
            day=formats.day(on),
            since=formats.instant(from_us(min(area.since_us for area in trial.areas))),
            until=formats.instant(from_us(max(area.until_us for area in trial.areas))),
            ticks=formats.number(sum(area.ticks for area in trial.areas)),
            areas=len(trial.areas),
        )
    return TrialView(
        how,
        TallyRow("", _figures(trial.now, formats), _figures(trial.then, formats)),
        tuple(
            TallyRow(area.area, _figures(area.now, formats), _figures(area.then, formats))
            for area in trial.areas
        ),
    )


def propose_view(
    vital: VitalDetail,
    free: Mapping[str, Any],
    asked: Mapping[str, str],
    trial: TrialView | None,
    formats: Formats,
    *,
    may_propose: bool,
) -> ProposeView:
    """Return the page of a sign on which a change is tried and proposed."""
    card = vital.card
    tomorrow = formats.local(formats.now).date() + timedelta(days=1)
    return ProposeView(
        id=card.id,
        title=formats.words.pick(card.title),
        area=card.area,
        pack=formats.words.pick(card.pack_title),
        pack_id=card.pack,
        unit=card.unit,
        bands=tuple(band_line(band, vital, formats) for band in vital.bands),
        choices=tuple(
            (
                name,
                " ".join(
                    (
                        threshold_words(name, formats),
                        formats.quantity(bound_of(band), card.unit, card.decimals),
                    )
                ),
            )
            for name, band in free.items()
        ),
        asked={"from": tomorrow.isoformat(), "value": "", "clear": "", "reason": ""}
        | {"threshold": next(iter(free), "")}
        | {key: text for key, text in asked.items() if text},
        first_day=tomorrow.isoformat(),
        trial=trial,
        may_propose=may_propose,
    )


def change_page(line: ChangeLine, formats: Formats) -> ChangePage:
    """Return one change with the trial that was kept with it."""
    change: Change = line.change
    trial = Trial.from_json(change.trial) if change.trial else None
    return ChangePage(
        change_row(line, formats),
        trial_view(trial, change.from_on, formats) if trial else None,
    )


def rows(lines: Sequence[ChangeLine], formats: Formats) -> tuple[ChangeRow, ...]:
    """Return all changes as lines."""
    return tuple(change_row(line, formats) for line in lines)


def _figures(tally: Tally, formats: Formats) -> tuple[str, ...]:
    hours = (tally.normal, tally.watch, tally.act, tally.unknown)
    return (*(formats.number(one, 1) for one in hours), formats.number(tally.cases))
