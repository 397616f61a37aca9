"""Sources that fail cost their own part of an answer, and a warning (clause 6.3.17)."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import a_house, created
from tests.conformance.context_source import Source, registered, sources, vehicle

CAR = "urn:ngsi-ld:Vehicle:a"
DEAD = "http://127.0.0.1:9"


def _names(found: list[dict[str, Any]]) -> list[str]:
    return [one["id"].rpartition(":")[2] for one in found]


def _warnings(answer: Any) -> list[str]:
    header = answer.headers.get("ngsild-warning", "")
    return re.findall(r'\d{3} \S+ "[^"]*"', header)


@pytest.mark.clause("6.3.17")
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((500, {"marker": "EVIL"}), "299"),
        ((403, {"marker": "EVIL"}), "299"),
        ((200, b"EVIL not json"), "111"),
        ((200, {"id": "EVIL"}), "111"),
        ((200, ["EVIL"]), "111"),
    ],
)
async def test_what_a_source_does_wrong_is_a_warning(
    tmp_path: Path, answer: tuple[int, Any], code: str
) -> None:
    source = Source(answers={f"/entities/{CAR}": answer, "/entities": answer})
    async with a_house(tmp_path) as house, sources(source):
        name = await registered(house, source)
        await created(house, vehicle("a", brand="kept"))

        for path in (f"/entities/{CAR}", "/entities?type=Vehicle"):
            got = await house.ask("GET", path)
            assert (got.status_code, "EVIL" in got.text, "kept" in got.text) == (200, False, True)
            (warning,) = _warnings(got)
            assert warning.startswith(f"{code} {name} ")


@pytest.mark.clause("6.3.17")
async def test_a_source_that_has_nothing_is_no_warning(tmp_path: Path) -> None:
    source = Source()
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)
        answer = await house.ask("GET", f"/entities/{CAR}")

        assert (answer.status_code, len(source.got)) == (404, 1)
        assert "ngsild-warning" not in answer.headers


@pytest.mark.clause("6.3.17")
async def test_a_dead_source_is_a_warning_even_when_nothing_is_found(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await registered(house, DEAD, mode="redirect")
        answer = await house.ask("GET", f"/entities/{CAR}")

        assert answer.status_code == 404
        assert answer.headers["ngsild-warning"].startswith("199 ")


@pytest.mark.clause("6.3.17", "5.2.34")
async def test_a_slow_source_costs_no_more_than_its_time(tmp_path: Path) -> None:
    source = Source(hangs=True)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, management={"timeout": 200})
        await created(house, vehicle("a", speed=1))
        start = time.monotonic()
        answer = await house.ask("GET", "/entities?type=Vehicle")

        assert _names(answer.json()) == ["a"]
        assert answer.headers["ngsild-warning"].startswith("199 ")
        assert time.monotonic() - start < 3


@pytest.mark.clause("6.3.17", "4.3.6.4")
async def test_what_is_missing_at_a_source_is_told_here_as_well(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=1)])
    source.headers = lambda _asking: {"NGSILD-Warning": '199 urn:x:far "it is a loop"'}
    async with a_house(tmp_path) as house, sources(source):
        name = await registered(house, source)
        answer = await house.ask("GET", "/entities?type=Vehicle")

        assert _warnings(answer) == [f'199 {name} "it is a loop"']


@pytest.mark.clause("6.3.17", "5.7.2")
async def test_a_broken_source_does_not_hide_a_good_one(tmp_path: Path) -> None:
    good = Source([vehicle("a", speed=1)])
    async with a_house(tmp_path) as house, sources(good):
        await registered(house, good)
        await registered(house, DEAD, name="2")
        answer = await house.ask("GET", "/entities?type=Vehicle")

        assert _names(answer.json()) == ["a"]
        assert len(_warnings(answer)) == 1
