"""What holds for every request: negotiation, parameters, bodies, and how a problem is told (6.3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from chengmai.web.api.routes import ROUTES
from tests.api.house import STATION, a_house, a_station, created

LD = "application/ld+json"
CONTEXT = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        (LD, LD),
        ("application/geo+json", "application/geo+json"),
        ("text/html, application/ld+json;q=0.5", LD),
        ("application/json;q=0.1, application/ld+json;q=0.9", LD),
        ("application/ld+json, application/json", "application/json"),
        ("application/json;q=0, application/ld+json", LD),
    ],
)
@pytest.mark.clause("6.3.4")
async def test_the_best_type_is_given(tmp_path: Path, accept: str, content_type: str) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        response = await house.ask("GET", f"/entities/{STATION}", Accept=accept)
        assert response.status_code == 200
        assert response.headers["Content-Type"] == content_type


@pytest.mark.parametrize(
    "path",
    [
        "/entities/urn:x:none",
        "/entities?type=T",
        "/temporal/entities/urn:x:none",
        "/subscriptions/urn:x:none",
        "/subscriptions",
        "/types",
        "/types/None",
    ],
)
@pytest.mark.clause("6.3.4", "6.3.2")
async def test_what_cannot_be_given_is_told_before_what_is_not_there(
    tmp_path: Path, path: str
) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("GET", path, Accept="text/html")
        assert response.status_code == 406
        assert response.json()["param"] == "Accept"


@pytest.mark.clause("6.3.2")
async def test_every_operation_refuses_a_parameter_it_does_not_know(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        admin = await house.token("manager")
        for pattern, methods in ROUTES.items():
            path = "/" + "/".join("urn:x:1" if part == "*" else part for part in pattern)
            for method in methods:
                response = await house.ask(method, f"{path}?typo=1", token=admin)
                assert response.status_code == 400, (method, path)
                problem = response.json()
                assert problem["type"].endswith("/InvalidRequest")
                assert problem["param"] == "typo"


@pytest.mark.clause("6.3.2")
async def test_every_path_names_the_methods_it_has(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        for pattern, methods in ROUTES.items():
            path = "/" + "/".join("urn:x:1" if part == "*" else part for part in pattern)
            wrong = next(m for m in ("PUT", "PATCH", "DELETE", "POST") if m not in methods)
            response = await house.ask(wrong, path)
            assert response.status_code == 405, (wrong, path)
            assert set(response.headers["Allow"].split(", ")) == set(methods)


@pytest.mark.parametrize("path", ["/nothing", "/entities/a/b/c/d", "/", "/entitiesx", "/types/a/b"])
@pytest.mark.clause("6.3.2")
async def test_a_path_that_leads_nowhere_is_not_found(tmp_path: Path, path: str) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("GET", path)
        assert response.status_code == 404
        assert response.json()["param"] == "path"


_DEEP = b'{"id":"urn:x:1","type":"T","a":{"type":"Property","value":' + b"[" * 900 + b"]" * 900
_DEEPER = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"id": "urn:x:1", "type": "T", "a": NaN}',
        b'{"id": "urn:x:1", "type": "T", "a": {"type": "Property", "value": Infinity}}',
        b'{"id": "urn:x:1", "type": "T", "a": {"type": "Property", "value": 1e999}}',
        b'{"id": "urn:x:1", "type": "T", "a": {"type": "Property", "value": "\\ud800"}}',
        b'{"id": "urn:x:1", "type": "T", "a": "\xff\xfe"}',
        b'{"id": "urn:x:1", "type": "T",}',
        b"\x00",
        _DEEP + b"}}",
        _DEEPER,
    ],
    ids=range(11),
)
@pytest.mark.clause("5.5.4", "6.3.2")
async def test_a_body_that_cannot_be_used_is_the_senders_mistake(
    tmp_path: Path, body: bytes
) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/entities", body)
        assert response.status_code == 400, response.text
        assert response.json()["type"].rpartition("/")[2] in ("InvalidRequest", "BadRequestData")


@pytest.mark.parametrize(
    "value", [2**63, -(2**63), 2**64 - 1, 2.0**70, 1e308, "\x00", "\u202e", "a" * 100_000]
)
@pytest.mark.clause("4.5.2", "5.5.4")
async def test_an_odd_value_is_kept_as_it_is_or_refused(tmp_path: Path, value: Any) -> None:
    async with a_house(tmp_path) as house:
        body = b'{"id":"urn:x:1","type":"T","a":{"type":"Property","value":%s}}'
        text = b"%d" % value if isinstance(value, int) else orjson.dumps(value)
        response = await house.ask("POST", "/entities", body % text)
        assert response.status_code in (201, 400), response.text
        if response.status_code == 201:
            found = await house.get("/entities/urn:x:1?options=keyValues")
            assert found["a"] == value
            past = await house.get("/temporal/entities/urn:x:1?timeproperty=modifiedAt")
            assert past["a"][0]["value"] == value


@pytest.mark.clause("6.3.2")
async def test_a_body_over_the_limit_is_refused(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/entities", b" " * (10 * 1024 * 1024 + 1))
        assert response.status_code == 413
        assert response.json()["param"] == "body"


async def test_a_body_that_is_longer_than_it_says_is_counted_as_it_comes(tmp_path: Path) -> None:
    async def endless() -> Any:
        for _ in range(200):
            yield b" " * 100_000

    async with a_house(tmp_path) as house:
        response = await house.client.post(
            "/ngsi-ld/v1/entities",
            content=endless(),
            headers={
                "Authorization": f"Bearer {house.bearer}",
                "Content-Type": "application/json",
                "Content-Length": "10",
            },
        )
        assert response.status_code == 413


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "", "application/geo+json"])
@pytest.mark.clause("6.3.4", "6.3.2")
async def test_a_type_of_content_that_is_not_taken_is_told(tmp_path: Path, media: str) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/entities", a_station(), Content_Type=media)
        assert response.status_code == 415
        assert response.json()["param"] == "Content-Type"


@pytest.mark.clause("6.3.4")
async def test_the_charset_of_a_content_type_does_not_matter(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask(
            "POST", "/entities", a_station(), Content_Type="Application/JSON; charset=utf-8"
        )
        assert response.status_code == 201


@pytest.mark.clause("6.3.5")
async def test_a_context_stands_where_it_belongs(tmp_path: Path) -> None:
    link = f'<{CONTEXT}>; rel="http://www.w3.org/ns/json-ld#context"; type="{LD}"'
    inside = a_station() | {"@context": CONTEXT}
    async with a_house(tmp_path) as house:
        for body, ld, headers in (
            (inside, False, {}),
            (a_station(), True, {}),
            (inside, True, {"Link": link}),
            (a_station(), False, {"Link": f"{link}, {link}"}),
        ):
            response = await house.ask("POST", "/entities", body, ld=ld, **headers)
            assert response.status_code == 400, (ld, headers)
        assert (await house.ask("POST", "/entities", a_station(), Link=link)).status_code == 201


@pytest.mark.clause("6.3.2", "5.5.5")
async def test_a_context_that_is_not_kept_here_is_told(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        body = a_station() | {"@context": "https://elsewhere.example/context.jsonld"}
        response = await house.ask("POST", "/entities", body, ld=True)
        assert response.status_code == 504
        assert response.json()["type"].endswith("/LdContextNotAvailable")


@pytest.mark.clause("5.5.3", "6.3.3")
async def test_a_problem_says_what_where_and_what_to_do(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("GET", "/entities?type=T&limit=many")
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        problem = response.json()
        assert problem["type"] == "https://uri.etsi.org/ngsi-ld/errors/BadRequestData"
        assert problem["status"] == 400
        assert (problem["code"], problem["param"]) == ("query.number", "limit")
        assert problem["title"]
        assert "many" in problem["detail"]
        assert len(problem["request_id"]) == 16
