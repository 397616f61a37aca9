"""What no client should send, in any place of a request, is refused with a problem that helps, and not kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chengmai.web.api.routes import ROUTES
from tests.api.house import STATION, V1, House, a_house, a_station, created

LONG = "urn:x:" + "a" * 20_000
WRITING = frozenset({"POST", "PUT", "PATCH"})
FRAGMENT = b'{"a":{"type":"Property","value":1}}'
BAD_IDS = (
    "%00", "%ff%fe", "urn:x:%00", "urn:x:a%0ab", "urn:x:%ed%a0%80", "urn:x:%E2%80%AE", "urn:x:a%20b",
    "urn:x:%7B%7D", "%25", "'%20OR%201=1--", LONG,
)  # fmt: skip
BAD_BODIES = (
    b"",
    b"null",
    b"0",
    b'"text"',
    b"[null]",
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    '{"id":"urn:x:1","type":"T"}'.encode("utf-16"),
    b'{"id":"urn:x:1","type":"T","a":NaN}',
    b'{"id":"urn:x:1","type":"T","a":1e400}',
    b'{"id":"urn:x:1","type":"T","a":-Infinity}',
    b'{"id":"urn:x:1","type":"T","a":"\\ud800"}',
    b'{"id":"urn:x:1","type":"T","a":%s}' % (b"9" * 5000),
    b'{"id":"urn:x:1","id":"urn:x:2","type":"T"}',
    b'{"a":{"type":"Property","value":{"x":1,"x":2}}}',
    b'{"a":{"type" : "Property", "value" : 1, "value" : 2}}',
    b'{"id":"urn:x:\\u0000","type":"T","a\\u0000":1}',
    b'{"id":"%s","type":"T","%s":1}' % (LONG.encode(), b"a" * 20_000),
    b"[" * 5000 + b"]" * 5000,
    b'{"a":' * 500 + b"1" + b"}" * 500,
)
BAD_QUERIES = (
    "q=%FF",
    "q=%00",
    "id=urn:x:%00",
    "type=T&type=U",
    "limit=-1",
    "limit=99999999999999999999999",
    "%FF=1",
    "&".join(f"p{n}=1" for n in range(200)),
    "q=" + "(" * 2000 + "a" + ")" * 2000,
    "type=" + "(" * 2000 + "A" + ")" * 2000,
    "idPattern=%5C",
    "georel=near;maxDistance==1&geometry=Point&coordinates=[NaN,1]",
    "georel=within&geometry=Polygon&coordinates=" + "[" * 2000,
)
BAD_HEADERS: tuple[dict[str, bytes], ...] = (
    {"Accept": b";;;,,,"},
    {"Accept": b"\xff"},
    {"Link": b"<\xff>; rel=http://www.w3.org/ns/json-ld#context"},
    {"Link": b'<file:///etc/passwd>; rel="http://www.w3.org/ns/json-ld#context"'},
    {"Link": b'<http://[::1>; rel="http://www.w3.org/ns/json-ld#context"'},
    {"NGSILD-Tenant": b"\xe9"},
    {"NGSILD-Tenant": b"a" * 5000},
    {"Authorization": b"Bearer \xff"},
    {"Authorization": b"Basic x"},
    {"Authorization": b"Bearer "},
)
PASSES_ON = frozenset({504})
"""A context that nobody may fetch is told as one that is not available (table 6.3.2-1)."""


def operations() -> Iterator[tuple[str, tuple[str, ...]]]:
    for pattern, methods in ROUTES.items():
        for method in methods:
            yield method, pattern


def path_of(pattern: tuple[str, ...], **instead: str) -> str:
    """Return a path with a known id in each place, or another in the place that is named."""
    places = ("first", "second", "third")
    held = iter(instead.get(place, STATION) for place in places)
    return V1 + "/" + "/".join(next(held) if part == "*" else part for part in pattern)


async def ask(
    house: House,
    method: str,
    path: str,
    body: bytes | None,
    headers: dict[str, bytes] | None = None,
) -> httpx2.Response:
    sent: dict[str, Any] = {"Authorization": f"Bearer {house.bearer}".encode()}
    if body is not None:
        sent["Content-Type"] = b"application/json"
    return await house.client.request(
        method, path, headers={**sent, **(headers or {})}, content=body
    )


def refused(response: httpx2.Response, what: object) -> None:
    """Check that the answer is the client's mistake, told so that the client can mend it."""
    assert 400 <= response.status_code < 500 or response.status_code in PASSES_ON, (
        what,
        response.status_code,
        response.text[:300],
    )
    problem = response.json()
    assert problem["type"].startswith("https://uri.etsi.org/ngsi-ld/errors/")
    assert problem["title"]
    assert problem["detail"]
    assert len(response.content) < 2000, "a refusal does not give back what was sent"


