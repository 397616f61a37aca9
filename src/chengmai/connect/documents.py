"""Fetching small documents from other hosts: bounded in size and time, to checked addresses only."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import httpx2

from chengmai.connect.outbound import known_authorities, pinned
from chengmai.kernel.problems import Unavailable

_STEP_S = 3.0
_WHOLE_S = 5.0
_LARGEST = 1024 * 1024


class DocumentFetcher:
    """Implements `broker.contexts.Fetcher`."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._client = httpx2.AsyncClient(
            verify=known_authorities(), timeout=_STEP_S, follow_redirects=False, trust_env=False
        )

    async def get(self, url: str) -> bytes:
        """Return the body of at most 1 MiB; raises `Unavailable`, or `EgressDenied`."""
        target, host = await pinned(url, private=self._private)
        headers = {"Host": host, "Accept": "application/ld+json, application/json"}
        chunks: list[bytes] = []
        size = 0
        try:
            async with (
                asyncio.timeout(_WHOLE_S),
                self._client.stream(
                    "GET",
                    target,
                    headers=headers,
                    extensions={"sni_hostname": urlsplit(url).hostname},
                ) as response,
            ):
                if not response.is_success:
                    raise Unavailable(f"{host} answered {response.status_code}")
                async for chunk in response.aiter_bytes():
                    size += len(chunk)
                    if size > _LARGEST:
                        raise Unavailable(f"{url:.200} is longer than {_LARGEST} bytes")
                    chunks.append(chunk)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            raise Unavailable(f"{host} did not answer: {type(error).__name__} {error}") from error
        return b"".join(chunks)

    async def close(self) -> None:
        """Close idle connections."""
        await self._client.aclose()
