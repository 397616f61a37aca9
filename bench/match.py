"""Changes in front of 10,000 subscriptions in eight classes of filters; none may be forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from bench.fill import upsert
from bench.load import Call, run
from bench.measure import Row, against
from bench.servers import a_city, http_reference
from bench.shapes import entity, entity_id
from bench.write import partials

EACH = 1250
"""Subscriptions of a class."""
_COUNT = 2500
_PATIENCE_S = 120


async def match() -> list[Row]:
    """Return updates without subscriptions, with 10,000 of which none is due, and with one due each."""
    bare, rows = await http_reference("match", entity(0), _COUNT), []
    async with (
        _Receiver() as receiver,
        a_city(private_egress="true") as (target, _),
    ):
        await upsert(target, EACH + _COUNT)
        others = partials(EACH, _COUNT)
        rows.append(await run(target, "match", "partial update, no subscriptions", others))
        made = (Call("POST", "/ngsi-ld/v1/subscriptions", one) for one in _all(receiver.port))
        shape = "create a subscription"
        rows.append(await run(target, "match", shape, made))
        others = partials(EACH, _COUNT)
        shape = f"partial update, {8 * EACH:,} subscriptions, none due"
        rows.append(await run(target, "match", shape, others))
        shape = f"partial update, {8 * EACH:,} subscriptions, one due"
        row = await run(target, "match", shape, partials(0, EACH))
        lost = EACH - await receiver.counted(EACH)
        rows.append(Row(**{**vars(row), "note": f"{EACH:,} due, {lost} not delivered"}))
    return against(bare, [bare, *rows])


def _all(port: int) -> Iterator[dict[str, Any]]:
    for n in range(EACH):
        for place, asked in enumerate(_classes(n)):
            yield {
                "id": f"urn:ngsi-ld:Subscription:{place}-{n}",
                "type": "Subscription",
                "entities": [{"type": "Sensor"}],
                "notification": {"endpoint": {"uri": f"http://127.0.0.1:{port}/"}},
            } | asked


def _classes(n: int) -> list[dict[str, Any]]:
    near = {
        "georel": "near;maxDistance==500",
        "geometry": "Point",
        "coordinates": [100 + n / 1000, 20 + n / 100],
    }
    return [
        {"entities": [{"type": "Sensor", "id": entity_id(n)}]},
        {"entities": [{"type": "Sensor", "idPattern": f"^urn:ngsi-ld:Sensor:9{n:04}.*"}]},
        {"watchedAttributes": [f"other{n}"]},
        {"q": f'name=="Nobody {n}"'},
        {"q": f"pm25>{1000 + n}"},
        {"geoQ": near},
        {"scopeQ": f"/city/district{n}/#"},
        {"entities": [{"type": f"Other{n}"}]},
    ]


class _Receiver:
    """Takes notifications and counts them."""

    def __init__(self) -> None:
        self._taken = 0
        self.port = 0

    async def __aenter__(self) -> _Receiver:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def counted(self, due: int) -> int:
        """Return how many came, once all have or patience is at its end."""
        for _ in range(_PATIENCE_S * 10):
            if self._taken >= due:
                break
            await asyncio.sleep(0.1)
        return self._taken

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                at = head.index(b"content-length:")
                await reader.readexactly(int(head[at + 15 : head.index(b"\r\n", at)]))
                self._taken += 1
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
