"""What can be wrong with a request about a case.

Invalid
├── ReasonMissing     the step needs a reason
├── ResultMissing     handling needs a note of what was done
├── WordsMissing      a comment or an escalation without words
├── TextInvalid       text that cannot be kept as it is, or is empty where it may not be
├── FactsInvalid      facts that are not JSON
├── CategoryUnknown   no pack has this category
├── UnitUnknown       no pack has this responsible unit
├── LimitTooLong      a time limit beyond ten years
├── LocationInvalid   not a point on the earth
└── CalendarInvalid   the working calendar contradicts itself
NotFound
└── CaseNotFound
Conflict
├── StepNotPossible   the case stands where this step does not start; says which steps do
├── AnotherCaseLive   the vital sign of a case to reopen has a live case already
├── CaseChanged       somebody took a step since the reader looked
└── KeyReused         one idempotency key for two different requests
Forbidden
└── StepNotYours      the step is possible, and another role takes it
TooLarge
└── WordsTooLong
"""

from __future__ import annotations

from collections.abc import Iterable

from chengmai.kernel.problems import Conflict, Forbidden, Invalid, NotFound, TooLarge


class ReasonMissing(Invalid):
    code = "case.reason.missing"
    title = "A reason is needed"

    def __init__(self, step: str) -> None:
        super().__init__(
            f"step {step!r} needs a reason",
            param="note",
            fix="say in 'note' why, so that the next person understands it",
            step=step,
        )


class ResultMissing(Invalid):
    code = "case.result.missing"
    title = "The result is needed"

    def __init__(self, step: str) -> None:
        super().__init__(
            f"step {step!r} needs a note of the result",
            param="note",
            fix="say in 'note' what was found and done",
            step=step,
        )


class WordsMissing(Invalid):
    code = "case.words.missing"
    title = "Words are needed"

    def __init__(self, step: str) -> None:
        super().__init__(
            f"step {step!r} without words says nothing",
            param="note",
            fix="write in 'note' what the others should know",
            step=step,
        )


class TextInvalid(Invalid):
    code = "case.text.invalid"


class FactsInvalid(Invalid):
    code = "case.facts.invalid"


class CategoryUnknown(Invalid):
    code = "case.category.unknown"

    def __init__(self, category: str, known: Iterable[str]) -> None:
        listed = sorted(known)
        super().__init__(
            f"category {category!r} is in no pack",
            param="category",
            fix=f"use one of: {', '.join(listed)}" if listed else "load a pack that has categories",
            category=category,
            known=listed,
        )


class UnitUnknown(Invalid):
    code = "case.unit.unknown"

    def __init__(self, unit: str, known: Iterable[str]) -> None:
        listed = sorted(set(known))
        super().__init__(
            f"responsible unit {unit!r} is in no pack",
            param="facts.unit",
            fix=f"use one of: {', '.join(listed)}" if listed else "load a pack that has units",
            unit=unit,
            known=listed,
        )


class LocationInvalid(Invalid):
    code = "case.location.invalid"


class LimitTooLong(Invalid):
    code = "case.limit.too_long"


class CalendarInvalid(Invalid):
    code = "case.calendar.invalid"


class CaseNotFound(NotFound):
    code = "case.not_found"
    title = "No such case"

    def __init__(self, case_id: str) -> None:
        super().__init__(
            f"there is no case {case_id!r}",
            param="case_id",
            fix="look it up in the queue of cases",
            case=case_id,
        )


class StepNotPossible(Conflict):
    code = "case.step.not_possible"
    title = "This step is not possible now"

    def __init__(self, state: str, step: str, possible: Iterable[str]) -> None:
        self.possible = list(possible)
        super().__init__(
            f"a case that is {state} has no step {step!r}",
            param="step",
            fix=f"possible now: {', '.join(self.possible) or 'none'}",
            state=state,
            step=step,
            possible=self.possible,
        )


class AnotherCaseLive(Conflict):
    code = "case.another_live"
    title = "Its vital sign has a live case already"

    def __init__(self, case_id: str, live_id: str) -> None:
        super().__init__(
            f"{case_id} cannot be reopened while {live_id} of the same vital sign is live",
            param="step",
            fix=f"go on in {live_id}",
            case=case_id,
            live=live_id,
        )


class CaseChanged(Conflict):
    code = "case.changed"
    title = "The case has moved on"

    def __init__(self, case_id: str, expected: int, found: int) -> None:
        super().__init__(
            f"{case_id} is at version {found}, not {expected}",
            param="expecting",
            fix="read the case again and decide on what it says now",
            case=case_id,
            expected=expected,
            found=found,
        )


class KeyReused(Conflict):
    code = "case.key.reused"
    title = "The idempotency key belongs to another request"

    def __init__(self, key: str, case_id: str, step: str) -> None:
        super().__init__(
            f"key {key!r} was used for step {step!r} of {case_id}",
            param="key",
            fix="make a new key for a new request",
            key=key,
            case=case_id,
            step=step,
        )


class StepNotYours(Forbidden):
    code = "case.step.not_yours"
    title = "Another role takes this step"

    def __init__(self, step: str, needs: Iterable[str]) -> None:
        self.needs = sorted(needs)
        super().__init__(
            f"step {step!r} is taken by: {', '.join(self.needs)}",
            param="step",
            fix="ask somebody who holds one of these roles",
            step=step,
            needs=self.needs,
        )


class WordsTooLong(TooLarge):
    code = "case.words.too_long"

    def __init__(self, param: str, length: int, limit: int) -> None:
        super().__init__(
            f"{param} has {length} characters, {limit} are kept",
            param=param,
            fix="say it shorter, or attach a document",
            length=length,
            limit=limit,
        )
