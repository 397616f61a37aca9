"""What can be wrong with surveys.

Invalid
├── SurveyInvalid     a package that is no survey: says where
├── AnswerInvalid     an answer that the survey does not ask for
└── CountsInvalid     a table of counts that does not fit the survey: says which line
NotFound
└── SurveyUnknown
Conflict
├── SurveyNotRunning  an answer before the first day or after the last
├── SurveyRunning     a result before the last day is over
├── SurveyAnswered    other questions once there are answers
├── SurveyOpen        counts for a survey that people answer on the public page
└── AnsweredAlready   a second answer from one browser or account
Unavailable
└── TooManyAnswers    more answers from one address than a house of people gives
"""

from __future__ import annotations

from chengmai.assess.reasons import Why, both
from chengmai.kernel.problems import Conflict, Invalid, NotFound, Unavailable


class SurveyInvalid(Invalid):
    code = "survey.invalid"
    title = "This is no survey"

    def __init__(self, why: Why, where: str) -> None:
        said = both(why)
        super().__init__(
            f"{where}: {said.en}", param=where, fix="correct the survey", why=said, where=where
        )


class AnswerInvalid(Invalid):
    code = "survey.answer.invalid"
    title = "This is no answer to the survey"

    def __init__(self, why: str, where: str) -> None:
        super().__init__(why, param=where, fix="choose one of the answers offered", where=where)


class CountsInvalid(Invalid):
    code = "survey.counts.invalid"
    title = "These counts do not fit the survey"

    def __init__(self, line: int, why: Why) -> None:
        said = both(why)
        super().__init__(
            f"line {line}: {said.en}",
            param=f"line {line}",
            fix="correct this line and send the whole table again; nothing of it was kept",
            line=line,
            why=said,
        )


class SurveyUnknown(NotFound):
    code = "survey.unknown"

    def __init__(self, survey: str) -> None:
        super().__init__(
            f"there is no survey {survey!r}", param="survey", fix="look at the list of surveys"
        )


class SurveyNotRunning(Conflict):
    code = "survey.not_running"
    title = "This survey is not open now"

    def __init__(self, survey: str) -> None:
        super().__init__(
            f"{survey} is not open for answers now", fix="look when it begins and ends"
        )


class SurveyRunning(Conflict):
    code = "survey.running"
    title = "The survey has not ended"

    def __init__(self, survey: str, ends: str) -> None:
        super().__init__(
            f"{survey} is answered until {ends}; a result on the way would give single answers away",
            fix="wait until the day after, or bring the last day forward",
            ends=ends,
        )


class SurveyAnswered(Conflict):
    code = "survey.answered"
    title = "There are answers already"

    def __init__(self, survey: str) -> None:
        super().__init__(
            f"{survey} has answers: its questions, answers, strata and whether it is open stay",
            fix="define another survey",
        )


class SurveyOpen(Conflict):
    code = "survey.open"
    title = "People answer this survey themselves"

    def __init__(self, survey: str) -> None:
        super().__init__(
            f"{survey} is answered on the public page; counts of others are not mixed in",
            fix="define another survey for them",
        )


class AnsweredAlready(Conflict):
    code = "survey.answered_already"
    title = "You have answered already"

    def __init__(self) -> None:
        super().__init__("this browser or account has answered this survey", fix="nothing to do")


class TooManyAnswers(Unavailable):
    code = "survey.too_many"
    title = "Too many answers from one address"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "too many answers came from this address",
            retry_after_s=retry_after_s,
            fix=f"wait {retry_after_s} seconds",
        )
