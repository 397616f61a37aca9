"""Builders: the writes of the API, and sources that answer all of them alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.house import House
from tests.conformance.context_source import Source

CAR = "urn:ngsi-ld:Vehicle:1"
REGISTRATION = "urn:ngsi-ld:ContextSourceRegistration:1"
SPEED = "https://uri.etsi.org/ngsi-ld/default-context/speed"
BATCHES = ["createBatch", "upsertBatch", "updateBatch", "mergeBatch", "deleteBatch"]
WHOLE = {"entities": [{"id": CAR, "type": "Vehicle"}]}
ITS_SPEED = {**WHOLE, "propertyNames": ["speed"]}
SPEED_99 = {"type": "Property", "value": 99}
BRAND = {"type": "Property", "value": "BMW"}
BOTH = {"speed": SPEED_99, "brand": BRAND}


@dataclass(frozen=True)
class Write:
    """One operation: how it is asked for, what a source is to be sent, and the status when all went well."""

    name: str
    clause: str
    method: str
    path: str
    body: Any = None
    sent: Any = None
    """What a source that has the speed alone is sent."""
    status: int = 204
    source_path: str | None = None

    @property
    def at(self) -> str:
        """Return the path at the source, without parameters."""
        return self.source_path or self.path.partition("?")[0]


def a_car(**attributes: Any) -> dict[str, Any]:
    """Return the car as a client sends it."""
    return {"id": CAR, "type": "Vehicle", **attributes}


ONE, ATTRS, ITEM = f"/entities/{CAR}", f"/entities/{CAR}/attrs", f"/entities/{CAR}/attrs/speed"
FRAGMENT = {"speed": SPEED_99}
CREATE = Write("create", "5.6.1", "POST", "/entities", a_car(**BOTH), a_car(speed=SPEED_99), 201)
CHANGES = [
    Write("merge", "5.6.17", "PATCH", ONE, BOTH, FRAGMENT),
    Write("replace", "5.6.18", "PUT", ONE, a_car(**BOTH), a_car(speed=SPEED_99)),
    Write("append", "5.6.3", "POST", ATTRS, BOTH, FRAGMENT),
    Write("update", "5.6.2", "PATCH", ATTRS, BOTH, FRAGMENT),
]
SINGLES = [
    Write("replace attribute", "5.6.19", "PUT", ITEM, SPEED_99, SPEED_99),
    Write(
        "partial update", "5.6.4", "PATCH", ITEM, {"value": 99}, {"type": "Property", "value": 99}
    ),
    Write("delete attribute", "5.6.5", "DELETE", ITEM),
]
DELETE = Write("delete", "5.6.6", "DELETE", ONE)
OF_BATCH = [
    Write(
        name,
        clause,
        "POST",
        f"/entityOperations/{name}",
        [a_car(**BOTH)],
        [a_car(speed=SPEED_99)],
        done,
    )
    for name, clause, done in (
        ("create", "5.6.7", 201),
        ("upsert", "5.6.8", 201),
        ("update", "5.6.9", 204),
        ("merge", "5.6.20", 204),
    )
]
BATCH_DELETE = Write("batch delete", "5.6.10", "POST", "/entityOperations/delete", [CAR], [CAR])


def of(writes: list[Write]) -> pytest.MarkDecorator:
    """Return the test's parameters, each with the clause it shows."""
    return pytest.mark.parametrize(
        "write",
        [pytest.param(w, id=w.name, marks=pytest.mark.clause("4.3.6", w.clause)) for w in writes],
    )


def answering(status: int, document: Any = b"") -> Source:
    """Return a source that answers every request with one status."""
    return Source(answers=Always((status, document)))


class Always(dict[str, Any]):
    """Answers of a source that are the same for every path."""

    def __init__(self, answer: tuple[int, Any]) -> None:
        super().__init__()
        self._answer = answer

    def get(self, key: str, default: Any = None) -> Any:
        return self._answer


async def ask(house: House, write: Write, **headers: Any) -> Any:
    """Send one write."""
    return await house.ask(write.method, write.path, write.body, **headers)


async def here(house: House, *attributes: str) -> None:
    """Make the car here, with these attributes, past all registrations."""
    body = a_car(**{name: {"type": "Property", "value": 1} for name in attributes})
    answer = await house.ask("POST", "/entities?local=true", body)
    assert answer.status_code == 201, answer.text


async def held(house: House) -> dict[str, Any] | None:
    """Return what is stored here of the car, values only."""
    answer = await house.ask("GET", f"{ONE}?local=true&options=keyValues")
    return None if answer.status_code == 404 else dict(answer.json())


def bodies(source: Source, write: Write) -> list[Any]:
    """Return what a source was sent for a write."""
    return [one.body for one in source.got if (one.method, one.path) == (write.method, write.at)]
