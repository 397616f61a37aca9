"""The one stream of news to a page: server-sent events (HTML Living Standard, section 9.2).

Every event has an id, so that a page that comes back says what it saw last (`Last-Event-ID`, or `?last=`
after a pause of its own). A heartbeat event every 15 s carries the city's time: a page that hears nothing
for 30 s says so. At each heartbeat the session is looked at again; when it ended, the stream ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
from starlette.responses import Response, StreamingResponse

from chengmai.kernel.instants import format_instant
from chengmai.web.cockpit.access import SIGNED_IN
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.views import LiveEvent
from chengmai.web.cockpit.visit import Visit

TOPICS = frozenset({"vitals", "cases", "feeds"})
HEARTBEAT_S = 15.0
RETRY_MS = 3000


async def stream(visit: Visit) -> Response:
    """Answer the stream of the topics asked for; without any, of all."""
    asked = frozenset(visit.asked("topics").split(",")) & TOPICS
    last = visit.request.headers.get("last-event-id") or visit.asked("last") or None
    events = visit.parts.live.subscribe(visit.actor, asked or TOPICS, last)
    return StreamingResponse(
        frames(visit, events),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def frames(
    visit: Visit, events: AsyncIterator[LiveEvent], heartbeat_s: float = HEARTBEAT_S
) -> AsyncIterator[bytes]:
    """Yield the frames of the stream until the events or the session end."""
    yield f"retry: {RETRY_MS}\n\n".encode() + _heartbeat(visit)
    waiting = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            done, _ = await asyncio.wait({waiting}, timeout=heartbeat_s)
            if not done:
                if await visit.parts.accounts.actor_of(visit.session) is None:
                    return
                yield _heartbeat(visit)
                continue
            event = waiting.result()
            if event is None:
                return
            yield frame(event)
            waiting = asyncio.ensure_future(anext(events, None))
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()


def frame(event: LiveEvent) -> bytes:
    """Return one event as it goes over the wire; the data are one line of JSON."""
    name, number = (part.replace("\n", " ") for part in (event.topic, event.id))
    return f"event: {name}\nid: {number}\ndata: ".encode() + orjson.dumps(event.data) + b"\n\n"


def _heartbeat(visit: Visit) -> bytes:
    now = format_instant(visit.parts.desk.banner().now)
    return b"event: heartbeat\ndata: " + orjson.dumps({"now": now}) + b"\n\n"


SCREENS = (Screen("/live", stream, SIGNED_IN, quiet=True),)
