"""Whatever is written through the API is read back as what it was, and no text of a query is our fault."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chengmai.ngsild.expand import expand_entity
from tests.api.house import House, a_house
from tests.unit.ngsild.builders import CTX
from tests.unit.ngsild.strategies import BODIES

READINGS = ("options=normalized", "options=concise", "geojson", "geojson&options=concise")
bounded = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def a_running_house(folder: Path) -> Iterator[tuple[House, Callable[[Awaitable[None]], None]]]:
    """Yield a house, and what runs a coroutine on its loop."""
    with asyncio.Runner() as runner:
        opened = a_house(folder)
        house = runner.run(opened.__aenter__())
        try:
            yield house, lambda awaited: runner.run(awaited)  # type: ignore[arg-type]
        finally:
            runner.run(opened.__aexit__(None, None, None))


async def _read(house: House, path: str, reading: str) -> dict[str, Any]:
    """Return an entity read in one of `READINGS` as the entity it tells of."""
    kind, _, options = reading.partition("&")
    if kind != "geojson":
        return dict(await house.get(f"{path}?{reading}"))
    feature = await house.get(
        f"{path}?{options}", Accept="application/geo+json", Prefer="body=json"
    )
    return {"id": feature["id"], **feature["properties"]}


@pytest.mark.clause("4.5.1", "4.5.5", "4.5.16", "6.3.7")
def test_an_entity_is_the_same_in_any_two_representations(tmp_path: Path) -> None:
    with a_running_house(tmp_path) as (house, run):
        count = 0

        async def same(body: dict[str, Any]) -> None:
            nonlocal count
            count += 1
            ids = [f"urn:x:{count}:{n}" for n in range(len(READINGS) + 1)]
            meant = expand_entity({**body, "id": "urn:x:0"}, CTX)
            source = {**body, "id": ids[0]}
            for reading, following in zip(READINGS, ids[1:], strict=True):
                # What was read in one form is written, and read in the next.
                assert (await house.ask("POST", "/entities", source)).status_code == 201, source
                read = await _read(house, f"/entities/{source['id']}", reading)
                assert expand_entity({**read, "id": "urn:x:0"}, CTX) == meant, reading
                source = {**read, "id": following}

        @bounded
        @given(body=BODIES)
        def check(body: dict[str, Any]) -> None:
            run(same(body))

        check()


TOKENS = st.sampled_from(
    ["a", "b.c", "n[x]", "==", "!=", ">", "<=", "~=", ";", "|", "(", ")", "..", ",", '"x"', "5", "{",
     "}", "-1e5", "true", "2026-01-01T00:00:00Z", "urn:x:1", "(a+)+$", "[", "]", "\\", "\n", "é", "/#"]
)  # fmt: skip
QUERIES = st.text(st.characters(exclude_categories=["Cs"])) | st.lists(TOKENS, max_size=12).map(
    "".join
)
ASKED = [
    ("q", "/entities?type=T"),
    ("scopeQ", "/entities?type=T"),
    ("type", "/entities?local=true"),
    ("orderBy", "/entities?type=T"),
    ("pick", "/entities?type=T"),
    ("q", "/temporal/entities?type=T&timerel=after&timeAt=2020-01-01T00:00:00Z"),
]


@pytest.mark.clause("4.9", "4.17", "4.19", "4.21", "4.23", "5.7.2")
def test_a_text_in_a_query_finds_something_or_is_a_mistake(tmp_path: Path) -> None:
    things = [
        {"id": "urn:x:1", "type": "T", "scope": "/a/b", "a": 5, "n": {"value": {"x": [1, "x"]}}},
        {"id": "urn:x:2", "type": ["T", "U"], "a": "x", "b": {"value": True, "c": 2}},
        {
            "id": "urn:x:3",
            "type": "T",
            "a": {"object": "urn:x:1"},
            "b": {"languageMap": {"en": "x"}},
        },
    ]
    with a_running_house(tmp_path) as (house, run):

        async def ask(text: str, parameter: str, path: str) -> None:
            response = await house.ask("GET", f"{path}&{parameter}={quote(text, safe='')}")
            assert response.status_code in (200, 400), response.text
            if response.status_code == 400:
                assert response.json()["detail"]

        async def start() -> None:
            for one in things:
                assert (await house.ask("POST", "/entities", one)).status_code == 201

        run(start())

        @settings(bounded, max_examples=250)
        @given(text=QUERIES, asked=st.sampled_from(ASKED))
        def check(text: str, asked: tuple[str, str]) -> None:
            run(ask(text, *asked))

        check()
