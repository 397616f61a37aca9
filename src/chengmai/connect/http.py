"""Readings from a JSON document that a server offers and we fetch again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import httpx2

from chengmai.connect.mapping import Mapper
from chengmai.connect.outbound import pinned
from chengmai.connect.payloads import parse_path, readings_of
from chengmai.connect.ports import Sink
from chengmai.connect.problems import SourceFailed
from chengmai.connect.times import TimeReader
from chengmai.kernel.clock import Clock
from chengmai.kernel.problems import Problem
from chengmai.packs.feeds import HttpFeed
from chengmai.packs.model import EntitySpec

Sleep = Callable[[float], Awaitable[None]]


class HttpConnector:
    """Fetches the document of `feed` every `every` of real time; an unchanged one (ETag) costs nothing.

    `headers` come from the city's settings (a token, say). `private` admits private and loopback addresses;
    redirects are not followed. Raises `SourceFailed` when the server cannot be
    reached, refuses, or sends more than `max_bytes`; the runner tries again, waiting longer each time.
    """

    def __init__(
        self,
        feed: HttpFeed,
        entity: EntitySpec,
        *,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
        private: bool = False,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._feed = feed
        self._clock = clock
        self._headers = dict(headers or {})
        self._private = private
        self._sleep = sleep
        self._mapper = Mapper(feed.map, TimeReader(feed.time), entity)
        self._path = parse_path(feed.source.records)
        self._etag: str | None = None

    async def run(self, sink: Sink) -> None:
        """Fetch until cancelled; raises `SourceFailed`."""
        source = self._feed.source
        timeout = httpx2.Timeout(source.timeout.total_seconds())
        async with httpx2.AsyncClient(timeout=timeout, headers=self._headers) as client:
            while True:
                await self._poll(client, sink)
                await self._sleep(source.every.total_seconds())

    async def _poll(self, client: httpx2.AsyncClient, sink: Sink) -> None:
        url = self._feed.source.url
        try:
            # The timeout of the client is between two bytes; this one is for the whole answer.
            async with asyncio.timeout(2 * self._feed.source.timeout.total_seconds()):
                fetched = await self._fetch(client)
        except (httpx2.HTTPError, TimeoutError) as error:
            said = str(error) or type(error).__name__
            raise SourceFailed(f"{url}: {said}", fix="check the address and the server") from error
        if fetched is None:
            return
        body, etag = fetched
        readings, rejects = await asyncio.to_thread(
            readings_of, body, self._path, self._mapper, url, self._clock.now()
        )
        await sink.accept(readings, rejects)
        # Only now: a document that was not taken in must be fetched again.
        self._etag = etag

    async def _fetch(self, client: httpx2.AsyncClient) -> tuple[bytes, str | None] | None:
        """Return (body, ETag), or None when the document has not changed."""
        source = self._feed.source
        headers = {"Accept": "application/json"}
        if self._etag is not None:
            headers["If-None-Match"] = self._etag
        try:
            target, headers["Host"] = await pinned(source.url, private=self._private)
        except Problem as problem:
            raise SourceFailed(f"{source.url}: {problem.detail}", fix=problem.fix) from problem
        named = {"sni_hostname": urlsplit(source.url).hostname}
        async with client.stream("GET", target, headers=headers, extensions=named) as answer:
            if answer.status_code == 304:
                return None
            if answer.status_code != 200:
                raise SourceFailed(
                    f"{source.url} answered {answer.status_code}",
                    fix="check the address and the credentials",
                )
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > source.max_bytes:
                    raise SourceFailed(
                        f"{source.url} sends more than {source.max_bytes} bytes",
                        fix="ask for less, or raise max_bytes of the feed",
                    )
            return bytes(body), answer.headers.get("etag")
