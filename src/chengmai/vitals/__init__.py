"""Vital signs: evaluate, band, explain, foresee."""

from chengmai.vitals.board import VitalsBoard
from chengmai.vitals.model import BandView, Failure, Level, Sign, TickReport, VitalView
from chengmai.vitals.ports import Analysis, Foresight, Past, Ports, Readings, ViewRows
from chengmai.vitals.problems import EvaluationFailed, SqlRefused, VitalNotFound
from chengmai.vitals.service import VitalsService
from chengmai.vitals.signs import signs_of, tables_of, views_of
from chengmai.vitals.sql import CheckedSql, check_sql

__all__ = [
    "Analysis",
    "BandView",
    "CheckedSql",
    "EvaluationFailed",
    "Failure",
    "Foresight",
    "Level",
    "Past",
    "Ports",
    "Readings",
    "Sign",
    "SqlRefused",
    "TickReport",
    "ViewRows",
    "VitalNotFound",
    "VitalView",
    "VitalsBoard",
    "VitalsService",
    "check_sql",
    "signs_of",
    "tables_of",
    "views_of",
]
