"""Outward MQTT: one publication a notification, 3.1.1 or 5.0 (GS CIM 009 V1.9.1, clause 7.2).

Address: `mqtt[s]://[user[:password]@]host[:port]/topic[/subtopic]*`. The name is resolved and judged as for
HTTP, and the connection goes to the address that was checked.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import aiomqtt
import orjson

from chengmai.connect.outbound import checked_address
from chengmai.kernel.problems import Unavailable

_WHOLE_S = 10.0
_VERSIONS = {"mqtt3.1.1": aiomqtt.ProtocolVersion.V311, "mqtt5.0": aiomqtt.ProtocolVersion.V5}


class MqttPublisher:
    """Publishes notifications; implements `broker.delivery.Publisher`."""

    def __init__(self, *, private: bool) -> None:
        self._private = private

    async def publish(
        self,
        url: str,
        metadata: dict[str, str],
        body: bytes,
        notifier: Mapping[str, str],
        *,
        timeout_s: float | None = None,
    ) -> None:
        parts = urlsplit(url)
        secure = parts.scheme == "mqtts"
        port = parts.port or (8883 if secure else 1883)
        host = parts.hostname or ""
        # TLS names the host; only plain connections can be pinned to the address that was checked.
        address = await checked_address(host, port, private=self._private)
        payload = orjson.dumps({"metadata": metadata, "body": orjson.Fragment(body)})
        client = aiomqtt.Client(
            host if secure else address,
            port,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            identifier=f"chengmai-{secrets.token_hex(6)}",
            protocol=_VERSIONS[notifier.get("MQTT-Version", "mqtt5.0")],
            tls_context=ssl.create_default_context() if secure else None,
            timeout=timeout_s or _WHOLE_S,
        )
        try:
            async with asyncio.timeout(timeout_s or _WHOLE_S), client:
                await client.publish(
                    unquote(parts.path.lstrip("/")), payload, qos=int(notifier.get("MQTT-QoS", "0"))
                )
        except (aiomqtt.MqttError, TimeoutError, OSError) as error:
            raise Unavailable(
                f"{host}:{port} did not take it: {type(error).__name__} {error}"
            ) from error
