"""/jsonldContexts: hosted, implicitly created and cached contexts (clauses 5.13.2 to 5.13.5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest

from chengmai.ngsild.contexts import CORE_URL
from tests.api.house import House, a_house, a_station

TERMS = {"@context": {"speed": "https://example.org/vocab#speed"}}
PATH = "/ngsi-ld/v1/jsonldContexts/"


async def _added(house: House, document: Any = TERMS) -> str:
    response = await house.ask("POST", "/jsonldContexts", document)
    assert response.status_code == 201, response.text
    assert response.content == b""
    location: str = response.headers["location"]
    assert location.startswith(PATH)
    return location.removeprefix(PATH)


def _thing(name: str, context: Any) -> dict[str, Any]:
    return {"id": f"urn:x:{name}", "type": "T", "speed": {"value": 1}, "@context": context}


def _named(url: str) -> str:
    return "/jsonldContexts/" + quote(url, safe="")


@pytest.mark.clause("5.13.2", "5.13.4")
async def test_a_hosted_context_is_served_as_it_was_given(tmp_path: Path) -> None:
    """Clauses 5.13.2 and 5.13.4."""
    async with a_house(tmp_path) as house:
        local_id = await _added(house)
        assert await house.get(f"/jsonldContexts/{local_id}") == TERMS
        details = await house.get(f"/jsonldContexts/{local_id}?details=true")
        assert (details["kind"], details["localId"]) == ("Hosted", local_id)
        assert details["URL"] == f"http://city.test{PATH}{local_id}"


@pytest.mark.clause("5.13.2", "5.13.3")
async def test_a_hosted_context_gives_names_their_meaning_and_counts_uses(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        local_id = await _added(house)
        url = f"http://city.test{PATH}{local_id}"
        made = await house.ask("POST", "/entities", _thing("a", url), ld=True)
        assert made.status_code == 201, made.text
        assert "https://example.org/vocab#speed" in await house.get("/entities/urn:x:a")
        assert (await house.get(f"/jsonldContexts/{local_id}?details=true"))["numberOfHits"] == 1


async def test_a_hosted_context_outlives_a_restart(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        local_id = await _added(house)
    async with a_house(tmp_path) as house:
        assert await house.get(f"/jsonldContexts/{local_id}") == TERMS


@pytest.mark.clause("5.13.5")
async def test_a_deleted_context_means_nothing_any_more(tmp_path: Path) -> None:
    """Clause 5.13.5."""
    async with a_house(tmp_path) as house:
        local_id = await _added(house)
        url = f"http://city.test{PATH}{local_id}"
        assert (await house.ask("POST", "/entities", _thing("a", url), ld=True)).is_success
        deleted = await house.ask("DELETE", f"/jsonldContexts/{local_id}")
        assert (deleted.status_code, deleted.content) == (204, b"")
        assert (await house.ask("GET", f"/jsonldContexts/{local_id}")).status_code == 404
        again = await house.ask("POST", "/entities", _thing("b", url), ld=True)
        assert again.status_code == 504


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "InvalidRequest"),
        (b"{}", "InvalidRequest"),
        (b'{"@context": 5}', "BadRequestData"),
        (b'{"@context": ["https://example.org/c", true]}', "BadRequestData"),
        (b'{"@context": {"a": 7}}', "BadRequestData"),
    ],
)
@pytest.mark.clause("5.13.2")
async def test_what_is_no_context_is_refused(tmp_path: Path, body: bytes, kind: str) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/jsonldContexts", body)
        assert response.status_code == 400
        assert response.json()["type"].endswith(kind)


@pytest.mark.parametrize("asked", ["kind=Other", "details=maybe"])
@pytest.mark.clause("5.13.3")
async def test_a_list_of_unknown_kind_is_refused(tmp_path: Path, asked: str) -> None:
    async with a_house(tmp_path) as house:
        assert (await house.ask("GET", f"/jsonldContexts?{asked}")).status_code == 400


@pytest.mark.clause("5.13.5")
async def test_the_core_context_can_be_reloaded_but_not_deleted(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        assert CORE_URL in await house.get("/jsonldContexts")
        assert (await house.ask("DELETE", _named(CORE_URL))).status_code == 400
        assert (await house.ask("DELETE", _named(CORE_URL) + "?reload=true")).status_code == 204


@pytest.mark.clause("5.13.5")
async def test_only_what_is_cached_can_be_reloaded(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        local_id = await _added(house)
        for name in (local_id, "unknown"):
            response = await house.ask("DELETE", f"/jsonldContexts/{name}?reload=true")
            assert response.status_code == 400
        assert (await house.ask("DELETE", "/jsonldContexts/unknown")).status_code == 404


async def test_another_tenant_neither_sees_nor_deletes_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        local_id = await _added(house)
        north = await house.token("manager", tenant="north")
        assert await house.get("/jsonldContexts?kind=Hosted", token=north) == []
        for method in ("GET", "DELETE"):
            response = await house.ask(method, f"/jsonldContexts/{local_id}", token=north)
            assert response.status_code == 404


@pytest.mark.clause("5.13.1")
async def test_a_context_inside_a_subscription_is_kept_under_a_url(tmp_path: Path) -> None:
    """Clause 5.8.1: the context that a subscription is read with can be asked for."""
    async with a_house(tmp_path) as house:
        body = {
            "id": "urn:x:sub",
            "type": "Subscription",
            "entities": [{"type": "T"}],
            "notification": {"endpoint": {"uri": "http://127.0.0.1:9/n"}},
            "@context": [TERMS["@context"]],
        }
        assert (await house.ask("POST", "/subscriptions", body, ld=True)).status_code == 201
        url = (await house.get("/subscriptions/urn:x:sub"))["jsonldContext"]
        assert await house.get("/jsonldContexts?kind=ImplicitlyCreated") == [url]
        assert (await house.get(_named(url)))["@context"] == TERMS["@context"]


async def test_a_local_file_stands_for_a_remote_context(tmp_path: Path) -> None:
    file = tmp_path / "terms.jsonld"
    file.write_text(json.dumps(TERMS))
    url = "https://example.org/terms.jsonld"
    async with a_house(tmp_path / "city", contexts={url: file}) as house:
        assert (await house.ask("POST", "/entities", _thing("a", url), ld=True)).is_success
        assert url in await house.get("/jsonldContexts?kind=Cached")
        assert (await house.ask("GET", _named(url))).status_code == 422
        file.write_text(json.dumps({"@context": {"speed": "https://example.org/other"}}))
        assert (await house.ask("DELETE", _named(url) + "?reload=true")).status_code == 204
        assert (await house.ask("POST", "/entities", _thing("b", url), ld=True)).is_success
        assert "https://example.org/other" in await house.get("/entities/urn:x:b")


@pytest.fixture
def remote() -> Iterator[ThreadingHTTPServer]:
    """A host of contexts on this machine; `answers` counts what it gave."""

    class Terms(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.answers += 1  # type: ignore[attr-defined]
            body = json.dumps(TERMS).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Terms)
    server.answers = 0  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.clause("5.13.1")
async def test_a_context_of_an_allowed_host_is_fetched_once_and_kept(
    tmp_path: Path, remote: Any
) -> None:
    url = f"http://127.0.0.1:{remote.server_port}/terms.jsonld"
    async with a_house(tmp_path, context_hosts=("127.0.0.1",)) as house:
        for name in ("a", "b"):
            made = await house.ask("POST", "/entities", _thing(name, [url]), ld=True)
            assert made.status_code == 201, made.text
    async with a_house(tmp_path, context_hosts=("127.0.0.1",)) as house:
        batch = await house.ask(
            "POST", "/entityOperations/create", [_thing("c", url), _thing("d", url)], ld=True
        )
        assert batch.status_code == 201
    assert remote.answers == 1


@pytest.mark.clause("6.3.2", "5.5.5")
async def test_a_context_of_any_other_host_is_not_asked_for(tmp_path: Path, remote: Any) -> None:
    url = f"http://127.0.0.1:{remote.server_port}/terms.jsonld"
    async with a_house(tmp_path) as house:
        made = await house.ask("POST", "/entities", _thing("a", url), ld=True)
        assert (made.status_code, made.json()["type"].rpartition("/")[2]) == (
            504,
            "LdContextNotAvailable",
        )
    assert remote.answers == 0


@pytest.mark.clause("5.13.5", "6.3.2")
async def test_a_context_that_cannot_be_fetched_again_stays_as_it_is(
    tmp_path: Path, remote: Any
) -> None:
    url = f"http://127.0.0.1:{remote.server_port}/terms.jsonld"
    async with a_house(tmp_path, context_hosts=("127.0.0.1",)) as house:
        assert (await house.ask("POST", "/entities", _thing("a", url), ld=True)).is_success
        remote.shutdown()
        remote.server_close()
        assert (await house.ask("DELETE", _named(url) + "?reload=true")).status_code == 504
        assert (await house.get(_named(url) + "?details=true"))["kind"] == "Cached"
        assert (await house.ask("POST", "/entities", _thing("b", url), ld=True)).is_success


async def test_a_station_still_needs_no_context_of_its_own(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        assert (await house.ask("POST", "/entities", a_station())).status_code == 201
