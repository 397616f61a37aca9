"""What is counted of cases: conditions by name, over one line a case. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from chengmai.assess.live.model import Measured, OfCases


@dataclass(frozen=True)
class CaseFact:
    """What counts of a case that was reported in the period.

    `overdue` says that its present stage is past its deadline; `late_…` are about the last step of the kind,
    None where there was none.
    """

    id: str
    pack: str | None
    state: str
    by_person: bool
    reporter: str
    reported_us: int
    opened: bool
    overdue: bool
    late_dispatch: bool | None
    late_handling: bool | None
    late_verification: bool | None
    reworked: bool
    ever_late: bool


Condition = Callable[[CaseFact], bool]


def _is_due(case: CaseFact) -> bool:
    """Whether it should have been handled: it was, or it stands past a deadline unhandled."""
    if not case.opened or case.state == "rejected":
        return False
    return case.late_handling is not None or case.overdue


CONDITIONS: Mapping[str, Condition] = {
    "reported": lambda case: True,
    "opened": lambda case: case.opened,
    "reported_by_people": lambda case: case.by_person,
    "opened_of_people": lambda case: case.by_person and case.opened,
    "due": _is_due,
    "handled": lambda case: _is_due(case) and case.late_handling is not None,
    "handled_in_time": lambda case: _is_due(case) and case.late_handling is False,
    "reworked": lambda case: _is_due(case) and case.reworked,
    "waiting_overdue": lambda case: _is_due(case) and case.late_handling is None,
    "closed": lambda case: _is_due(case) and case.state == "closed",
    "closed_in_time": lambda case: _is_due(case) and case.state == "closed" and not case.ever_late,
    "to_dispatch": lambda case: (
        case.late_dispatch is not None or (case.state == "opened" and case.overdue)
    ),
    "dispatched_in_time": lambda case: case.late_dispatch is False,
    "to_verify": lambda case: (
        case.late_verification is not None or (case.state == "handled" and case.overdue)
    ),
    "verified_in_time": lambda case: case.late_verification is False,
}
"""By name. A case is due when it was opened and either handled or past the deadline of its stage."""


def of_cases(definition: OfCases, cases: Sequence[CaseFact], people: float | None) -> Measured:
    """Return how many cases meet the conditions; `people` is what stands in place of a denominator."""
    chosen = [one for one in cases if definition.pack is None or one.pack == definition.pack]
    if definition.numerator == "reporters":
        of = [one for one in chosen if one.by_person]
        up = float(len({one.reporter for one in of}))
    else:
        condition = CONDITIONS[definition.numerator]
        up = float(sum(condition(one) for one in chosen))
        of = [one for one in chosen if CONDITIONS[definition.denominator](one)]
    down = people if definition.people is not None else float(len(of))
    return Measured(
        up,
        down if down is not None else 0.0,
        entities=sorted(one.id for one in of),
        since_us=min((one.reported_us for one in cases), default=None),
        links=["/ngsi-ld/v1/entities?type=CityCase", "/cases"],
    )
