"""Devices on a real broker and behind real HTTP: they answer, and move the sensor or fail to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from chengmai.rules.model import Command, CommandState
from tests.api.house import House, a_house
from tests.api.test_rules import on, tell
from tests.loopback import Reply, Request, a_listener
from tests.ports.test_connectors import broker, needs_mosquitto
from tests.unit.rules.builders import POLE, a_command, manager, officer

__all__ = ["broker"]
LIT = {"q": "lit==true", "within": "PT2M"}
TOLD = {"answers": "poles/{key}/ack", "acknowledged_within": "PT5M", "effect": LIT}


class Lamp:
    """A device that acknowledges every command; a sound one then lights up, and its sensor says so."""

    def __init__(self, *, is_sound: bool) -> None:
        self.is_sound, self.heard = is_sound, list[dict[str, Any]]()
        self.done = asyncio.Event()
        self.report: Callable[[], Awaitable[None]]

    async def obey(self, body: bytes | bytearray | str) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(body)
        self.heard.append(said)
        return {"commandId": said["commandId"], "status": "accepted"}

    async def act(self) -> None:
        if self.is_sound:
            await self.report()
        self.done.set()


@asynccontextmanager
async def over_http(lamp: Lamp, _: int) -> AsyncIterator[str]:
    acting: list[asyncio.Task[None]] = []

    async def answer(request: Request) -> Reply:
        await lamp.obey(request.body)
        acting.append(asyncio.create_task(lamp.act()))
        return Reply(202, {})

    async with a_listener(answer) as port:
        yield f"http://127.0.0.1:{port}"
        await asyncio.gather(*acting)


@asynccontextmanager
async def over_mqtt(lamp: Lamp, port: int) -> AsyncIterator[str]:
    ready = asyncio.Event()

    async def live() -> None:
        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe("poles/+/set", qos=1)
            ready.set()
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                told = await lamp.obey(message.payload)
                await client.publish("poles/p1/ack", json.dumps(told), qos=1)
                await lamp.act()

    task = asyncio.create_task(live())
    await asyncio.wait_for(ready.wait(), 60)
    try:
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def the_command(house: House) -> Command:
    (found,) = await house.city.rules.service.commands(manager())
    return found


async def send(house: House) -> Command:
    await house.city.rules.sender.round()
    await house.city.rules.sender.idle()
    return await the_command(house)


@needs_mosquitto
@pytest.mark.parametrize("way", [over_mqtt, over_http])
@pytest.mark.parametrize("is_sound", [True, False])
async def test_a_command_waits_for_a_person_and_is_judged_by_the_sensor_and_not_by_the_answer(
    tmp_path: Path, broker: int, way: Any, is_sound: bool
) -> None:
    lamp = Lamp(is_sound=is_sound)
    async with (
        way(lamp, broker) as url,
        a_house(tmp_path, command_channels={"lamps": url}) as house,
    ):
        acknowledged = asyncio.Event()

        async def report() -> None:
            # A lamp takes its time; its sensor speaks when the answer is long there.
            await asyncio.wait_for(acknowledged.wait(), 60)
            await tell(house, lit=True)

        lamp.report = report
        await on(house, command=a_command(high_impact=True, **TOLD))
        await tell(house, lit=False)
        await tell(house, tilt=16)
        waiting = await send(house)
        assert (waiting.state, lamp.heard) == (CommandState.WAITING, [])

        await house.city.rules.service.decide(officer(), waiting.id, approve=True, reason="dark")
        assert (await send(house)).state is CommandState.ACKNOWLEDGED
        assert [one["device"] for one in lamp.heard] == [POLE]
        acknowledged.set()
        await asyncio.wait_for(lamp.done.wait(), 60)
        house.clock.advance(timedelta(minutes=3))
        ended = await send(house)

        assert ended.state is (CommandState.VERIFIED if is_sound else CommandState.NO_EFFECT)
        firing = await house.city.rules.service.firing(manager(), ended.firing)
        told = [one.what for one in firing.lines]
        last = "verified" if is_sound else "noEffect"
        assert told == ["fired", "waiting", "pending", "attempt", "sent", "acknowledged", last]
        assert all(one.text.zh and one.text.en for one in firing.lines)
