"""Problems of changing thresholds.

Invalid
├── ThresholdInvalid      the value, the clearing value, the day or the reason will not do
└── ThresholdFileInvalid  the file of the city's thresholds says something it may not
NotFound
└── ChangeNotFound        no such change
Conflict
├── ThresholdFixed        a standard sets it; the city may not
└── ChangeDecided         it was decided meanwhile
Forbidden
└── OwnChange             who proposed it may not approve it
"""

from __future__ import annotations

from chengmai.kernel.problems import Conflict, Forbidden, Invalid, NotFound


class ThresholdInvalid(Invalid):
    code = "thresholds.invalid"
    title = "The threshold will not do"


class ThresholdFileInvalid(Invalid):
    code = "thresholds.file_invalid"
    title = "The file of the city's thresholds is not valid"


class ChangeNotFound(NotFound):
    code = "thresholds.not_found"
    title = "No such change"

    def __init__(self, change_id: str) -> None:
        super().__init__(
            f"there is no change {change_id}",
            param="change",
            fix="take the id from the list of changes",
            change=change_id,
        )


class ThresholdFixed(Conflict):
    code = "thresholds.fixed"
    title = "A standard sets this threshold"


class ChangeDecided(Conflict):
    code = "thresholds.decided"
    title = "The change was decided already"


class OwnChange(Forbidden):
    code = "thresholds.own"
    title = "Somebody else must approve it"

    def __init__(self) -> None:
        super().__init__(
            "who proposed a change may not approve it",
            fix="ask another manager to look at the trial and decide",
        )
