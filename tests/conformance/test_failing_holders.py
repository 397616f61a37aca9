"""Sources that are slow, dead or lie: each costs its own part of a write and nothing else (6.3.17, 5.2.34)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import House, a_house, a_station
from tests.conformance.context_source import Source, registered, sources
from tests.conformance.distributed import BOTH, CAR, CREATE, WHOLE, answering, ask, held

DEAD = "http://127.0.0.1:9"
"""Nothing listens on the port of the discard service."""
SOON = {"timeout": 300}


async def status(house: House, source: Source | str, mode: str, **members: Any) -> int:
    """Register a source for the car, create the car, and return the status."""
    await registered(house, source, WHOLE, mode=mode, operations=["redirectionOps"], **members)
    answer = await ask(house, CREATE)
    assert "ngsild-warning" in answer.headers
    return int(answer.status_code)


@pytest.mark.clause("6.3.17", "5.2.34")
@pytest.mark.parametrize(("mode", "expected"), [("redirect", 504), ("inclusive", 207)])
async def test_a_source_that_hangs_is_given_up_after_its_time(
    tmp_path: Path, mode: str, expected: int
) -> None:
    source = Source(hangs=True)
    async with a_house(tmp_path) as house, sources(source):
        assert await status(house, source, mode, management=SOON) == expected
        assert (await held(house) is None) is (mode == "redirect")


@pytest.mark.clause("6.3.17")
@pytest.mark.parametrize(("mode", "expected"), [("redirect", 504), ("inclusive", 207)])
async def test_a_source_that_is_dead_is_told_as_silent(
    tmp_path: Path, mode: str, expected: int
) -> None:
    async with a_house(tmp_path) as house:
        assert await status(house, DEAD, mode) == expected


@pytest.mark.clause("6.3.17")
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((200, b"<html>"), id="garbage"),
        pytest.param((302, b""), id="redirect"),
        pytest.param((403, b""), id="forbidden"),
        pytest.param((500, b"<html>"), id="error"),
    ],
)
@pytest.mark.parametrize(("mode", "expected"), [("redirect", 502), ("inclusive", 207)])
async def test_an_answer_that_says_nothing_usable_is_a_failure_of_the_source(
    tmp_path: Path, answer: tuple[int, Any], mode: str, expected: int
) -> None:
    source = answering(*answer)
    async with a_house(tmp_path) as house, sources(source):
        assert await status(house, source, mode) == expected
        assert len(source.got) == 1


@pytest.mark.clause("6.3.17")
async def test_an_answer_without_end_is_cut_off(tmp_path: Path) -> None:
    source = answering(200, b"[" + b" " * (17 * 1024 * 1024))
    async with a_house(tmp_path) as house, sources(source):
        assert await status(house, source, "redirect") == 502


@pytest.mark.clause("6.3.17")
async def test_private_addresses_are_not_connected_to_unless_they_are_allowed(
    tmp_path: Path,
) -> None:
    source = answering(201)
    async with a_house(tmp_path, private_egress=False) as house, sources(source):
        assert await status(house, source, "redirect") == 502
        assert source.got == []


@pytest.mark.clause("5.2.34", "4.3.3")
async def test_a_hanging_source_does_not_delay_other_requests(tmp_path: Path) -> None:
    source = Source(hangs=True)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, mode="redirect", operations=["redirectionOps"])
        waiting = [asyncio.create_task(ask(house, CREATE)) for _ in range(40)]
        while not source.got:
            await asyncio.sleep(0)
        answer = await house.ask("POST", "/entities", a_station())
        assert answer.status_code == 201
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.clause("5.2.34", "5.6.1")
async def test_what_is_done_here_does_not_wait_for_a_hanging_source(tmp_path: Path) -> None:
    source = Source(hangs=True)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, operations=["redirectionOps"])
        waiting = asyncio.create_task(ask(house, CREATE))
        while not source.got or await held(house) is None:
            await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


@pytest.mark.clause("5.6.7")
async def test_a_dead_source_is_not_asked_for_every_entity_of_a_batch(tmp_path: Path) -> None:
    source = Source(hangs=True)
    async with a_house(tmp_path) as house, sources(source):
        await registered(
            house, source, mode="redirect", operations=["createEntity"], management=SOON
        )
        cars = [{"id": f"{CAR}{number}", "type": "Vehicle", **BOTH} for number in range(50)]
        answer = await house.ask("POST", "/entityOperations/create", cars)
        assert answer.status_code == 207
        assert len(answer.json()["errors"]) == 50
        assert len(source.got) < 10
