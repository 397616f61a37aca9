"""Readings from an MQTT broker, at least once: a message is acknowledged after its readings are committed.

The session is kept by the broker under a fixed client id. What was not acknowledged comes again after a
reconnect, and what was committed twice is counted as a duplicate; so nothing is lost and nothing doubled.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Any

import aiomqtt

from chengmai.connect.mapping import Mapper
from chengmai.connect.outbound import checked_address
from chengmai.connect.payloads import parse_path, readings_of
from chengmai.connect.ports import Sink
from chengmai.connect.problems import SourceFailed
from chengmai.connect.reading import Reading, Reject
from chengmai.connect.times import TimeReader
from chengmai.kernel.clock import Clock
from chengmai.kernel.problems import Problem
from chengmai.packs.feeds import MqttFeed
from chengmai.packs.model import EntitySpec
from chengmai.packs.sources import MIB

BATCH_MESSAGES = 200


class MqttConnector:
    """Subscribes to the topics of `feed`. `username` and `password` come from the city's settings.

    `private` admits brokers at private and loopback addresses.

    Raises `SourceFailed` when the broker cannot be reached or the connection breaks; the runner tries
    again, waiting longer each time.
    """

    def __init__(
        self,
        feed: MqttFeed,
        entity: EntitySpec,
        *,
        clock: Clock,
        username: str | None = None,
        password: str | None = None,
        private: bool = False,
    ) -> None:
        self._feed = feed
        self._private = private
        self._clock = clock
        self._username = username
        self._password = password
        self._mapper = Mapper(feed.map, TimeReader(feed.time), entity)
        self._path = parse_path(feed.source.records)

    async def run(self, sink: Sink) -> None:
        """Hand over messages until cancelled; raises `SourceFailed`."""
        source = self._feed.source
        try:
            address = await checked_address(source.host, source.port, private=self._private)
        except Problem as problem:
            raise SourceFailed(
                f"MQTT broker {source.host}:{source.port}: {problem.detail}", fix=problem.fix
            ) from problem
        client = aiomqtt.Client(
            # A certificate is made out for the name, and shows that nobody else answers to it.
            source.host if source.tls else address,
            source.port,
            username=self._username,
            password=self._password,
            identifier=f"chengmai-{self._feed.id}",
            clean_session=False,
            tls_context=ssl.create_default_context() if source.tls else None,
        )
        # aiomqtt has no public switch for acknowledging by hand; the client it wraps has.
        wrapped = client._client
        wrapped.manual_ack_set(True)
        try:
            async with client:
                topics: list[tuple[str, int]] = [(topic, source.qos) for topic in source.topics]
                await client.subscribe(topics)
                await self._receive(client, wrapped, sink)
        except aiomqtt.MqttError as error:
            raise SourceFailed(
                f"MQTT broker {source.host}:{source.port}: {error}",
                fix="check that the broker runs and the address is right",
            ) from error

    async def _receive(self, client: aiomqtt.Client, wrapped: Any, sink: Sink) -> None:
        waiting: asyncio.Queue[aiomqtt.Message] = asyncio.Queue()

        async def pump() -> None:
            async for message in client.messages:
                waiting.put_nowait(message)

        pumping = asyncio.create_task(pump())
        try:
            while True:
                batch = await _next_batch(waiting, pumping)
                readings, rejects = self._read(batch)
                await sink.accept(readings, rejects)
                for message in batch:
                    if message.qos:
                        wrapped.ack(message.mid, message.qos)
        finally:
            pumping.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await pumping

    def _read(self, batch: list[aiomqtt.Message]) -> tuple[list[Reading], list[Reject]]:
        readings: list[Reading] = []
        rejects: list[Reject] = []
        now = self._clock.now()
        for message in batch:
            topic = message.topic.value
            raw = message.payload if isinstance(message.payload, bytes) else b""
            if len(raw) > MIB:
                detail = f"the payload has {len(raw)} bytes; at most {MIB} are read"
                rejects.append(Reject("line_too_long", topic, detail, "", now))
                continue
            parts = {f"topic.{number}": part for number, part in enumerate(topic.split("/"))}
            more, refused = readings_of(raw, self._path, self._mapper, topic, now, parts)
            readings += more
            rejects += refused
        return readings, rejects


async def _next_batch(
    waiting: asyncio.Queue[aiomqtt.Message], pumping: asyncio.Task[None]
) -> list[aiomqtt.Message]:
    """Return the next messages; raises what ended the pump when nothing is left to hand over."""
    if waiting.empty():
        first = asyncio.create_task(waiting.get())
        try:
            await asyncio.wait({first, pumping}, return_when=asyncio.FIRST_COMPLETED)
            if not first.done():
                await pumping
                raise SourceFailed("the broker ended the stream of messages")
            batch = [first.result()]
        finally:
            first.cancel()
    else:
        batch = []
    while len(batch) < BATCH_MESSAGES and not waiting.empty():
        batch.append(waiting.get_nowait())
    return batch
