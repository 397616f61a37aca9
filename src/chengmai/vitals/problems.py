"""Problems of the room.

Invalid
├── SqlRefused         the query of a sign is not one that may be run
├── EvaluationFailed   the query ran and failed, or gave what no sign can be
└── NoteInvalid        the note has no words, too many, or is of the future
NotFound
└── VitalNotFound      no such vital sign
"""

from __future__ import annotations

from chengmai.kernel.problems import Invalid, NotFound


class SqlRefused(Invalid):
    code = "vitals.sql_refused"
    title = "The query may not be run"


class EvaluationFailed(Invalid):
    code = "vitals.evaluation_failed"
    title = "The query failed"


class NoteInvalid(Invalid):
    code = "vitals.note_invalid"
    title = "The note will not do"


class VitalNotFound(NotFound):
    code = "vitals.not_found"
    title = "No such vital sign"

    def __init__(self, vital_id: str) -> None:
        super().__init__(
            f"there is no vital sign {vital_id}",
            param="vital",
            fix="take the id from the list of vital signs",
            vital=vital_id,
        )
