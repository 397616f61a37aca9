"""A case as one line, in the queue of the desk and in the list."""

from __future__ import annotations

from dataclasses import dataclass

from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.views import CaseRow, Level, Light
from chengmai.web.cockpit.visit import link


@dataclass(frozen=True)
class StepButton:
    """A step as a button; one that needs a reason leads to the form on the case's page instead."""

    step: str
    label: str
    target: str
    needs_note: bool
    action: str


@dataclass(frozen=True)
class CaseLine:
    """A case, ready to be laid out. `proposal` is the whole sentence of what is proposed."""

    href: str
    number: str
    title: str
    reason: str
    category: str
    state: str
    kind: str
    kind_word: str
    level: Level
    area: str
    unit: str
    age: str
    opened: str
    due: str
    due_at: str
    light: Light
    light_word: str
    recovered: bool
    version: int
    step: StepButton | None
    proposal: str


def case_line(row: CaseRow, formats: Formats) -> CaseLine:
    """Return the line of a case."""
    words = formats.words
    overdue = row.due_at is not None and row.due_at < formats.now
    light: Light = "red" if overdue else row.light
    step = None
    if row.next_step is not None:
        choice = row.next_step
        step = StepButton(
            step=choice.step,
            label=words.pick(choice.label),
            target=words.pick(choice.target) if choice.target else "",
            needs_note=choice.needs_note,
            action=link("cases", row.id, "steps"),
        )
    return CaseLine(
        href=link("cases", row.id),
        number=row.number,
        title=words.pick(row.title),
        reason=words.pick(row.reason) if row.reason else "",
        category=words.pick(row.category),
        state=words.pick(row.state_label),
        kind=row.kind,
        kind_word=words(f"kind.{row.kind}"),
        level=row.level,
        area=row.area,
        unit=words.pick(row.unit) if row.unit else "",
        age=formats.age(row.opened_at),
        opened=formats.instant(row.opened_at),
        due="" if row.closed else formats.remaining(row.due_at),
        due_at=formats.near(row.due_at) if row.due_at else "",
        light=light,
        light_word=words(f"light.{light}"),
        recovered=row.recovered,
        version=row.version,
        step=step,
        proposal=_proposal(step, formats),
    )


def _proposal(step: StepButton | None, formats: Formats) -> str:
    if step is None:
        return ""
    if step.target:
        return formats.words("queue.proposal_to", step=step.label, target=step.target)
    return formats.words("queue.proposal", step=step.label)
