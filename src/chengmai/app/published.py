"""Which entity types the rooms of a city publish: clients read and subscribe, only the room writes."""

from __future__ import annotations

from chengmai.ngsild.entity import name_iri

_BY_ROOM = {
    "vitals": ("VitalSign", "VitalNote", "ThresholdChange", "Forecast"),
    "cases": ("CityCase",),
    "incidents": ("Incident",),
    "rules": ("Rule", "RuleFiring", "DeviceCommand"),
    "pools": ("ResourcePool", "ReallocationSuggestion"),
    "feeds": ("DataFeed",),
    "surveys": ("CitizenSurvey", "SurveyResult"),
    "assess": ("CityIndicator", "IndicatorForecast"),
    "the load of the platform itself": ("FeedLoad", "CaseLoad", "AccessLoad"),
    "the simulation": ("SimulatedIncident",),
}


def published() -> frozenset[str]:
    """Return the type IRIs."""
    return frozenset(name_iri(name) for names in _BY_ROOM.values() for name in names)
