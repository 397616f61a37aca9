"""The same read asked for again: what is remembered is never older than the last write, nor another's."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from chengmai.store.sqlite.file import connect, load_or_make_key
from tests.api.house import House, a_house
from tests.api.test_map_again import _CHANGES, SENSOR, _sensor

_ALL = "/entities?type=Sensor&limit=100"
_ONES = [f"/entities/{SENSOR}{n:02}" for n in range(6)]
_A_WHILE = timedelta(minutes=2)


async def _fill(house: House, count: int = 6) -> None:
    made = await house.ask("POST", "/entityOperations/create", [_sensor(n) for n in range(count)])
    assert made.status_code == 201, made.text


async def _remembered(house: House) -> tuple[Any, list[Any]]:
    """Return all sensors by a query, and each by its id, asked for until they are remembered."""
    for _ in range(3):
        every = await house.ask("GET", _ALL)
        ones = [await house.ask("GET", path) for path in _ONES]
    return every.json(), [one.json() if one.status_code == 200 else None for one in ones]


async def _anew(house: House) -> tuple[Any, list[Any]]:
    """Return the same by questions that are not remembered: one with a body, and one with a selector."""
    body = {"type": "Query", "entities": [{"type": "Sensor"}]}
    every = await house.ask("POST", "/entityOperations/query?limit=100", body)
    ones = [await house.ask("GET", f"{path}?type=Sensor") for path in _ONES]
    return every.json(), [one.json() if one.status_code == 200 else None for one in ones]


@pytest.mark.clause("5.7.1", "5.7.2")
async def test_every_kind_of_change_is_read_at_once(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await _fill(house)
        for name, (method, path, body, sign) in _CHANGES.items():
            await _remembered(house)
            made = await house.ask(method, path, body)
            assert made.status_code < 300, (name, made.text)
            found = await _remembered(house)
            assert found == await _anew(house), name
            assert sign in orjson.dumps(found).decode(), name


@pytest.mark.clause("5.6.5", "5.6.6", "5.6.10", "5.6.21")
async def test_what_is_deleted_is_not_read_any_more(tmp_path: Path) -> None:
    gone: list[tuple[str, str, Any]] = [
        ("DELETE", f"/entities/{SENSOR}01", None),
        ("POST", "/entityOperations/delete", [f"{SENSOR}02"]),
        ("DELETE", f"/entities?type=Sensor&id={SENSOR}03", None),
        ("DELETE", f"/entities/{SENSOR}04/attrs/speed", None),
        ("POST", "/entities", _sensor(1)),
    ]
    async with a_house(tmp_path) as house:
        await _fill(house)
        seen = []
        for method, path, body in gone:
            await _remembered(house)
            assert (await house.ask(method, path, body)).status_code < 300
            every, ones = await _remembered(house)
            assert (every, ones) == await _anew(house)
            seen.append((len(every), sum(one is not None for one in ones)))

    assert seen == [(5, 5), (4, 4), (3, 3), (3, 3), (4, 4)]


@pytest.mark.clause("4.22")
async def test_what_has_expired_is_not_read_any_more(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await _fill(house, 3)
        for_now = {**_sensor(4), "expiresAt": "2026-11-22T08:01:00Z"}
        assert (await house.ask("POST", "/entities", for_now)).status_code == 201
        before = await _remembered(house)
        house.clock.advance(_A_WHILE)
        after = await _remembered(house)

    assert (len(before[0]), len(after[0])) == (4, 3)
    assert before[1][4] is not None
    assert after[1][4] is None


async def test_what_another_process_writes_is_read_at_once(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await _fill(house)
        await _remembered(house)
        other = connect(tmp_path / "state.db", load_or_make_key(tmp_path / "state.key"))
        other.execute(
            "UPDATE entity SET doc = CAST(replace(CAST(doc AS TEXT), '\"value\":1', '\"value\":4711') AS BLOB)"
        )
        other.close()
        every, ones = await _remembered(house)

    assert {one["speed"]["value"] for one in every} == {4711}
    assert {one["speed"]["value"] for one in ones} == {4711}


async def test_what_is_remembered_is_for_its_tenant_and_who_may_read(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        other = await house.token("manager", tenant="harbour")
        citizen, nobody = await house.token("citizen"), "cm_wrong"
        await house.ask("POST", "/entities", _sensor(0, speed=4), token=other)
        await _fill(house, 2)
        await _remembered(house)
        first = _ONES[0]
        theirs = await house.ask("GET", first, token=other)
        theirs_all = await house.ask("GET", _ALL, token=other)
        missing = await house.ask("GET", _ONES[1], token=other)
        refused = [
            (await house.ask("GET", path, token=token)).status_code
            for path in (first, _ALL)
            for token in (citizen, nobody, "")
        ]

    assert theirs.json()["speed"]["value"] == 4
    assert [one["speed"]["value"] for one in theirs_all.json()] == [4]
    assert missing.status_code == 404
    assert refused == [403, 401, 401] * 2


@pytest.mark.clause("6.3.5")
async def test_what_is_remembered_is_shown_as_it_is_asked_for(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await _fill(house, 2)
        shown = []
        for _ in range(2):
            for query, media in (
                ("", "application/json"),
                ("", "application/ld+json"),
                ("", "application/geo+json"),
                ("?format=simplified", "application/json"),
                ("?pick=speed", "application/json"),
                ("?options=sysAttrs", "application/json"),
            ):
                answer = await house.ask("GET", _ONES[0] + query, accept=media)
                shown.append(
                    (answer.text, answer.headers["content-type"], "link" in answer.headers)
                )
        nothing = [await house.ask("GET", f"{_ONES[0]}?pick=colour") for _ in range(2)]
        head = await house.client.head(
            f"/ngsi-ld/v1{_ONES[0]}", headers={"Authorization": f"Bearer {house.bearer}"}
        )

        ordered = [
            await house.ask("GET", f"{_ALL}&orderBy=speed&{view}", accept=media)
            for view, media in (
                ("format=simplified", "application/geo+json"),
                ("format=concise", "application/ld+json"),
            )
            for _ in range(4)
        ]

    for said in (ordered[:4], ordered[4:]):
        assert {one.status_code for one in said} == {200}
        assert len({one.text for one in said}) == 1
    assert shown[:6] == shown[6:]
    assert len({text for text, _, _ in shown}) == 6
    assert [one.status_code for one in nothing] == [404, 404]
    assert (head.status_code, head.content) == (200, b"")


_PAGING = ("limit", "offset", "count")
_ASKED: list[dict[str, str]] = [
    {"limit": "2"},
    {"limit": "2", "offset": "2"},
    {"limit": "3", "q": "speed>40"},
    {"limit": "1", "q": "speed>40", "offset": "1"},
    {"limit": "5", "q": "speed==1000"},
    {"limit": "2", "count": "true"},
    {"limit": "2", "q": "speed<=40", "idPattern": f"^{SENSOR}0"},
    {"limit": "2", "scopeQ": "/none"},
]


async def _pages(house: House) -> list[tuple[str, str | None, bool]]:
    """Return of each question the answer, how many match, and whether a page follows."""
    found = []
    for asked in _ASKED:
        path = f"/entities?type=Sensor&{urlencode(asked)}"
        answer = await house.ask("GET", path)
        more = 'rel="next"' in ",".join(answer.headers.get_list("link"))
        found.append((answer.text, answer.headers.get("ngsild-results-count"), more))
    return found


async def _pages_anew(house: House) -> list[tuple[str, str | None, bool]]:
    found = []
    for asked in _ASKED:
        paging = {name: text for name, text in asked.items() if name in _PAGING}
        entity = {"type": "Sensor"} | {k: asked[k] for k in ("idPattern",) if k in asked}
        body: dict[str, Any] = {"type": "Query", "entities": [entity]}
        body |= {name: asked[name] for name in ("q", "scopeQ") if name in asked}
        path = f"/entityOperations/query?{urlencode(paging)}"
        answer = await house.ask("POST", path, body)
        more = 'rel="next"' in ",".join(answer.headers.get_list("link"))
        found.append((answer.text, answer.headers.get("ngsild-results-count"), more))
    return found


@pytest.mark.clause("5.7.2", "6.3.10")
async def test_a_page_that_is_remembered_is_the_page_as_it_is_now(tmp_path: Path) -> None:
    chance = random.Random(28)
    async with a_house(tmp_path) as house:
        await _fill(house, 8)
        for _ in range(60):
            one = f"{SENSOR}{chance.randrange(12):02}"
            speed = {"speed": {"type": "Property", "value": chance.choice((5, 60, 1000))}}
            if chance.random() < 0.3:
                await house.ask("DELETE", f"/entities/{one}")
            else:
                upsert = [{"id": one, "type": chance.choice(("Sensor", "Sensor", "Lamp")), **speed}]
                await house.ask("POST", "/entityOperations/upsert?options=update", upsert)
            for _ in range(chance.choice((1, 1, 3))):
                pages = await _pages(house)
            assert pages == await _pages_anew(house)
