"""Each type of problem with its status (table 6.3.2-1), and how HTTP's own refusals are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from chengmai.kernel.problems import Problem, Unavailable
from chengmai.store.problems import StoreBusy, StoreFull
from chengmai.trust.problems import TenantNotFound
from chengmai.web.api.problems import problem_response
from tests.api.house import STATION, a_house, a_station, created, number

ETSI = "https://uri.etsi.org/ngsi-ld/errors/"
ELSEWHERE = '<https://elsewhere.example/c.jsonld>; rel="http://www.w3.org/ns/json-ld#context"'
NOT_OFFERED = {
    "type": "Subscription",
    "entities": [{"type": "T"}],
    "notification": {"endpoint": {"uri": "amqp://127.0.0.1/"}},
}


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
        ("GET", "/entities?type=T&limit=100001", None, 403, "TooManyResults"),
        ("POST", "/subscriptions", NOT_OFFERED, 422, "OperationNotSupported"),
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


@pytest.mark.clause("6.3.2", "6.3.4", "6.3.14")
@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "kind"),
    [
        ("GET", "/types", None, {"Authorization": "Bearer none"}, 401, "InvalidRequest"),
        ("GET", "/types", None, {"Accept": "text/html"}, 406, "InvalidRequest"),
        ("PUT", "/types", {}, {}, 405, "OperationNotSupported"),
        ("POST", "/entities", a_station(), {"Content-Type": "text/plain"}, 415, "InvalidRequest"),
        ("POST", "/entities", b" " * (10 * 1024 * 1024 + 1), {}, 413, "InvalidRequest"),
        ("GET", "/types", None, {"Link": ELSEWHERE}, 504, "LdContextNotAvailable"),
    ],
)
async def test_a_refusal_of_http_is_told_as_a_problem_too(
    tmp_path: Path,
    method: str,
    path: str,
    body: Any,
    headers: dict[str, str],
    status: int,
    kind: str,
) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask(method, path, body, ld=False, **headers)
        assert response.status_code == status, response.text
        assert response.json()["type"] == ETSI + kind


@pytest.mark.clause("6.3.2")
async def test_who_may_not_is_told_so(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        citizen = await house.token("citizen")
        response = await house.ask("POST", "/entities", a_station(), token=citizen)
        assert response.status_code == 403
        assert response.json()["type"] == ETSI + "InvalidRequest"


@pytest.mark.clause("6.3.2")
@pytest.mark.parametrize(
    ("problem", "status", "kind"),
    [
        (StoreBusy("too much to write"), 429, "InternalError"),
        (Problem("an error of ours"), 500, "InternalError"),
        (Unavailable("starting"), 503, "InternalError"),
        (StoreFull("no room"), 507, "InternalError"),
        (TenantNotFound("acme"), 404, "NonexistentTenant"),
    ],
)
def test_what_happens_here_is_told_as_a_problem(problem: Problem, status: int, kind: str) -> None:
    response = problem_response(problem, "id")
    assert response.status == status
    headers = dict(response.headers)
    assert headers["Content-Type"] == "application/problem+json"
    assert orjson.loads(response.body)["type"] == ETSI + kind
    assert ("Retry-After" in headers) is isinstance(problem, Unavailable)
