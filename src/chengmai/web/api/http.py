"""Requests and answers as the machine API sees them; no framework, no routing table per request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from chengmai.kernel.actors import Actor
from chengmai.kernel.problems import Invalid, Problem
from chengmai.ngsild.problems import TooManyResults
from chengmai.web.api.wire import InvalidRequest as InvalidRequest
from chengmai.web.api.wire import document_of, parameters_of


class LengthRequired(Problem):
    code = "request.length"
    title = "Say how long the body is"


class NotAcceptable(Problem):
    code = "request.not_acceptable"
    title = "None of the accepted types can be given"


class UnsupportedMediaType(Problem):
    code = "request.media_type"
    title = "This type of content is not taken"


class MethodNotAllowed(Problem):
    code = "request.method"
    title = "This method is not offered here"

    def __init__(self, method: str, allowed: list[str]) -> None:
        super().__init__(f"{method} is not offered here", fix="use " + ", ".join(allowed))
        self.allowed = allowed


@dataclass
class Request:
    """One request: `path` decoded, `query` by name, header names in lower case."""

    method: str
    path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes
    actor: Actor
    request_id: str
    query: dict[str, str] = field(init=False)
    asker: Actor = field(init=False)
    warnings: list[str] = field(default_factory=list)
    snapshot: str | None = None
    """The snapshot it is about; then `actor` sees nothing else, and `asker` is who sent it."""

    def __post_init__(self) -> None:
        self.asker = self.actor
        self.query = parameters_of(self.raw_query)

    @property
    def base(self) -> str:
        """Return the address under which the client reached this city."""
        return f"http://{self.headers.get('host', 'localhost')}"

    @property
    def resource(self) -> tuple[str, bool]:
        """Return the first part of the path below the API's root, and whether it is its temporal twin."""
        parts = self.path.split("/", 5)[3:]
        over_time = parts[:1] == ["temporal"]
        return (parts[1] if over_time and len(parts) > 1 else parts[0]), over_time

    def json(self) -> Any:
        """Return the parsed body; raises `InvalidRequest` where and why it is not JSON."""
        return document_of(self.body)

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        """Return a whole-number parameter in [least, most]; raises `Invalid` or `TooManyResults`."""
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit():
            raise Invalid(f"{name}={text!r} is no whole number", code="query.number", param=name)
        value = int(text[:20])
        if value < least:
            raise Invalid(f"{name} must be {least} or more", code="query.number", param=name)
        if value > most:
            raise TooManyResults(
                f"{name} must be {most} or less",
                code="query.number",
                param=name,
                fix=f"ask for {most}, and follow the links to the next pages",
            )
        return value

    def flag(self, name: str) -> bool:
        """Return a true/false parameter; raises `Invalid` on anything else."""
        text = self.query.get(name, "false")
        if text not in ("true", "false"):
            raise Invalid(f"{name} must be true or false", code="query.flag", param=name)
        return text == "true"

    def names(self, name: str) -> list[str]:
        """Return a comma-separated parameter as a list."""
        text = self.query.get(name)
        return [part.strip() for part in text.split(",") if part.strip()] if text else []


@dataclass
class Response:
    """An answer: status, headers in order, and bytes; `stream` in place of `body` where there may be many."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)

    stream: AsyncIterator[bytes] | None = None

    def header(self, name: str, value: str) -> Response:
        """Add a header and return the answer."""
        self.headers.append((name, value))
        return self


def json_response(
    document: Any, *, status: int = 200, content_type: str = "application/json"
) -> Response:
    """Return an answer with a JSON body."""
    return Response(status, orjson.dumps(document), [("Content-Type", content_type)])
