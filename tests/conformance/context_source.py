"""A context source: a real HTTP server on a free port that holds entities, or answers as it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from chengmai.kernel.actors import Actor
from tests.api.house import House
from tests.loopback import HANGS, Reply, Request, a_listener

BASE = "/ngsi-ld/v1"
OWNER = Actor("sys:tests", "city", frozenset({"admin"}), "tests")


@dataclass(frozen=True)
class Asking:
    """One request as it arrived: `path` below the API, parameters decoded, header names in lower case."""

    method: str
    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    body: Any


Answering = tuple[int, Any]
"""Status and document; bytes are sent as they are."""


@dataclass
class Source:
    """Holds `entities`; `answers` (path to status and document) come first. `hangs`: never answers."""

    entities: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, Answering | Callable[[Asking], Answering]] = field(default_factory=dict)
    hangs: bool = False
    headers: Callable[[Asking], dict[str, str]] = lambda _asking: {}
    port: int = 0
    got: list[Asking] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return the endpoint to register."""
        return f"http://127.0.0.1:{self.port}"

    def asked_for(self, path: str) -> list[Asking]:
        """Return the requests for one path, in order."""
        return [one for one in self.got if one.path == path]

    def answer(self, asking: Asking) -> Answering:
        """Return what is answered to a request."""
        told = self.answers.get(asking.path)
        if told is not None:
            return told(asking) if callable(told) else told
        if asking.path.startswith("/entities/"):
            wanted = unquote(asking.path.removeprefix("/entities/"))
            found = self._narrowed([e for e in self.entities if e["id"] == wanted], asking)
            return (200, found[0]) if found else (404, {"type": "ResourceNotFound"})
        if asking.path in ("/entities", "/entityOperations/query"):
            return 200, self._page(self._narrowed(self._selected(asking), asking), asking)
        return 404, {"type": "ResourceNotFound"}

    def _selected(self, asking: Asking) -> list[dict[str, Any]]:
        selectors = asking.body["entities"] if asking.method == "POST" else [asking.parameters]
        return [one for one in self.entities if any(_meets(one, each) for each in selectors)]

    def _narrowed(self, found: list[dict[str, Any]], asking: Asking) -> list[dict[str, Any]]:
        given = asking.parameters.get("attrs")
        names = given.split(",") if given else (asking.body or {}).get("attrs")
        if names is None:
            return found
        made = [
            {k: v for k, v in one.items() if k in ("id", "type", "scope") or k in names}
            for one in found
        ]
        return [one for one in made if any(name in one for name in names)]

    def _page(self, found: list[dict[str, Any]], asking: Asking) -> list[dict[str, Any]]:
        start = int(asking.parameters.get("offset", "0"))
        return found[start : start + int(asking.parameters.get("limit", "20"))]

    async def reply(self, request: Request) -> Reply | None:
        """Keep a request, and return what it is answered with."""
        parts = urlsplit(request.target)
        assert parts.path.startswith(BASE), parts.path
        asking = Asking(
            request.method,
            parts.path.removeprefix(BASE),
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            request.headers,
            orjson.loads(request.body) if request.body else None,
        )
        self.got.append(asking)
        if self.hangs:
            return HANGS
        status, document = self.answer(asking)
        content = document if isinstance(document, bytes) else orjson.dumps(document)
        return Reply(status, self.headers(asking), content)


def _meets(entity: dict[str, Any], selector: dict[str, Any]) -> bool:
    held = entity["type"] if isinstance(entity["type"], list) else [entity["type"]]
    types = selector.get("type", "*").split(",")
    ids = selector.get("id")
    listed = ids.split(",") if isinstance(ids, str) else ids
    return ("*" in types or bool(set(types) & set(held))) and (
        listed is None or entity["id"] in listed
    )


@asynccontextmanager
async def sources(*made: Source) -> AsyncIterator[None]:
    """Let sources listen while inside."""
    async with AsyncExitStack() as stack:
        for one in made:
            one.port = await stack.enter_async_context(a_listener(one.reply))
        yield


async def registered(
    house: House,
    source: Source | str,
    *information: dict[str, Any],
    name: str = "1",
    context: Any = None,
    by: Actor = OWNER,
    **members: Any,
) -> str:
    """Register a source for `information` (vehicles when there is none); return the registration's id."""
    document = {
        "id": f"urn:ngsi-ld:ContextSourceRegistration:{name}",
        "type": "ContextSourceRegistration",
        "information": list(information) or [{"entities": [{"type": "Vehicle"}]}],
        "endpoint": source if isinstance(source, str) else source.url,
        **members,
    }
    compiled = house.city.contexts.compile(context)
    return await house.city.registry.create(by, document, compiled)


def vehicle(name: str, **attributes: Any) -> dict[str, Any]:
    """Return a vehicle as a source sends it; plain values become Properties."""
    made: dict[str, Any] = {"id": f"urn:ngsi-ld:Vehicle:{name}", "type": "Vehicle"}
    for key, value in attributes.items():
        is_member = isinstance(value, dict | list) or key in (
            "scope",
            "createdAt",
            "modifiedAt",
            "type",
        )
        made[key] = value if is_member else {"type": "Property", "value": value}
    return made
