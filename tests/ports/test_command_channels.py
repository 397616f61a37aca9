"""Commands over a real mosquitto and to a real HTTP server: sent, answered, refused, tried again, verified."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from pydantic import SecretStr

from chengmai.connect.commands import CommandChannels
from chengmai.kernel.problems import Forbidden, Invalid, Unavailable
from chengmai.rules.model import Command, CommandState
from chengmai.rules.ports import Answer, Order
from tests.api.house import House, a_house
from tests.api.test_rules import on, tell
from tests.loopback import HANGS, Reply, Request, a_listener
from tests.ports.test_connectors import broker, needs_mosquitto
from tests.unit.rules.builders import POLE, a_command, manager

__all__ = ["broker"]


def an_order(**more: Any) -> Order:
    told: dict[str, Any] = {
        "command_id": "urn:c:1",
        "channel": "lamps",
        "to": "poles/p1/set",
        "body": b'{"commandId":"urn:c:1"}',
        "answers": "",
        "timeout_s": 5.0,
    }
    return Order(**(told | more))


def channels(url: str, *, private: bool = True) -> CommandChannels:
    return CommandChannels({"lamps": SecretStr(url)}, private=private)


async def nothing() -> None:
    return


async def sent_to(answer: Callable[[Request], Any], **more: Any) -> Answer:
    async with a_listener(answer) as port:
        over = channels(f"http://user:secret@127.0.0.1:{port}/base")
        try:
            return await over.send(an_order(**more), nothing)
        finally:
            await over.close()


async def test_http_carries_id_and_credentials_and_2xx_acknowledges() -> None:
    seen: list[Request] = []

    async def answer(request: Request) -> Reply:
        seen.append(request)
        return Reply(202, {})

    assert await sent_to(answer) == Answer(True, "device", "HTTP 202")
    (request,) = seen
    assert request.target == "/base/poles/p1/set"
    assert request.headers["idempotency-key"] == '"urn:c:1"'
    assert request.headers["authorization"] == "Basic dXNlcjpzZWNyZXQ="


@pytest.mark.parametrize("status", [400, 403, 404, 409, 301])
async def test_http_that_says_no_is_a_refusal(status: int) -> None:
    async def answer(_: Request) -> Reply:
        return Reply(status, {})

    assert await sent_to(answer) == Answer(False, "device", f"HTTP {status}")


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_http_that_cannot_now_is_tried_again(status: int) -> None:
    async def answer(_: Request) -> Reply:
        return Reply(status, {})

    with pytest.raises(Unavailable):
        await sent_to(answer)


async def test_http_that_hangs_is_left_in_time() -> None:
    async def answer(_: Request) -> Reply | None:
        return HANGS

    with pytest.raises(Unavailable):
        await sent_to(answer, timeout_s=0.2)


async def test_a_channel_nobody_set_or_that_may_not_be_reached_is_told() -> None:
    with pytest.raises(Invalid, match="no address"):
        await channels("http://127.0.0.1:1").send(an_order(channel="gates"), nothing)
    with pytest.raises(Forbidden):
        await channels("http://127.0.0.1:1", private=False).send(an_order(), nothing)
    with pytest.raises(Invalid, match="neither MQTT nor HTTP"):
        await channels("ftp://127.0.0.1").send(an_order(), nothing)


@asynccontextmanager
async def a_device(port: int, status: str, *, deaf: bool = False) -> AsyncIterator[list[Any]]:
    """Yield what a device hears that answers every command with `status`."""
    heard: list[Any] = []
    ready = asyncio.Event()

    async def live() -> None:
        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe("poles/+/set", qos=1)
            ready.set()
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                said = json.loads(message.payload)
                heard.append(said)
                if deaf:
                    continue
                for command in ("another", said["commandId"]):
                    told = {"commandId": command, "status": status, "detail": "lamp 7"}
                    await client.publish("poles/p1/ack", json.dumps(told), qos=1)

    task = asyncio.create_task(live())
    await asyncio.wait_for(ready.wait(), 60)
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@needs_mosquitto
@pytest.mark.parametrize(("status", "accepted"), [("accepted", True), ("refused", False)])
async def test_mqtt_waits_for_the_answer_of_the_device_to_this_command(
    broker: int,
    status: str,
    accepted: bool,
) -> None:
    order = an_order(answers="poles/p1/ack")
    async with a_device(broker, status) as heard:
        got = await channels(f"mqtt://127.0.0.1:{broker}").send(order, nothing)

    assert got == Answer(accepted, "device", "lamp 7")
    assert heard == [{"commandId": "urn:c:1"}]


@needs_mosquitto
async def test_mqtt_without_an_answer_in_time_or_without_a_broker_is_tried_again(
    broker: int,
) -> None:
    order = an_order(answers="poles/p1/ack", timeout_s=0.5)
    async with a_device(broker, "accepted", deaf=True):
        with pytest.raises(Unavailable):
            await channels(f"mqtt://127.0.0.1:{broker}").send(order, nothing)
    with pytest.raises(Unavailable):
        await channels("mqtt://127.0.0.1:1").send(order, nothing)


@needs_mosquitto
async def test_mqtt_without_a_topic_for_answers_is_taken_by_the_broker(
    broker: int,
) -> None:
    got = await channels(f"mqtt://127.0.0.1:{broker}").send(an_order(), nothing)

    assert got == Answer(True, "broker")


@asynccontextmanager
async def a_city(folder: Path, url: str) -> AsyncIterator[House]:
    async with a_house(folder, command_channels={"lamps": url}) as house:
        yield house


async def send(house: House) -> Command:
    await house.city.rules.sender.round()
    await house.city.rules.sender.idle()
    (command,) = await house.city.rules.service.commands(manager())
    return command


LIT = {"q": "lit==true", "within": "PT2M"}


@needs_mosquitto
async def test_the_whole_way_from_reading_to_verified_effect(
    tmp_path: Path,
    broker: int,
) -> None:
    async with a_city(tmp_path, f"mqtt://127.0.0.1:{broker}") as house:
        told = a_command(high_impact=False, answers="poles/{key}/ack", effect=LIT)
        await on(house, command=told)
        async with a_device(broker, "accepted") as heard:
            await tell(house, tilt=16)
            acknowledged = await send(house)
        assert acknowledged.state is CommandState.ACKNOWLEDGED
        assert acknowledged.is_live
        assert [one["device"] for one in heard] == [POLE]

        await tell(house, lit=True)

        (verified,) = await house.city.rules.service.commands(manager())
        assert verified.state is CommandState.VERIFIED
        states = [one.what for one in verified.lines]
        assert states == ["pending", "attempt", "sent", "acknowledged", "verified"]
        firing = await house.city.rules.service.firing(manager(), verified.firing)
        assert [one.what for one in firing.lines] == ["fired", *states]


async def test_an_effect_seen_before_the_command_does_not_verify_it(tmp_path: Path) -> None:
    async def answer(_: Request) -> Reply:
        return Reply(204, {})

    async with (
        a_listener(answer) as port,
        a_city(tmp_path, f"http://127.0.0.1:{port}") as house,
    ):
        await on(house, command=a_command(high_impact=False, effect=LIT))
        await tell(house, lit=True)
        await tell(house, after_s=60, tilt=16)
        assert (await send(house)).state is CommandState.ACKNOWLEDGED

        house.clock.advance(timedelta(minutes=3))
        assert (await send(house)).state is CommandState.NO_EFFECT


async def test_trying_ends_after_the_bound_under_one_id(tmp_path: Path) -> None:
    ids = []

    async def answer(request: Request) -> Reply:
        ids.append(json.loads(request.body)["commandId"])
        return Reply(503, {})

    async with (
        a_listener(answer) as port,
        a_city(tmp_path, f"http://127.0.0.1:{port}") as house,
    ):
        house.city.rules.sender._sleep = _at_once
        await on(house, command=a_command(high_impact=False, retries=2))
        await tell(house, tilt=16)
        command = await send(house)

        assert command.state is CommandState.TIMED_OUT
        assert command.attempts == 3
        assert ids == [command.id] * 3


async def test_a_refusal_of_the_device_ends_the_command(tmp_path: Path) -> None:
    async def answer(_: Request) -> Reply:
        return Reply(409, {})

    async with (
        a_listener(answer) as port,
        a_city(tmp_path, f"http://127.0.0.1:{port}") as house,
    ):
        await on(house, command=a_command(high_impact=False))
        await tell(house, tilt=16)
        assert (await send(house)).state is CommandState.REFUSED


async def _at_once(_: float) -> None:
    return
