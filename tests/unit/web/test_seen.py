"""What the screens saw last stands until a vital sign is published, and no longer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from chengmai.kernel.clock import FixedClock
from chengmai.web.desk.seen import SeenVitals


class _Board:
    """A board of one sign that counts how often it is read."""

    def __init__(self) -> None:
        self.reads, self.value = 0, 1.0

    async def board(self, tenant: str) -> list[Any]:
        self.reads += 1
        await asyncio.sleep(0)
        return [SimpleNamespace(id="urn:sign", value=self.value)]


def _seen(board: _Board) -> SeenVitals:
    clock = FixedClock(datetime(2026, 11, 23, tzinfo=UTC))
    return SeenVitals(board, None, clock)  # type: ignore[arg-type]


async def test_who_asks_at_the_same_time_waits_for_one_reading() -> None:
    seen = _seen(board := _Board())

    await asyncio.gather(*(seen.views("city") for _ in range(5)))

    assert board.reads == 1


async def test_a_published_sign_is_seen_at_the_next_asking_and_other_news_change_nothing() -> None:
    seen = _seen(board := _Board())
    assert (await seen.views("city"))[0].value == 1.0
    board.value = 2.0
    seen.told("city", "cases", {"id": "urn:case"})
    seen.told("elsewhere", "vitals", {"id": "urn:sign"})
    assert (await seen.views("city"))[0].value == 1.0

    seen.told("city", "vitals", {"id": "urn:sign"})

    assert (await seen.views("city"))[0].value == 2.0


async def test_what_is_published_during_a_reading_makes_the_next_one_read_again() -> None:
    seen = _seen(board := _Board())
    reading = asyncio.create_task(seen.views("city"))
    await asyncio.sleep(0)
    seen.told("city", "vitals", {"id": "urn:sign"})
    await reading

    await seen.views("city")

    assert board.reads == 2
