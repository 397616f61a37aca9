"""Asking context sources: at the same time, each within its own limits, and never in a circle.

A source that is slow, dead or lies costs its own part of an answer and nothing else: it has a time limit
(`management.timeout` of its registration, 5 s at most), a pause after failures (`management.cooldown`) and a
number of requests at a time. GS CIM 009 V1.9.1, clauses 4.3.6.4 to 4.3.6.6, 5.2.34, 6.3.18, 6.3.19.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.loops import HostAlias
from chengmai.broker.distribution.ports import Answer, Failure, Forward, Kind, Reply, Sources
from chengmai.broker.distribution.problems import LoopDetected
from chengmai.broker.registry.model import Registration
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import to_us
from chengmai.ngsild.contexts import Context, ContextCompiler

LONGEST_S = 5.0
"""Longest time that one source may take, and what it may take when its registration does not say."""
MOST_AT_A_TIME = 32
"""How many requests one endpoint gets at a time; more wait, within the time they have."""
_MOST_REMEMBERED = 10_000
_OF_THE_REQUEST = "urn:ngsi-ld:request"
# Told apart from other headers (clause 4.3.6.6), or never to be set from outside.
_PROCESSED = frozenset({"accept", "contenttype", "jsonldcontext"})
_OURS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "link",
        "ngsild-tenant",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    }
)
# A source would collect the credentials of everybody whose requests are forwarded to it.
_NEVER_COPIED = frozenset({"authorization", "cookie", "proxy-authorization"})

Body = Callable[[Context], Any]


class Counts(Protocol):
    """Port: is told what became of each request that was forwarded."""

    def note_forward(
        self, registration: Registration, *, at: datetime, failure: str | None
    ) -> None:
        """Count one request; `failure` says why the source gave no answer that can be used."""
        ...


@dataclass
class _Endpoint:
    """How many requests are under way to one endpoint, and who waits."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_A_TIME))
    users: int = 0


