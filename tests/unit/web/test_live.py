"""The stream of news: ids, replay, reload, heartbeats, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any, cast

from chengmai.kernel.actors import Actor
from chengmai.web.cockpit.live import TOPICS, frame, frames
from chengmai.web.cockpit.live_hub import LiveHub
from chengmai.web.cockpit.views import LiveEvent
from chengmai.web.cockpit.visit import Visit
from tests.unit.web.fake_city import FakeCity

VIEWER = Actor("usr_1")


def visit(city: FakeCity, session: str = "t") -> Visit:
    parts = SimpleNamespace(desk=city, accounts=city)
    return Visit(cast(Any, None), cast(Any, parts), VIEWER, session, "b")


async def first(events: AsyncIterator[LiveEvent], n: int) -> list[tuple[str, str]]:
    found = []
    async with aclosing(cast(Any, events)) as stream:
        async for event in stream:
            found.append((event.id, event.topic))
            if len(found) == n:
                break
    return found


async def test_what_was_missed_is_told_first() -> None:
    hub = LiveHub("run")
    for topic in ("vitals", "cases", "vitals"):
        hub.publish("city", topic, {})
    assert await first(hub.subscribe(VIEWER, TOPICS, "run-1"), 2) == [
        ("run-2", "cases"),
        ("run-3", "vitals"),
    ]


async def test_what_comes_while_a_page_is_made_is_told_to_that_page() -> None:
    hub = LiveHub("run")
    hub.publish("city", "feeds", {})
    page = hub.latest()
    hub.publish("city", "vitals", {})
    assert await first(hub.subscribe(VIEWER, TOPICS, page), 1) == [("run-2", "vitals")]


async def test_topics_and_tenants_are_kept_apart() -> None:
    hub = LiveHub("run")
    hub.publish("city", "feeds", {})
    hub.publish("elsewhere", "vitals", {})
    hub.publish("city", "vitals", {})
    assert await first(hub.subscribe(VIEWER, frozenset({"vitals"}), "run-0"), 1) == [
        ("run-3", "vitals")
    ]


async def test_an_id_of_another_run_or_out_of_memory_means_reload() -> None:
    hub = LiveHub("run", kept=2)
    for _ in range(5):
        hub.publish("city", "vitals", {})
    for last in ("other-1", "run-1", "run-99", "nonsense", "run-x"):
        assert await first(hub.subscribe(VIEWER, TOPICS, last), 1) == [("run-5", "reload")]


async def test_a_subscriber_that_falls_behind_is_told_to_reload() -> None:
    hub = LiveHub("run", backlog=2)
    events = hub.subscribe(VIEWER, TOPICS, None)
    waiting = asyncio.ensure_future(anext(aiter(events)))
    await asyncio.sleep(0)
    for _ in range(20):
        hub.publish("city", "vitals", {})
    assert (await waiting).topic == "vitals"
    seen = [(await anext(aiter(events))).topic for _ in range(2)]
    hub.publish("city", "cases", {})
    assert [*seen, (await anext(aiter(events))).topic] == ["vitals", "vitals", "reload"]
    await cast(Any, events).aclose()


async def test_closing_the_hub_ends_every_stream() -> None:
    hub = LiveHub("run")
    listening = asyncio.ensure_future(first(hub.subscribe(VIEWER, TOPICS, None), 9))
    await asyncio.sleep(0)
    hub.publish("city", "vitals", {})
    hub.close()
    assert await listening == [("run-1", "vitals")]


def test_a_frame_is_one_event_of_the_standard() -> None:
    made = frame(LiveEvent("r-1", "vitals\nid: 9", {"id": "a\nb"}))
    assert made == b'event: vitals id: 9\nid: r-1\ndata: {"id":"a\\nb"}\n\n'


async def test_a_stream_begins_with_the_time_of_the_city_and_ends_with_the_events() -> None:
    hub, city = LiveHub("run"), FakeCity()
    hub.publish("city", "cases", {"id": "x"})
    hub.close()
    told = [part async for part in frames(visit(city), hub.subscribe(VIEWER, TOPICS, "run-0"))]
    assert told[0].startswith(b"retry: 3000\n\nevent: heartbeat\n")
    assert b'"now":"2026-11-22T07:43:00Z"' in told[0]
    assert told[1:] == [b'event: cases\nid: run-1\ndata: {"id":"x"}\n\n']


async def test_a_heartbeat_comes_while_the_session_lives_and_the_stream_ends_with_it() -> None:
    hub, city = LiveHub("run"), FakeCity()
    city.signed_in["t"] = VIEWER
    stream = frames(visit(city), hub.subscribe(VIEWER, TOPICS, None), heartbeat_s=0)
    assert b"heartbeat" in await anext(stream)
    assert (await anext(stream)).startswith(b"event: heartbeat")
    await city.sign_out("t")
    assert [part async for part in stream] == []
