"""The machine API as an ASGI application: read the request, know who asks, find the route, answer."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from chengmai.broker.distribution.loops import via_entries
from chengmai.kernel.actors import Actor
from chengmai.kernel.problems import Problem, TooLarge
from chengmai.ngsild.problems import ContextWanted
from chengmai.trust.tenants import Tenants, check_name
from chengmai.web.api.http import InvalidRequest, LengthRequired, Request, Response
from chengmai.web.api.machine import Machine
from chengmai.web.api.preferring import as_preferred
from chengmai.web.api.problems import as_accepted, failure_response, problem_response
from chengmai.web.api.routes import (
    CHANGING_SNAPSHOT,
    PREFIX,
    WITHIN_SNAPSHOT,
    Route,
    find,
    offered,
)
from chengmai.web.api.snapshots import HEADER, enter
from chengmai.web.api.tally import RequestTally

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_WITH_BODY = frozenset({"POST", "PATCH", "PUT"})
_ENTITIES = tuple(PREFIX + one for one in ("entities", "entityOperations/"))
MAX_BODY = 10 * 1024 * 1024
_ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
MOST_CONTEXTS = 20
"""How many contexts are fetched for one request."""


class Gate(Protocol):
    """Port: who asks, and whether they may."""

    async def actor(self, headers: dict[str, str], method: str) -> Actor:
        """Return who sent the request; raises `Unauthenticated`."""
        ...

    def allow(self, actor: Actor, action: str) -> None:
        """Return when the actor may; raises `Forbidden`."""
        ...


class MachineApi:
    """ASGI application for everything below `/ngsi-ld/v1/`."""

    def __init__(
        self,
        machine: Machine,
        gate: Gate,
        tenants: Tenants,
        check_room: Callable[[], None] = lambda: None,
    ) -> None:
        """`check_room` is called before a change of entities is read, and raises when none is taken in."""
        self.tally = RequestTally()
        self._machine = machine
        self._gate = gate
        self._tenants = tenants
        self._check_room = check_room
        # A number after a random beginning: asking the system for each would let go of the interpreter.
        self._run, self._numbers = secrets.token_hex(4), itertools.count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        since = time.perf_counter()
        request_id = f"{self._run}{next(self._numbers):08x}"
        headers = read_headers(scope)
        warnings: list[str] = []
        try:
            response = await self._answer(scope, headers, receive, request_id, warnings)
        except Problem as problem:
            response = as_accepted(
                problem_response(problem, request_id), headers.get("accept", "*/*")
            )
        except Exception as error:
            response = failure_response(error, request_id)
        if tenant := headers.get("ngsild-tenant"):
            # Clause 6.3.14: who names a tenant is told which one was meant, errors included.
            response.header("NGSILD-Tenant", tenant)
        if snapshot := headers.get("ngsild-snapshot"):
            response.header(HEADER, snapshot)
        if warnings:
            # Clause 6.3.17: an answer says what of it is missing because a source failed, errors included.
            response.header("NGSILD-Warning", ", ".join(warnings))
        self.tally.note(scope["method"], response.status, time.perf_counter() - since)
        await send_response(response, send, head=scope["method"] == "HEAD")

    async def _answer(
        self,
        scope: Scope,
        headers: dict[str, str],
        receive: Receive,
        request_id: str,
        warnings: list[str],
    ) -> Response:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        actor = await self._gate.actor(headers, method)
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        if method == "OPTIONS":
            return offered(path)
        check_length(method, headers)
        if changes_entities(method, path):
            self._check_room()
        request = Request(
            method=method,
            path=path,
            raw_query=scope["query_string"].decode("latin-1"),
            headers=headers,
            body=await read_body(headers, receive),
            actor=actor,
            request_id=request_id,
            warnings=warnings,
        )
        tenant = headers.get("ngsild-tenant")
        if tenant and tenant != actor.tenant:
            raise InvalidRequest(
                f"you belong to another tenant than {tenant!r}",
                param="NGSILD-Tenant",
                fix="leave the header out, or use credentials of that tenant",
            )
        route, ids = find(request)
        self._gate.allow(actor, route.action)
        if "via" in headers:
            self._machine.forwarder.check_loop(actor.tenant, via_entries(headers["via"]))
        if tenant:
            check_name(tenant)
            if not route.creates:
                await self._tenants.check(tenant)
        if "ngsild-snapshot" in headers:
            changes = route.handler in CHANGING_SNAPSHOT
            if changes:
                self._gate.allow(actor, "snapshots.manage")
            offered_within = changes or route.handler in WITHIN_SNAPSHOT
            await enter(self._machine, request, offered=offered_within)
        if self._machine.expiring.may_be_due:
            await self._machine.expiring.settle()
        response = await self._handled(route, request, ids)
        return as_preferred(request, response) if "prefer" in headers else response

    async def _handled(self, route: Route, request: Request, ids: list[str]) -> Response:
        for _ in range(MOST_CONTEXTS):
            request.warnings.clear()
            try:
                return await route.handler(self._machine, request, *ids)
            except ContextWanted as wanted:
                # Contexts are read before anything is done: the request can begin anew.
                await self._machine.shelf.fetch(wanted.url)
        return await route.handler(self._machine, request, *ids)


def read_headers(scope: Scope) -> dict[str, str]:
    """Return the headers of a request, names in lower case."""
    made: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        # Each hop may add a line of its own (RFC 9110, 5.3).
        made[name] = f"{made[name]}, {value}" if name == "via" and name in made else value
    return made


def changes_entities(method: str, path: str) -> bool:
    """Return whether a request is about to change entities, as far as one can tell before it is read."""
    if method == "GET" or not path.startswith(_ENTITIES):
        return False
    return not path.endswith("/query")


def check_length(method: str, headers: dict[str, str]) -> None:
    """Raise `LengthRequired` when a body comes without its length (clause 6.3.4), chunked ones included."""
    if method in _WITH_BODY and "content-length" not in headers:
        raise LengthRequired("the request has no Content-Length", param="Content-Length")


async def read_body(headers: dict[str, str], receive: Receive) -> bytes:
    """Return a request's body; raises `TooLarge` or `InvalidRequest`."""
    length = headers.get("content-length", "0")
    if length.isdigit() and int(length) > MAX_BODY:
        raise TooLarge(
            f"the body has {length} bytes, more than {MAX_BODY}",
            param="body",
            fix="send smaller batches",
        )
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequest("the client went away before the body was complete", param="body")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY:
            raise TooLarge(f"the body has more than {MAX_BODY} bytes", param="body")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def send_response(response: Response, send: Send, *, head: bool) -> None:
    """Send an answer; with `head` without its body."""
    headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers]
    if response.status != 204 and response.stream is None:
        # Which have no length (clause 6.3.6; RFC 9110, 8.6).
        headers.append((b"content-length", b"%d" % len(response.body)))
    headers += _ALWAYS
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if response.stream is not None and not head:
        # What fails from here on breaks the answer off: half a document must not look like a whole one.
        async for part in response.stream:
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.body", "body": b"" if head else response.body})