class Forwarder:
    """Makes and sends what goes to other brokers on behalf of a tenant."""

    def __init__(
        self,
        sources: Sources,
        contexts: ContextCompiler,
        alias: HostAlias,
        counts: Counts,
        clock: Clock,
    ) -> None:
        self._sources = sources
        self._contexts = contexts
        self._alias = alias
        self._counts = counts
        self._clock = clock
        self._endpoints: dict[str, _Endpoint] = {}
        self._paused_until_us: dict[tuple[str, str], int] = {}

    def check_loop(self, tenant: str, via: Sequence[str]) -> None:
        """Raise `LoopDetected` when a request that came through `via` has been in this tenant already."""
        if self._alias.of(tenant) in via:
            raise LoopDetected(
                "the request was here already and has come back through other brokers",
                param="Via",
                fix="look for registrations that point at each other",
            )

    def forward(
        self,
        asked: Asked,
        registration: Registration,
        method: str,
        path: Callable[[Context], str] | str,
        *,
        parameters: Callable[[Context], dict[str, str]] | dict[str, str] | None = None,
        body: Body | None = None,
    ) -> Forward:
        """Return the request to one source.

        `path`, `parameters` and `body` may be functions of the context whose names the source is told.
        Raises `ContextWanted` or `ContextNotAvailable` when the source wants one that is not here.
        """
        context, inline = self._context(asked, registration, has_body=body is not None)
        given = parameters(context) if callable(parameters) else (parameters or {})
        if registration.local_only:
            given = {**given, "local": "true"}
        return Forward(
            registration=registration,
            method=method,
            path=path(context) if callable(path) else path,
            context=context,
            parameters=tuple(given.items()),
            body=None if body is None else body(context),
            inline=inline,
            headers=_headers(asked, registration),
            accept=_told(registration, "accept") or "application/json",
            via=(*asked.via, self._alias.of(asked.actor.tenant)),
        )

    async def send(self, forwards: Sequence[Forward]) -> list[Answer]:
        """Return the answers, in order; all sources are asked at the same time."""
        return list(await asyncio.gather(*(self._one(forward) for forward in forwards)))

    async def ask(self, asked: Asked, forwards: Sequence[Forward]) -> list[Answer]:
        """Return the answers as `send` does, and warn of each that is abnormal (clause 6.3.17)."""
        answers = await self.send(forwards)
        for forward, answer in zip(forwards, answers, strict=True):
            note(asked, forward.registration, answer)
        return answers

    def _context(
        self, asked: Asked, registration: Registration, *, has_body: bool
    ) -> tuple[Context, bool]:
        if registration.context_url is not None:
            return self._contexts.compile(registration.context_url), False
        if has_body and _told(registration, "contenttype") == "application/ld+json":
            return asked.context, True
        if asked.context.url is not None:
            return asked.context, False
        # A context without a URL can only go along inside a body.
        return (asked.context, True) if has_body else (self._contexts.core, False)

    async def _one(self, forward: Forward) -> Answer:
        registration = forward.registration
        if registration.alias is not None and registration.alias in forward.via:
            return Failure(Kind.LOOP, "the request came through it already")
        if self._is_paused(registration):
            return Failure(Kind.COOLING, "it failed a short time ago and is left alone")
        answer = await self._within_limits(forward)
        if isinstance(answer, Reply) and answer.status == 508:
            answer = Failure(Kind.LOOP, "it leads back to a broker that was asked already")
        failure = _failure(answer)
        self._counts.note_forward(registration, at=self._clock.now(), failure=failure)
        self._pause(registration, has_failed=failure is not None)
        return answer

    async def _within_limits(self, forward: Forward) -> Answer:
        registration = forward.registration
        limit = min(registration.timeout_s or LONGEST_S, LONGEST_S)
        endpoint = self._endpoints.setdefault(registration.endpoint, _Endpoint())
        endpoint.users += 1
        try:
            async with asyncio.timeout(limit), endpoint.slots:
                return await self._sources.ask(forward, timeout_s=limit)
        except TimeoutError:
            return Failure(Kind.TIMEOUT, f"no answer within {limit:g} s")
        finally:
            endpoint.users -= 1
            if not endpoint.users:
                self._endpoints.pop(registration.endpoint, None)

    def _is_paused(self, registration: Registration) -> bool:
        until = self._paused_until_us.get((registration.tenant, registration.id))
        return until is not None and to_us(self._clock.now()) < until

    def _pause(self, registration: Registration, *, has_failed: bool) -> None:
        key = (registration.tenant, registration.id)
        if not has_failed:
            self._paused_until_us.pop(key, None)
        elif registration.cooldown_s:
            if len(self._paused_until_us) >= _MOST_REMEMBERED:
                self._paused_until_us.clear()
            now = to_us(self._clock.now())
            self._paused_until_us[key] = now + int(registration.cooldown_s * 1_000_000)


def _failure(answer: Answer) -> str | None:
    """Return why a source is not well, None when it is; a request that it refuses is no failure of its own."""
    if isinstance(answer, Failure):
        return None if answer.kind is Kind.LOOP else answer.detail
    return f"it answered {answer.status}" if answer.status >= 500 else None


def note(asked: Asked, registration: Registration, answer: Answer) -> None:
    """Warn of an answer that is abnormal; nothing found (404) is not (clause 6.3.17)."""
    if isinstance(answer, Failure):
        asked.warn(answer.warning_code, registration.id, answer.detail)
    elif answer.status >= 300 and answer.status != 404:
        asked.warn(299, registration.id, f"it answered {answer.status}")


def _told(registration: Registration, key: str) -> str | None:
    """Return the value of a key of contextSourceInfo that is processed and not handed on."""
    return next((v for k, v in registration.headers if _folded(k) == key), None)


def _headers(asked: Asked, registration: Registration) -> tuple[tuple[str, str], ...]:
    made = []
    for key, value in registration.headers:
        name = key.lower()
        if _folded(key) in _PROCESSED or name in _OURS:
            continue
        if value == _OF_THE_REQUEST:
            if name in _NEVER_COPIED or name not in asked.headers:
                continue
            value = asked.headers[name]
        made.append((key, value))
    return tuple(made)


def _folded(key: str) -> str:
    return key.lower().replace("-", "")
