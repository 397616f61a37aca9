"""Cases: what the city must do, who does it, and until when. Read flow.py, rules.py, service.py first."""

from chengmai.cases.calendar_file import read_calendar, shipped_calendar
from chengmai.cases.flow import FLOW, Flow
from chengmai.cases.model import Case, CaseView, LogLine, Page, State, Step
from chengmai.cases.ports import CaseStore
from chengmai.cases.service import CaseService
from chengmai.cases.words import LEVEL_WORDS, STATE_WORDS, STEP_WORDS, sentence
from chengmai.cases.working_time import Calendar, Urgency

__all__ = [
    "FLOW",
    "LEVEL_WORDS",
    "STATE_WORDS",
    "STEP_WORDS",
    "Calendar",
    "Case",
    "CaseService",
    "CaseStore",
    "CaseView",
    "Flow",
    "LogLine",
    "Page",
    "State",
    "Step",
    "Urgency",
    "read_calendar",
    "sentence",
    "shipped_calendar",
]
