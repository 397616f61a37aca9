"""How far each place has come: places, programmes, figures that say where they come from."""

from chengmai.assess.figures import Figure
from chengmai.assess.gazetteer import Gazetteer
from chengmai.assess.model import Place, Programme, ReportedFigure, Source, Standing
from chengmai.assess.service import AssessService

__all__ = [
    "AssessService",
    "Figure",
    "Gazetteer",
    "Place",
    "Programme",
    "ReportedFigure",
    "Source",
    "Standing",
]
