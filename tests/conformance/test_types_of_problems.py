"""Each type of problem that a client can bring about, with its status (table 6.3.2-1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import STATION, a_house, a_station, created, number

ETSI = "https://uri.etsi.org/ngsi-ld/errors/"


@pytest.mark.clause("6.3.2", "5.5.2")
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", "/entities", b"{", 400, "InvalidRequest"),
        ("GET", "/entities?type=T&typo=1", None, 400, "InvalidRequest"),
        ("POST", "/entities", {"id": "no uri", "type": "T"}, 400, "BadRequestData"),
        ("GET", "/entities?q=a==", None, 400, "BadRequestData"),
        ("POST", "/entities", a_station(), 409, "AlreadyExists"),
        ("GET", "/entities/urn:x:none", None, 404, "ResourceNotFound"),
        ("PATCH", "/entities/urn:x:none", {"a": number(1)}, 404, "ResourceNotFound"),
        ("DELETE", f"/entities/{STATION}/attrs/none", None, 404, "ResourceNotFound"),
        ("GET", "/temporal/entities/urn:x:none", None, 404, "ResourceNotFound"),
        ("GET", "/types/None", None, 404, "ResourceNotFound"),
        ("GET", "/attributes/none", None, 404, "ResourceNotFound"),
        ("GET", "/subscriptions/urn:x:none", None, 404, "ResourceNotFound"),
        ("GET", "/jsonldContexts/none", None, 404, "ResourceNotFound"),
    ],
)
async def test_a_problem_has_the_type_and_status_of_the_table(
    tmp_path: Path, method: str, path: str, body: Any, status: int, kind: str
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        response = await house.ask(method, path, body)
        assert response.status_code == status, response.text
        assert response.headers["Content-Type"] == "application/problem+json"
        problem = response.json()
        assert (problem["type"], problem["status"]) == (ETSI + kind, status)
        assert problem["title"]
        assert problem["detail"]
