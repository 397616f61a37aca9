"""Commands to devices over MQTT and HTTP, to addresses that the city set and nobody else.

A channel is `mqtt[s]://[user:password@]host[:port][/prefix]` or `http[s]://[user:password@]host[:port][/path]`.
As for notifications, a name is resolved and judged, and the connection goes to the address that was checked.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import aiomqtt
import orjson
from pydantic import SecretStr

from chengmai.connect.outbound import checked_address
from chengmai.connect.posting import Poster
from chengmai.kernel.problems import Invalid, Unavailable
from chengmai.rules.ports import Answer, Order

_LATER = frozenset({408, 425, 429})


class CommandChannels:
    """Implements `rules.ports.Channels`."""

    def __init__(self, channels: Mapping[str, SecretStr], *, private: bool) -> None:
        self._channels = channels
        self._private = private
        self._poster = Poster(partial(checked_address, private=private))

    def names(self) -> Sequence[str]:
        return sorted(self._channels)

    async def send(self, order: Order, on_sent: Callable[[], Awaitable[None]]) -> Answer:
        kept = self._channels.get(order.channel)
        if kept is None:
            raise Invalid(
                f"the channel {order.channel} has no address",
                code="command.no_channel",
                param="channel",
                fix="set it in CHENGMAI_COMMAND_CHANNELS",
            )
        url = kept.get_secret_value()
        scheme = urlsplit(url).scheme
        if scheme in ("mqtt", "mqtts"):
            return await self._over_mqtt(url, order, on_sent)
        if scheme in ("http", "https"):
            return await self._over_http(url, order, on_sent)
        raise Invalid(
            f"the channel {order.channel} is neither MQTT nor HTTP",
            code="command.channel_kind",
            param="channel",
            fix="write its address as mqtt://host:1883 or https://host/path",
        )

    async def close(self) -> None:
        """Close idle connections."""
        await self._poster.close()

    async def _over_http(
        self, url: str, order: Order, on_sent: Callable[[], Awaitable[None]]
    ) -> Answer:
        parts = urlsplit(url)
        path = f"{parts.path.rstrip('/')}/{quote(order.to.lstrip('/'), safe='/:@')}"
        host = parts.netloc.rpartition("@")[2]
        target = urlunsplit((parts.scheme, host, path, parts.query, ""))
        headers = {"Content-Type": "application/json", "Idempotency-Key": f'"{order.command_id}"'}
        if parts.username:
            said = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Authorization"] = "Basic " + b64encode(said.encode()).decode()
        try:
            status = await self._poster.post(target, headers, order.body, timeout_s=order.timeout_s)
        except OSError as error:
            raise Unavailable(
                f"{host} did not answer: {type(error).__name__} {error}"[:300]
            ) from error
        await on_sent()
        if 200 <= status < 300:
            return Answer(True, "device", f"HTTP {status}")
        if status in _LATER or status >= 500:
            raise Unavailable(f"{host} answered {status}")
        return Answer(False, "device", f"HTTP {status}")

    async def _over_mqtt(
        self, url: str, order: Order, on_sent: Callable[[], Awaitable[None]]
    ) -> Answer:
        parts = urlsplit(url)
        secure = parts.scheme == "mqtts"
        port = parts.port or (8883 if secure else 1883)
        host = parts.hostname or ""
        prefix = unquote(parts.path.strip("/"))
        # TLS names the host; only plain connections can be pinned to the address that was checked.
        address = await checked_address(host, port, private=self._private)
        client = aiomqtt.Client(
            host if secure else address,
            port,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            identifier=f"chengmai-{secrets.token_hex(6)}",
            tls_context=ssl.create_default_context() if secure else None,
            timeout=order.timeout_s,
        )
        try:
            async with asyncio.timeout(order.timeout_s), client:
                if order.answers:
                    await client.subscribe(_under(prefix, order.answers), qos=1)
                await client.publish(_under(prefix, order.to), order.body, qos=1)
                await on_sent()
                if not order.answers:
                    return Answer(True, "broker")
                return await _answer(client, order)
        except (aiomqtt.MqttError, TimeoutError, OSError) as error:
            raise Unavailable(
                f"{host}:{port}: no answer ({type(error).__name__} {error})"[:300]
            ) from error


async def _answer(client: aiomqtt.Client, order: Order) -> Answer:
    """Return the first answer to this command; what others are told is passed over."""
    async for message in client.messages:
        said = _said(message.payload)
        if said.get("commandId") != order.command_id:
            continue
        status, detail = said.get("status"), str(said.get("detail", ""))[:300]
        if status in ("accepted", "refused"):
            return Answer(status == "accepted", "device", detail)
    raise TimeoutError("the connection ended")


def _said(payload: Any) -> dict[str, Any]:
    try:
        said = orjson.loads(payload)
    except (orjson.JSONDecodeError, TypeError):
        return {}
    return said if isinstance(said, dict) else {}


def _under(prefix: str, topic: str) -> str:
    return f"{prefix}/{topic}" if prefix else topic
