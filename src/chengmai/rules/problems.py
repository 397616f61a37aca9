"""Problems of the room.

Invalid
├── RuleInvalid          a rule that says something it may not; `param` names the field, `position` the place
├── ReasonNeeded         a decision or a change without its reason
NotFound
├── RuleNotFound
├── FiringNotFound
├── CommandNotFound
└── TrialNotFound
Conflict
├── RuleExists           another rule has this id
├── RuleOfPack           a rule of a pack is switched, and changed in its pack
├── RuleChanged          somebody changed it meanwhile
├── NothingToUndo        there is no earlier version
└── CommandDecided       the command no longer waits for a person
Forbidden
└── SecondPersonNeeded   who made the rule does not decide on its command
Unavailable
└── TrialsBusy           too many trials run already
"""

from __future__ import annotations

from typing import Any

from chengmai.kernel.problems import Conflict, Forbidden, Invalid, NotFound, Unavailable


class RuleInvalid(Invalid):
    code = "rule.invalid"
    title = "The rule is not valid"


class ReasonNeeded(Invalid):
    code = "rule.reason_needed"
    title = "A reason is needed"

    def __init__(self) -> None:
        super().__init__("no reason is given", param="reason", fix="say why in one line")


class RuleNotFound(NotFound):
    code = "rule.not_found"
    title = "No such rule"

    def __init__(self, rule: str) -> None:
        super().__init__(
            f"there is no rule {rule}",
            param="rule",
            fix="take its id from the list of rules, or write it as pack/rule",
            rule=rule,
        )


class FiringNotFound(NotFound):
    code = "rule.firing_not_found"
    title = "No such firing"

    def __init__(self, firing: str) -> None:
        super().__init__(f"there is no firing {firing}", param="firing", firing=firing)


class CommandNotFound(NotFound):
    code = "rule.command_not_found"
    title = "No such command"

    def __init__(self, command: str) -> None:
        super().__init__(f"there is no command {command}", param="command", command=command)


class TrialNotFound(NotFound):
    code = "rule.trial_not_found"
    title = "No such trial"

    def __init__(self, trial: str) -> None:
        super().__init__(
            f"there is no trial {trial}",
            param="trial",
            fix="start it again; trials are kept while the server runs",
            trial=trial,
        )


class RuleExists(Conflict):
    code = "rule.exists"
    title = "Another rule has this id"

    def __init__(self, rule: str) -> None:
        super().__init__(
            f"there is a rule {rule} already", param="id", fix="choose another id", rule=rule
        )


class RuleOfPack(Conflict):
    code = "rule.of_pack"
    title = "The rule belongs to a pack"

    def __init__(self, rule: str) -> None:
        super().__init__(
            f"{rule} belongs to a pack and is not changed here",
            param="rule",
            fix="switch it off and make a copy of it",
            rule=rule,
        )


class RuleChanged(Conflict):
    code = "rule.changed"
    title = "The rule was changed meanwhile"

    def __init__(self, rule: str, expected: int, version: int) -> None:
        super().__init__(
            f"{rule} is at version {version}, not {expected}",
            param="version",
            fix="open it again and repeat the change",
            rule=rule,
            expected=expected,
            version=version,
        )


class NothingToUndo(Conflict):
    code = "rule.nothing_to_undo"
    title = "There is no earlier version"

    def __init__(self, rule: str) -> None:
        super().__init__(f"{rule} has no earlier version", param="rule", rule=rule)


class CommandDecided(Conflict):
    code = "rule.command_decided"
    title = "The command no longer waits"

    def __init__(self, command: str, state: str) -> None:
        super().__init__(
            f"{command} is {state}: it does not wait for a person",
            param="command",
            fix="open it again to see what became of it",
            command=command,
            state=state,
        )


class SecondPersonNeeded(Forbidden):
    code = "rule.second_person"
    title = "A second person decides"

    def __init__(self, command: str) -> None:
        super().__init__(
            f"who changed the rule last does not decide on {command}",
            param="command",
            fix="ask another duty officer",
            command=command,
        )


class TrialsBusy(Unavailable):
    code = "rule.trials_busy"
    title = "Too many trials run"

    def __init__(self, most: int, **more: Any) -> None:
        super().__init__(
            f"{most} trials run already", fix="wait for one to end, or stop one", most=most, **more
        )
