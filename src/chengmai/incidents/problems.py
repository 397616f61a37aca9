"""What can be wrong with a request about an incident.

Invalid
├── ReasonUnknown       the reason code is none of those for this step
├── LevelNotHigher      raising to a level that it stands at already, or to none
├── SplitInvalid        the members to split off are none, all, or not there
├── WordsInvalid        no words where words are the point, or too many
└── OrderUnknown        not a step that people take
NotFound
└── IncidentNotFound
Conflict
├── IncidentOver        it was merged or has ended
├── MergeNotPossible    into itself, into one that is over, or sensors with events
├── NothingToUndo       no decision of people is left that can be undone
├── IncidentChanged     somebody decided since the reader looked
└── KeyReused           one idempotency key for two different orders
"""

from __future__ import annotations

from collections.abc import Iterable

from chengmai.kernel.problems import Conflict, Invalid, NotFound


class ReasonUnknown(Invalid):
    code = "incident.reason.unknown"
    title = "A reason is needed"

    def __init__(self, reason: str, known: Iterable[str]) -> None:
        choice = ", ".join(known)
        super().__init__(
            f"{reason!r} is no reason for this step" if reason else "the step needs a reason",
            param="reason",
            fix=f"give one of: {choice}",
            reason=reason,
            choice=choice,
        )


class LevelNotHigher(Invalid):
    code = "incident.level.not_higher"
    title = "The level is not higher"

    def __init__(self, level: str, stands: str) -> None:
        super().__init__(
            f"{level!r} is not above {stands!r}",
            param="level",
            fix="raise to a level above the present one; there are watch and act",
            level=level,
            stands=stands,
        )


class SplitInvalid(Invalid):
    code = "incident.split.invalid"
    title = "These members cannot be split off"


class WordsInvalid(Invalid):
    code = "incident.words.invalid"
    title = "The note cannot be kept"


class OrderUnknown(Invalid):
    code = "incident.order.unknown"
    title = "No such step"

    def __init__(self, step: str, known: Iterable[str]) -> None:
        super().__init__(
            f"{step!r} is no step that people take on an incident",
            param="step",
            fix=f"give one of: {', '.join(known)}",
            step=step,
        )


class IncidentNotFound(NotFound):
    code = "incident.not_found"
    title = "No such incident"

    def __init__(self, incident_id: str) -> None:
        super().__init__(
            f"there is no incident {incident_id}",
            param="incident",
            fix="take the id from the list of incidents",
            incident=incident_id,
        )


class IncidentOver(Conflict):
    code = "incident.over"
    title = "The incident is over"

    def __init__(self, incident_id: str, state: str) -> None:
        super().__init__(
            f"{incident_id} is {state}",
            param="incident",
            fix="undo what ended it, or act on the incident that it was merged into",
            incident=incident_id,
            state=state,
        )


class MergeNotPossible(Conflict):
    code = "incident.merge.not_possible"
    title = "These two cannot become one"


class NothingToUndo(Conflict):
    code = "incident.undo.nothing"
    title = "Nothing can be undone"

    def __init__(self, incident_id: str, why: str) -> None:
        super().__init__(why, param="incident", fix="look at the timeline", incident=incident_id)


class IncidentChanged(Conflict):
    code = "incident.changed"
    title = "The incident changed meanwhile"

    def __init__(self, incident_id: str, seen: int, now: int) -> None:
        super().__init__(
            f"{incident_id} was at version {seen} when you looked and is at {now}",
            param="version",
            fix="look at it again and decide",
            incident=incident_id,
        )


class KeyReused(Conflict):
    code = "incident.key.reused"
    title = "The key was used for something else"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"key {key!r} belongs to another order", param="key", fix="take a new key", key=key
        )
