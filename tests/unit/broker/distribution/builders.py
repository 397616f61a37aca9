"""Builders: registrations, and sources that answer as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.loops import HostAlias
from chengmai.broker.distribution.ports import Answer, Forward, Reply
from chengmai.broker.distribution.sources import Forwarder
from chengmai.broker.registry.model import Registration, compile_registration
from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import FixedClock
from chengmai.ngsild.contexts import ContextCompiler

CONTEXTS = ContextCompiler()
ACTOR = Actor("usr_1", "city", frozenset({"manager"}), "Li")
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def a_registration(name: str = "one", mode: str = "inclusive", **members: Any) -> Registration:
    """Return a compiled registration of all vehicles; `members` are added or replaced."""
    document: dict[str, Any] = {
        "id": f"urn:ngsi-ld:ContextSourceRegistration:{name}",
        "type": "ContextSourceRegistration",
        "mode": mode,
        "information": [{"entities": [{"type": "Vehicle"}]}],
        "operations": ["redirectionOps"],
        "endpoint": f"http://{name}.example",
    }
    return compile_registration("city", document | members, CONTEXTS)


def asked(**members: Any) -> Asked:
    """Return a request of somebody with the core context."""
    given: dict[str, Any] = {"actor": ACTOR, "context": CONTEXTS.core} | members
    return Asked(**given)


@dataclass
class TellingSources:
    """Sources that answer by their endpoint; what they are not told to answer they never answer."""

    answers: Mapping[str, Answer | Callable[[Forward], Answer]] = field(default_factory=dict)
    got: list[Forward] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def ask(self, forward: Forward, *, timeout_s: float) -> Answer:
        self.got.append(forward)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            answer = self.answers.get(forward.registration.endpoint)
            if answer is None:
                await asyncio.Event().wait()
            return answer(forward) if callable(answer) else answer or Reply(500, {})
        finally:
            self.at_once -= 1


@dataclass
class Counted:
    """Keeps what it is told of forwarded requests."""

    seen: list[tuple[str, str | None]] = field(default_factory=list)

    def note_forward(
        self, registration: Registration, *, at: datetime, failure: str | None
    ) -> None:
        self.seen.append((registration.id, failure))


def a_forwarder(
    sources: TellingSources, *, clock: FixedClock | None = None, counted: Counted | None = None
) -> Forwarder:
    """Return a forwarder of the broker `here`."""
    alias = HostAlias("here", "city")
    return Forwarder(sources, CONTEXTS, alias, counted or Counted(), clock or FixedClock(NOON))
