"""The connector of all formats: fetch, decode, map, hand over; again and again."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2

from chengmai.connect.formats.fetching import Fetcher, Reach
from chengmai.connect.formats.ports import Broken, Document, Format, Item, Resumed
from chengmai.connect.mapping import Mapper
from chengmai.connect.ports import Cursor, Sink
from chengmai.connect.problems import SourceFailed
from chengmai.connect.reading import Reading, Reject
from chengmai.connect.tables import Fault
from chengmai.connect.times import TimeReader
from chengmai.kernel.clock import Clock
from chengmai.packs.feeds import FormatFeed
from chengmai.packs.model import EntitySpec

Sleep = Callable[[float], Awaitable[None]]
BATCH_RECORDS = 500
LONGEST_READ_S = 300.0
"""How long one document may take to be read; a document that takes longer fails."""


class PolledConnector:
    """Fetches what `form` needs every `every` of real time and hands over what is new in it.

    A document with the same bytes as the last one is not read again, also after a restart; a record that says
    what it said in the last document is not handed over again. A document that cannot be read is one reject,
    and the feed goes on. Raises `SourceFailed` when the source cannot be reached, refuses, or sends too much;
    the runner tries again, waiting longer each time.
    """

    def __init__(
        self,
        feed: FormatFeed,
        entity: EntitySpec,
        form: Format,
        *,
        reach: Reach,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._feed = feed
        self._form = form
        self._reach = reach
        self._clock = clock
        self._headers = dict(headers or {})
        self._sleep = sleep
        missing = frozenset(getattr(feed.source, "missing", ("",)))
        self._mapper = Mapper(feed.map, TimeReader(feed.time), entity, missing=missing)
        self._digest: str | None = None
        self._told: dict[str, int] = {}
        """What each thing said in the last document; `_telling` is that of the one being read."""
        self._telling: dict[str, int] = {}

    async def run(self, sink: Sink) -> None:
        """Fetch until cancelled; raises `SourceFailed`."""
        source = self._feed.source
        cursor = await sink.cursor() or {}
        self._digest = cursor.get("digest")
        if isinstance(self._form, Resumed):
            self._form.resume(cursor.get("state"))
        timeout = httpx2.Timeout(source.timeout.total_seconds())
        try:
            async with httpx2.AsyncClient(
                timeout=timeout, follow_redirects=False, trust_env=False
            ) as client:
                while True:
                    with TemporaryDirectory(prefix="chengmai-feed-") as scratch:
                        await self._poll(sink, self._fetcher(client, Path(scratch)))
                    await self._sleep(source.every.total_seconds())
        finally:
            self._form.close()

    def _fetcher(self, client: httpx2.AsyncClient, scratch: Path) -> Fetcher:
        source = self._feed.source
        return Fetcher(
            client,
            scratch,
            self._reach,
            source.max_bytes,
            source.timeout.total_seconds(),
            self._headers,
        )

    async def _poll(self, sink: Sink, get: Fetcher) -> None:
        now = self._clock.now()
        try:
            documents = await self._form.gather(get)
        except Broken as broken:
            # What stands is kept: the next document that can be read is compared with the last such one.
            readings, rejects = self._mapped([_told(broken)], now)
            await sink.accept(readings, rejects)
            return
        digest = hashlib.sha256("".join(d.digest for d in documents).encode()).hexdigest()
        if digest == self._digest:
            if not self._form.timed:
                await sink.alive()
            return
        self._telling = {}
        await self._hand_over(sink, self._items(documents, now), now, digest)
        # Only now: a document that was not taken in must be read again.
        self._digest = digest

    def _items(self, documents: Sequence[Document], now: datetime) -> Iterator[Item]:
        """Yield the items of the documents within the limits of the feed; never raises `Broken`."""
        most = self._feed.source.max_records
        end = time.monotonic() + LONGEST_READ_S
        try:
            for number, item in enumerate(self._form.items(documents, now)):
                if number >= most:
                    detail = f"more than {most} records; the rest is left out"
                    yield Item(item.where, None, Fault("too_large", detail, ""))
                    return
                if time.monotonic() > end:
                    raise SourceFailed(f"not read within {LONGEST_READ_S:g} s")
                yield item
        except Broken as broken:
            yield _told(broken)

    async def _hand_over(
        self, sink: Sink, items: Iterator[Item], now: datetime, digest: str
    ) -> None:
        while True:
            batch = await asyncio.to_thread(lambda: list(islice(items, BATCH_RECORDS)))
            readings, rejects = await asyncio.to_thread(self._mapped, batch, now)
            last = len(batch) < BATCH_RECORDS
            if readings or rejects or last:
                await sink.accept(readings, rejects, self._cursor(digest if last else None))
            if last:
                self._told, self._telling = self._telling, {}
                return

    def _cursor(self, digest: str | None) -> Cursor | None:
        """Return where to go on: `digest` is that of documents read to their end."""
        if isinstance(self._form, Resumed):
            return {"digest": digest or self._digest, "state": self._form.state()}
        return None if digest is None else {"digest": digest}

    def _mapped(self, batch: list[Item], now: datetime) -> tuple[list[Reading], list[Reject]]:
        readings: list[Reading] = []
        rejects: list[Reject] = []
        for item in batch:
            if item.fault is not None:
                fault = item.fault
                rejects.append(Reject(fault.code, item.where, fault.detail, fault.sample, now))
            for made in self._mapper.readings(item.record, item.where, now) if item.record else ():
                if isinstance(made, Reject):
                    rejects.append(made)
                    continue
                print_ = self._telling[made.entity_id] = self._print(made)
                if self._told.get(made.entity_id) != print_:
                    readings.append(made)
        return readings, rejects

    def _print(self, reading: Reading) -> int:
        """Return a print of what a reading says, by which its repetition is known."""
        at = reading.observed_at if self._form.timed else None
        place = repr(reading.static)
        return hash((at, tuple(sorted(reading.values.items())), place))


def _told(broken: Broken) -> Item:
    return Item("document", None, broken.fault)
