"""Incidents: alarms that belong together, told once. Read model.py, folding.py, rules.py, service.py first."""

from chengmai.incidents.budget import Ration, Shown, ration
from chengmai.incidents.folding import Alarm, Chains, fold, touching
from chengmai.incidents.model import Incident, LogLine, Member, Nature, Order, State, Step
from chengmai.incidents.ports import IncidentStore
from chengmai.incidents.problems import IncidentNotFound
from chengmai.incidents.service import IncidentService

__all__ = [
    "Alarm",
    "Chains",
    "Incident",
    "IncidentNotFound",
    "IncidentService",
    "IncidentStore",
    "LogLine",
    "Member",
    "Nature",
    "Order",
    "Ration",
    "Shown",
    "State",
    "Step",
    "fold",
    "ration",
    "touching",
]