@pytest.mark.clause("5.5.4", "6.3.2")
async def test_no_bad_id_in_a_path_finds_or_makes_anything(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        for method, pattern in operations():
            for bad in BAD_IDS if "*" in pattern else ():
                body = FRAGMENT if method in WRITING else None
                response = await ask(house, method, path_of(pattern, first=bad), body)
                refused(response, (method, pattern, bad[:40]))
        assert await house.get("/entities?local=true&options=concise") == [
            await house.get(f"/entities/{STATION}?options=concise")
        ]


@pytest.mark.clause("5.5.4", "6.3.2")
@pytest.mark.parametrize("media", [b"application/json", b"application/ld+json"])
async def test_no_bad_body_is_taken_by_any_operation(tmp_path: Path, media: bytes) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        before = await house.get(f"/temporal/entities/{STATION}?options=sysAttrs")
        for method, pattern in operations():
            if method not in WRITING:
                continue
            for number, bad in enumerate(BAD_BODIES):
                response = await ask(house, method, path_of(pattern), bad, {"Content-Type": media})
                refused(response, (method, pattern, number))
        assert await house.get(f"/temporal/entities/{STATION}?options=sysAttrs") == before


@pytest.mark.clause("6.3.2", "6.3.3")
async def test_no_bad_query_changes_or_shows_anything(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        for method, pattern in operations():
            for bad in BAD_QUERIES:
                body = FRAGMENT if method in WRITING else None
                response = await ask(house, method, f"{path_of(pattern)}?{bad}", body)
                refused(response, (method, pattern, bad[:60]))
        await house.get(f"/entities/{STATION}")


@pytest.mark.clause("6.3.2", "6.3.4")
async def test_no_bad_header_is_our_fault(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        for bad in BAD_HEADERS:
            response = await ask(house, "GET", f"{V1}/entities/{STATION}", None, bad)
            refused(response, bad)


@pytest.mark.clause("6.3.2")
@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"id":"urn:x:1","id":"urn:x:2","type":"T"}', "id"),
        (b'{"id":"urn:x:1","type":"T","a" : 1,\n"a" : 2}', "a"),
    ],
)
async def test_a_member_given_twice_is_named(tmp_path: Path, body: bytes, param: str) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/entities", body)
        assert response.status_code == 400
        assert response.json()["param"] == param
        assert "twice" in response.json()["detail"]


@pytest.mark.clause("6.3.2")
async def test_names_in_values_may_look_like_members_given_twice(tmp_path: Path) -> None:
    body = b'{"id":"urn:x:1" , "type":"T", "a" : {"value" : "\\"a\\": \\"a\\":", "b" : "\\u0022a\\u0022:"}}'
    async with a_house(tmp_path) as house:
        assert (await house.ask("POST", "/entities", body)).status_code == 201


@pytest.mark.clause("6.3.2")
async def test_a_parameter_given_twice_is_named(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        response = await house.ask("DELETE", "/entities?type=Nothing&type=AirQualityObserved")
        assert response.status_code == 400
        assert response.json()["param"] == "type"
        await house.get(f"/entities/{STATION}")
