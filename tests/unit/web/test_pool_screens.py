"""The list of pools does not wait for a first look at one of them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chengmai.kernel.actors import Actor
from chengmai.kernel.texts import Text
from chengmai.web.desk import pools
from chengmai.web.desk.pools import PoolScreens

WHO = Actor("sys:tests", "city", frozenset({"manager"}), "tests")


class _Service:
    """One pool, whose first look takes until it is let go."""

    def __init__(self) -> None:
        title = Text(zh="床位", en="Beds")
        self.pools = [
            SimpleNamespace(
                key="health/beds", pack="health", spec=SimpleNamespace(id="beds", title=title)
            )
        ]
        self.looks, self.free = 0, asyncio.Event()

    async def seen(self, *_: object) -> Any:
        self.looks += 1
        await self.free.wait()
        return "look"

    async def suggestions(self, *_: object, **__: object) -> list[Any]:
        return []


async def test_a_first_look_is_named_and_begun_once_however_often_the_list_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pools, "_FIRST_LOOK_S", 0.01)
    service = _Service()
    screens = PoolScreens(service, [], ZoneInfo("Asia/Shanghai"))  # type: ignore[arg-type]
    monkeypatch.setattr(screens, "_card", lambda look, made: look)

    assert await screens.pools(WHO) == []
    assert await screens.pools(WHO) == []
    assert [title.en for title in await screens.awaited(WHO)] == ["Beds"]
    assert service.looks == 1

    service.free.set()

    assert len(await screens.pools(WHO)) == 1
    assert await screens.awaited(WHO) == []
