"""The entities that are written and read: eight attributes, two with two instances (Stellio's shape)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

ENTITIES = "/ngsi-ld/v1/entities"
_START = datetime(2026, 1, 1, tzinfo=UTC)
CHANGING = ("temperature", "humidity", "pressure", "pm25", "pm10")


def at(n: int) -> str:
    """Return the n-th second of the year."""
    return (_START + timedelta(seconds=n)).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: float, n: int) -> dict[str, Any]:
    """Return a numeric Property observed at the n-th second."""
    return {"type": "Property", "value": value, "unitCode": "GQ", "observedAt": at(n)}


def entity_id(n: int) -> str:
    """Return the id of the n-th entity."""
    return f"urn:ngsi-ld:Sensor:{n:06}"


def entity(n: int) -> dict[str, Any]:
    """Return the n-th entity, about 1.1 kB as JSON."""
    made: dict[str, Any] = {"id": entity_id(n), "type": "Sensor"}
    for place, name in enumerate(CHANGING):
        made[name] = number(n % 100 + place, 0)
    for name in ("temperature", "humidity"):
        other = number(n % 50, 0) | {"datasetId": "urn:ngsi-ld:Dataset:raw"}
        made[name] = [made[name], other]
    made["name"] = {"type": "Property", "value": f"Sensor {n}"}
    made["isHostedBy"] = {"type": "Relationship", "object": f"urn:ngsi-ld:Building:{n % 100}"}
    point = {"type": "Point", "coordinates": [116.0 + n % 1000 / 1000, 39.5 + n // 1000 / 100]}
    made["location"] = {"type": "GeoProperty", "value": point}
    return made
