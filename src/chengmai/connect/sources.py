"""Asking other brokers over HTTP: to checked addresses only, bounded in size, never raising."""

from __future__ import annotations

import asyncio
from urllib.parse import quote, urlencode, urlsplit

import httpx2
import orjson

from chengmai.broker.distribution.loops import via_header
from chengmai.broker.distribution.ports import API, Answer, Failure, Forward, Kind, Reply
from chengmai.connect.outbound import EgressDenied, known_authorities, pinned
from chengmai.kernel.problems import Problem
from chengmai.ngsild.contexts import CORE_URL, Context

LARGEST_ANSWER = 16 * 1024 * 1024
_LINK = '<{}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'


class HttpSources:
    """Implements `broker.distribution.ports.Sources`.

    Redirects are not followed: a source could point anywhere inside our network. Nothing of the requester
    goes along but what the registration names.
    """

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._client = httpx2.AsyncClient(
            verify=known_authorities(),
            timeout=None,  # for each step; the whole is bounded where it is asked
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=100),
            follow_redirects=False,
            trust_env=False,
        )

    async def ask(self, forward: Forward, *, timeout_s: float) -> Answer:
        url = forward.registration.endpoint + API + forward.path
        if forward.parameters:
            url += "?" + urlencode(forward.parameters, quote_via=quote, safe=":,;|()*!~@")
        try:
            async with asyncio.timeout(timeout_s):
                target, host = await pinned(url, private=self._private)
                return await self._exchange(forward, url, target, host)
        except (TimeoutError, httpx2.TimeoutException):
            return Failure(Kind.TIMEOUT, f"no answer within {timeout_s:g} s")
        except EgressDenied:
            return Failure(Kind.DENIED, "its address may not be connected to")
        except Problem as problem:
            return Failure(Kind.UNREACHABLE, problem.detail)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError) as error:
            return Failure(Kind.UNREACHABLE, f"no connection: {type(error).__name__}")

    async def _exchange(self, forward: Forward, url: str, target: str, host: str) -> Answer:
        body = _body(forward)
        async with self._client.stream(
            forward.method,
            target,
            content=body,
            headers=_headers(forward, host, has_body=body is not None),
            extensions={"sni_hostname": urlsplit(url).hostname},
        ) as response:
            if response.headers.get("content-encoding", "identity") != "identity":
                return Failure(Kind.INVALID, "it sent something compressed that was not asked for")
            content = bytearray()
            async for piece in response.aiter_raw():
                content += piece
                if len(content) > LARGEST_ANSWER:
                    return Failure(Kind.INVALID, f"it sent more than {LARGEST_ANSWER} bytes")
        return _reply(response.status_code, dict(response.headers), bytes(content))

    async def close(self) -> None:
        """Close idle connections."""
        await self._client.aclose()


def _reply(status: int, headers: dict[str, str], content: bytes) -> Answer:
    if 300 <= status < 400:
        return Failure(Kind.INVALID, f"it answered {status}, and redirects are not followed")
    document = None
    if content.strip():
        try:
            document = orjson.loads(content)
        except orjson.JSONDecodeError:
            if status < 300:
                return Failure(Kind.INVALID, "what it sent is not JSON")
    return Reply(status, {name.lower(): value for name, value in headers.items()}, document)


def _body(forward: Forward) -> bytes | None:
    if forward.body is None:
        return None
    if not forward.inline:
        return orjson.dumps(forward.body)
    context = {"@context": forward.context.echo}
    if isinstance(forward.body, dict):
        return orjson.dumps({**forward.body, **context})
    return orjson.dumps(
        [{**one, **context} if isinstance(one, dict) else one for one in forward.body]
    )


def _headers(forward: Forward, host: str, *, has_body: bool) -> list[tuple[str, str]]:
    made = [
        ("Host", host),
        ("Accept", forward.accept),
        # A few bytes could become any number of them.
        ("Accept-Encoding", "identity"),
        ("Via", via_header(forward.via)),
    ]
    if has_body:
        media = "application/ld+json" if forward.inline else "application/json"
        made.append(("Content-Type", media))
    if not (has_body and forward.inline):
        made.append(("Link", _LINK.format(_url(forward.context))))
    if forward.registration.source_tenant is not None:
        made.append(("NGSILD-Tenant", forward.registration.source_tenant))
    return [*made, *forward.headers]


def _url(context: Context) -> str:
    return context.url or CORE_URL
