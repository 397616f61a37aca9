"""MQTT against a real mosquitto, HTTP against a real server on this machine, feeds in the real store."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from chengmai.connect.http import HttpConnector
from chengmai.connect.mqtt import MqttConnector
from chengmai.connect.problems import SourceFailed
from chengmai.kernel.clock import FixedClock
from chengmai.packs.feeds import HttpFeed, MqttFeed
from chengmai.store.sqlite.feeds import SqliteFeedStore
from chengmai.store.sqlite.work import SqliteTx, SqliteWork
from tests import mosquitto
from tests.unit.connect.builders import NOW, Enough, ListSink, an_entity

needs_mosquitto = pytest.mark.skipif(
    mosquitto.PROGRAM is None, reason="mosquitto is not installed; apt-get install mosquitto"
)
TITLE = {"zh": "测点", "en": "gauges"}
MAPPING = {
    "id": "{station}",
    "area": {"value": "East"},
    "attributes": {"pm25": {"column": "value.pm25", "unit": "GQ"}},
}


def a_record(station: str, pm25: float) -> dict[str, Any]:
    return {"station": station, "at": "2026-11-22T03:00:00Z", "value": {"pm25": pm25}}


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


# -- MQTT ---------------------------------------------------------------------------------------


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """A mosquitto of our own on a free port of this machine."""
    with mosquitto.a_mosquitto(tmp_path) as port:
        yield port


def an_mqtt(port: int, *, private: bool = True) -> MqttConnector:
    feed = MqttFeed.model_validate(
        {
            "id": "gauges",
            "title": TITLE,
            "connector": "mqtt",
            "entity": "Gauge",
            "period": "PT5M",
            "source": {"host": "127.0.0.1", "port": port, "topics": ["city/+/air"]},
            "time": {"column": "at"},
            "map": {**MAPPING, "area": {"column": "topic.1"}},
        }
    )
    return MqttConnector(feed, an_entity(), clock=FixedClock(NOW), private=private)


async def publish(port: int, *payloads: bytes) -> None:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        for payload in payloads:
            await client.publish("city/north/air", payload, qos=1)


async def subscribed(connector: MqttConnector, port: int) -> None:
    """Return once the broker keeps a session for the connector: what is published now reaches it."""
    sink, ready = ListSink(), json.dumps(a_record("ready", 1)).encode()
    task = asyncio.create_task(connector.run(sink))
    try:
        async with asyncio.timeout(60):
            while not sink.live:
                await publish(port, ready)
    finally:
        await stop(task)


@needs_mosquitto
async def test_mqtt_messages_become_readings_and_bad_ones_are_told(broker: int) -> None:
    await subscribed(an_mqtt(broker), broker)
    sink = ListSink()
    task = asyncio.create_task(an_mqtt(broker).run(sink))
    good = json.dumps([a_record("one", 12), a_record("two", 14)]).encode()
    cold = json.dumps(a_record("three", -5)).encode()
    await publish(broker, good, b'{"station": ', b"x" * (1024 * 1024 + 1), cold)
    await until(lambda: len(sink.rejects) == 3)
    await stop(task)
    stations = {r.entity_id[-3:]: r for r in sink.live if not r.entity_id.endswith("ready")}
    assert {name: r.values["pm25"] for name, r in stations.items()} == {"one": 12.0, "two": 14.0}
    assert stations["one"].static is not None
    assert stations["one"].static.area == "north"
    assert [r.code for r in sink.rejects] == ["bad_json", "line_too_long", "out_of_range"]


@needs_mosquitto
async def test_an_mqtt_message_that_was_not_committed_comes_again(broker: int) -> None:
    await subscribed(an_mqtt(broker), broker)
    await publish(broker, json.dumps(a_record("one", 12)).encode())
    dying = ListSink(dies_after=0)
    with pytest.raises(Enough):
        await an_mqtt(broker).run(dying)
    assert dying.live == []
    sink = ListSink()
    task = asyncio.create_task(an_mqtt(broker).run(sink))
    await until(lambda: any(r.entity_id.endswith("one") for r in sink.live))
    await stop(task)


@needs_mosquitto
async def test_an_mqtt_message_that_was_committed_does_not_come_again(broker: int) -> None:
    await subscribed(an_mqtt(broker), broker)
    for name in ("one", "two"):
        sink = ListSink()
        task = asyncio.create_task(an_mqtt(broker).run(sink))
        await publish(broker, json.dumps(a_record(name, 12)).encode())
        await until(lambda s=sink, n=name: any(r.entity_id.endswith(n) for r in s.live))  # type: ignore[misc]
        # Taking part in one more round trip shows that the acknowledgement has been sent.
        await publish(broker, json.dumps(a_record("ready", 2)).encode())
        await until(lambda s=sink: any(r.entity_id.endswith("ready") for r in s.live))  # type: ignore[misc]
        await stop(task)
    assert not any(r.entity_id.endswith("one") for r in sink.live)


async def test_a_broker_that_is_not_there_is_a_failed_source() -> None:
    with pytest.raises(SourceFailed, match="MQTT broker"):
        await an_mqtt(1).run(ListSink())


# -- HTTP ---------------------------------------------------------------------------------------


class Server(ThreadingHTTPServer):
    """Answers with `status` and `body`, and remembers the requests; knows ETags."""

    body: bytes = b""
    status: int = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/data"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        tag = f'"{hash(self.server.body)}"'
        self.server.asked.append(self.headers["If-None-Match"])
        known = self.headers["If-None-Match"] == tag
        self.send_response(304 if known else self.server.status)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", "0" if known else str(len(self.server.body)))
        self.end_headers()
        if not known:
            self.wfile.write(self.server.body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


def an_http(
    server: Server, polls: int = 1, *, private: bool = True, **source: Any
) -> HttpConnector:
    feed = HttpFeed.model_validate(
        {
            "id": "gauges",
            "title": TITLE,
            "connector": "http",
            "entity": "Gauge",
            "period": "PT5M",
            "source": {"url": server.url, "records": "$.data", "every": "PT1M", **source},
            "time": {"column": "at"},
            "map": MAPPING,
        }
    )
    left = [polls]

    async def sleep(seconds: float) -> None:
        left[0] -= 1
        if left[0] <= 0:
            raise Enough

    return HttpConnector(feed, an_entity(), clock=FixedClock(NOW), private=private, sleep=sleep)


async def fetched(connector: HttpConnector) -> ListSink:
    sink = ListSink()
    with pytest.raises(Enough):
        await connector.run(sink)
    return sink


async def test_http_records_become_readings(server: Server) -> None:
    server.body = json.dumps({"data": [a_record("one", 12), a_record("two", "x")]}).encode()  # type: ignore[arg-type]
    sink = await fetched(an_http(server))
    assert [r.values for r in sink.live] == [{"pm25": 12.0}]
    assert [r.code for r in sink.rejects] == ["bad_number"]


async def test_an_unchanged_http_document_is_taken_in_once(server: Server) -> None:
    server.body = json.dumps({"data": [a_record("one", 12)]}).encode()
    sink = await fetched(an_http(server, polls=3))
    assert len(sink.live) == 1
    assert server.asked[0] is None
    assert server.asked[1] == server.asked[2] is not None


async def test_broken_json_over_http_is_told_and_the_feed_goes_on(server: Server) -> None:
    server.body = b'{"data": ['
    sink = await fetched(an_http(server, polls=2))
    assert {r.code for r in sink.rejects} == {"bad_json"}


@pytest.mark.parametrize("status", [301, 403, 500])
async def test_an_http_server_that_refuses_is_a_failed_source(server: Server, status: int) -> None:
    server.status = status
    with pytest.raises(SourceFailed, match=str(status)):
        await an_http(server).run(ListSink())


async def test_an_http_document_that_is_too_large_is_not_read(server: Server) -> None:
    server.body = b" " * 5000
    with pytest.raises(SourceFailed, match="more than 1000 bytes"):
        await an_http(server, max_bytes=1000).run(ListSink())


async def test_an_http_server_that_is_not_there_is_a_failed_source(server: Server) -> None:
    with pytest.raises(SourceFailed):
        await an_http(server, url="http://127.0.0.1:1/").run(ListSink())


async def test_feeds_do_not_connect_to_private_addresses_unless_the_city_allows_it(
    server: Server,
) -> None:
    with pytest.raises(SourceFailed, match="may not be connected to"):
        await an_http(server, private=False).run(ListSink())
    assert server.asked == []
    with pytest.raises(SourceFailed, match="may not be connected to"):
        await an_mqtt(1, private=False).run(ListSink())


# -- the store of feeds -------------------------------------------------------------------------


async def test_the_state_of_a_feed_is_kept_by_tenant_and_undone_with_its_transaction(
    work: SqliteWork,
) -> None:
    store = SqliteFeedStore()

    def fails(tx: SqliteTx) -> None:
        store.save(tx, "city", "gauges", {"cursor": {"n": 2}})
        raise Enough

    await work.write(lambda tx: store.save(tx, "city", "gauges", {"cursor": {"n": 1}}))
    with pytest.raises(Enough):
        await work.write(fails)
    assert await work.read(lambda tx: store.load(tx, "city", "gauges")) == {"cursor": {"n": 1}}
    assert await work.read(lambda tx: store.load(tx, "town", "gauges")) is None
