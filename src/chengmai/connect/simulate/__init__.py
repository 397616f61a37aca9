"""A deterministic city: the same seed and instant always give the same readings. All of it is invented."""

from chengmai.connect.simulate.city import SimulatedCity
from chengmai.connect.simulate.connector import SimulateConnector
from chengmai.connect.simulate.incidents import Incident
from chengmai.connect.simulate.labels import IncidentLog, incident_entity
from chengmai.connect.simulate.town import Town, load_town, town_geojson

__all__ = [
    "Incident",
    "IncidentLog",
    "SimulateConnector",
    "SimulatedCity",
    "Town",
    "incident_entity",
    "load_town",
    "town_geojson",
]
