"""A server on loopback that offers documents by path, and a feed that reads from it once or more often."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chengmai.connect.formats.choice import format_of
from chengmai.connect.formats.fetching import Reach
from chengmai.connect.formats.polled import PolledConnector
from chengmai.kernel.clock import Clock, FixedClock
from chengmai.packs import read_packs, shipped_packs
from chengmai.packs.feeds import ANY_FEED, FormatFeed
from chengmai.packs.model import EntitySpec
from tests.unit.connect.builders import NOW, Enough, ListSink

Answer = bytes | Callable[[str], tuple[int, dict[str, str], bytes]]
Json = dict[str, Any]
PACKS = {pack.info.id: pack for pack in read_packs([shipped_packs()])}

__all__ = ["Shelf", "a_polled", "at", "in_pages", "polled", "reasons", "serving", "shipped"]


class Shelf(ThreadingHTTPServer):
    """Offers `documents` by path; `asked` are the targets and `signed` the credentials of all requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.documents: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.signed: list[str | None] = []

    def at(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Shelf

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.signed.append(self.headers["Authorization"])
        found = self.server.documents.get(self.path.partition("?")[0].lstrip("/"))
        status, headers, body = 404, dict[str, str](), b"not here"
        if callable(found):
            status, headers, body = found(self.path)
        elif found is not None:
            status, body = 200, found
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[Shelf]:
    """Give a shelf that answers until the block ends."""
    made = Shelf()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


def reasons(sink: ListSink) -> dict[str, int]:
    """Return how often each reason of a refusal was given."""
    return dict(Counter(reject.code for reject in sink.rejects))


def in_pages(shelf: Shelf, path: str, *pages: Json, link: str = "") -> None:
    """Offer pages by the parameter `page`; `link` is the header that names the next one."""

    def answer(target: str) -> tuple[int, dict[str, str], bytes]:
        number = int(target.partition("page=")[2] or 0)
        headers = {"Link": f'<{shelf.at(path)}?page={number + 1}>; rel="next"'} if link else {}
        last = number + 1 >= len(pages)
        return 200, {} if last else headers, json.dumps(pages[number]).encode()

    shelf.documents[path] = answer


def at(minutes: float) -> str:
    """Return the instant so many minutes after now, as formats write it."""
    return (NOW + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def shipped(feed_id: str, **source: Any) -> tuple[FormatFeed, EntitySpec]:
    """Return a feed of the shipped packs, its source changed, and the entity type that it gives."""
    for pack in PACKS.values():
        for feed in pack.feeds:
            if feed.id == feed_id:
                told = feed.model_dump(by_alias=True)
                told["source"] |= source
                made: Any = ANY_FEED.validate_python(told)
                return made, next(e for e in pack.entities if e.type == feed.entity)
    raise AssertionError(feed_id)


def a_polled(
    feed: FormatFeed,
    entity: EntitySpec,
    address: str,
    *,
    polls: int = 1,
    between: Callable[[], None] = lambda: None,
    clock: Clock | None = None,
    private: bool = True,
    folder: Path | None = None,
    headers: dict[str, str] | None = None,
) -> PolledConnector:
    """Return the connector of a feed that ends after `polls`; `between` two of them something may happen."""
    left = [polls]

    async def sleep(seconds: float) -> None:
        left[0] -= 1
        if left[0] <= 0:
            raise Enough
        between()

    return PolledConnector(
        feed,
        entity,
        format_of(feed, address),
        reach=Reach(private, folder),
        clock=clock or FixedClock(NOW),
        headers=headers,
        sleep=sleep,
    )


async def polled(
    feed: FormatFeed, entity: EntitySpec, address: str, sink: ListSink | None = None, **more: Any
) -> ListSink:
    """Return what a feed handed over in its polls."""
    sink = sink or ListSink()
    with pytest.raises(Enough):
        await a_polled(feed, entity, address, **more).run(sink)
    return sink
