"""What is forwarded to a context source, what comes back, and the port that does it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from chengmai.broker.registry.model import Registration
from chengmai.ngsild.contexts import Context

API = "/ngsi-ld/v1"


@dataclass(frozen=True, slots=True)
class Forward:
    """One request to one source.

    `path` is below `/ngsi-ld/v1` and begins with `/`. `body` is a document with the names of `context`,
    without `@context`. With `inline` the context goes in the body, else in a Link header. `headers` are
    those of clause 4.3.6.5; `via` is complete, our own alias last.
    """

    registration: Registration
    method: str
    path: str
    context: Context
    parameters: tuple[tuple[str, str], ...] = ()
    body: Any = None
    inline: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    accept: str = "application/json"
    via: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a source answered: `document` is its parsed body, None when it sent none."""

    status: int
    headers: dict[str, str]
    document: Any = None

    @property
    def is_success(self) -> bool:
        """Whether the status says that all of it was done."""
        return 200 <= self.status < 300 and self.status != 207


class Kind(StrEnum):
    """Why a source gave no answer that can be used."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    DENIED = "denied"
    COOLING = "cooling"
    LOOP = "loop"
    INVALID = "invalid"


_WARNING = {Kind.INVALID: 111, Kind.DENIED: 299}


@dataclass(frozen=True, slots=True)
class Failure:
    """No usable answer: a value, because what is done here goes on without it."""

    kind: Kind
    detail: str

    @property
    def warning_code(self) -> int:
        """The code of table 6.3.17-1."""
        return _WARNING.get(self.kind, 199)


Answer = Reply | Failure


class Sources(Protocol):
    """Port: asks one source, bounded in size; it does not raise."""

    async def ask(self, forward: Forward, *, timeout_s: float) -> Answer:
        """Return the answer, or a failure at the latest after `timeout_s` seconds."""
        ...
