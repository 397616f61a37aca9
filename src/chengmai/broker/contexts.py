"""The city's JSON-LD contexts: hosted for clients, created implicitly, and cached (clauses 5.13.2 to 5.13.5).

Every document that a context is compiled from comes through here. A remote one is fetched only from hosts
that the city allows, outside of any transaction; until then `document` raises `ContextWanted`, and whoever
answers the request fetches it and tries again.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import format_instant, to_us
from chengmai.kernel.problems import Invalid, NotFound, NotSupported, Problem
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.contexts import CORE_URL, CORE_URLS, Context, ContextCompiler, core_documents
from chengmai.ngsild.problems import ContextInvalid, ContextNotAvailable, ContextWanted
from chengmai.trust.ports import Audit

PATH = "/ngsi-ld/v1/jsonldContexts/"
ANYBODY = ""
"""Tenant of what is cached: a remote document is the same for everybody."""
_OURS = re.compile(r"https?://[^/]+" + re.escape(PATH) + r"([^/?#]+)")
_PAUSE_US = 5_000_000
"""How long a document that could not be fetched is not asked for again."""


class Kind(StrEnum):
    """Where a context comes from (clause 5.13.1)."""

    HOSTED = "Hosted"
    CACHED = "Cached"
    IMPLICIT = "ImplicitlyCreated"


@dataclass
class KeptContext:
    """One context; `url` is empty for what is served here, whose address follows from its id.

    Hits and last use count since the start of the process.
    """

    tenant: str
    local_id: str
    url: str
    kind: Kind
    body: dict[str, Any]
    created_at: str
    hits: int = field(default=0, compare=False)
    last_use: str | None = field(default=None, compare=False)

    def details(self, base: str) -> dict[str, Any]:
        """Return the description of clause 5.13.3; `base` is the address of this city."""
        made: dict[str, Any] = {
            "URL": self.address(base),
            "localId": self.local_id,
            "kind": self.kind.value,
            "createdAt": self.created_at,
            "numberOfHits": self.hits,
        }
        return made if self.last_use is None else {**made, "lastUsage": self.last_use}

    def address(self, base: str) -> str:
        """Return the URL that names it."""
        return self.url or f"{base}{PATH}{self.local_id}"


class ContextStore(Protocol):
    """Port: keeps contexts."""

    def all(self, tx: Any) -> list[KeptContext]:
        """Return every context."""
        ...

    def put(self, tx: Any, kept: KeptContext) -> None:
        """Create a context or replace its document."""
        ...

    def remove(self, tx: Any, tenant: str, local_id: str) -> None:
        """Delete a context, if it is there."""
        ...


class Fetcher(Protocol):
    """Port: gets a document from a remote host."""

    async def get(self, url: str) -> bytes:
        """Return the body, bounded in size and time; raises a problem."""
        ...


class ContextShelf:
    """Serves, fetches and forgets contexts. `local` maps URL to file; `hosts` may be fetched from."""

    def __init__(
        self,
        work: Work[Tx],
        store: ContextStore,
        audit: Audit,
        fetcher: Fetcher,
        clock: Clock,
        *,
        local: Mapping[str, Path],
        hosts: Collection[str],
    ) -> None:
        self._work = work
        self._store = store
        self._audit = audit
        self._fetcher = fetcher
        self._clock = clock
        self._local = dict(local)
        self._hosts = frozenset(hosts)
        self._lock = threading.Lock()
        self._by_id: dict[str, KeptContext] = {}
        self._by_url: dict[str, KeptContext] = {}
        self._failed_us: dict[str, int] = {}
        self.compiler = ContextCompiler(load=self.document, on_use=self.used)
        self._keep(self._made(CORE_URL, core_documents()[CORE_URL]))

    async def load(self) -> None:
        """Take up what an earlier run kept."""
        for kept in await self._work.read(self._store.all):
            self._keep(kept)

    def document(self, url: str) -> dict[str, Any]:
        """Return the document at a URL; raises `ContextWanted` or `ContextNotAvailable`."""
        if ours := _OURS.fullmatch(url):
            kept = self._by_id.get(ours.group(1))
        else:
            kept = self._by_url.get(url)
        if kept is None and url in self._local:
            kept = self._made(url, _parsed(url, self._local[url].read_bytes()))
            self._keep(kept)
        if kept is not None:
            return kept.body
        failed_us = self._failed_us.get(url)
        waits = failed_us is not None and to_us(self._clock.now()) - failed_us < _PAUSE_US
        if ours or waits or urlsplit(url).hostname not in self._hosts:
            raise _not_available(url)
        raise ContextWanted(url)

    def used(self, context: Context) -> None:
        """Count one use of every document that a context is made of."""
        for url in context.urls:
            ours = _OURS.fullmatch(url)
            kept = self._by_id.get(ours.group(1)) if ours else self._by_url.get(url)
            if kept is not None:
                self._count(kept)

    async def fetch(self, url: str) -> None:
        """Fetch a document and keep it; when that fails it is not tried again for some seconds."""
        try:
            kept = self._made(url, await self._fetched(url))
        except ContextInvalid:
            raise
        except Problem:
            if len(self._failed_us) > 1000:
                self._failed_us.clear()
            self._failed_us[url] = to_us(self._clock.now())
            return
        await self._work.write(lambda tx: self._store.put(tx, kept))
        self._keep(kept)

    async def add(self, actor: Actor, document: dict[str, Any]) -> str:
        """Host a context (clause 5.13.2); return its local id. Raises `Invalid` when it is none."""
        _check(document["@context"], self.compiler)
        kept = KeptContext(
            actor.tenant,
            secrets.token_hex(12),
            "",
            Kind.HOSTED,
            {"@context": document["@context"]},
            format_instant(self._clock.now()),
        )
        await self._put(actor, kept)
        return kept.local_id

    async def implicit(self, actor: Actor, source: Any, base: str) -> str:
        """Return the URL of a context that a client gave inside a document; it is kept under it."""
        text = orjson.dumps([actor.tenant, source], option=orjson.OPT_SORT_KEYS)
        local_id = hashlib.sha256(text).hexdigest()[:24]
        kept = self._by_id.get(local_id)
        if kept is None:
            body = {"@context": source}
            now = format_instant(self._clock.now())
            kept = KeptContext(actor.tenant, local_id, "", Kind.IMPLICIT, body, now)
            await self._put(actor, kept)
        return kept.address(base)

    def list(self, actor: Actor, kind: Kind | None) -> list[KeptContext]:
        """Return the contexts that the actor's tenant may see (clause 5.13.3)."""
        return [
            one
            for one in list(self._by_id.values())
            if one.tenant in (ANYBODY, actor.tenant) and kind in (None, one.kind)
        ]

    def get(self, actor: Actor, name: str) -> KeptContext:
        """Return a context by its local id or URL (clause 5.13.4); raises `NotFound`."""
        ours = _OURS.fullmatch(name)
        kept = self._by_id.get(ours.group(1) if ours else name) or self._by_url.get(name)
        if kept is None or kept.tenant not in (ANYBODY, actor.tenant):
            raise NotFound(f"there is no context {name!r:.200}", code="context.none", param="id")
        return kept

    def serve(self, actor: Actor, name: str) -> KeptContext:
        """Return a context to be served as it is; raises `NotSupported` for what is cached."""
        kept = self.get(actor, name)
        if kept.kind is Kind.CACHED:
            raise NotSupported("serving a cached context", param="id", fix=f"ask {kept.url}")
        self._count(kept)
        return kept

    def describe(self, actor: Actor, name: str, base: str) -> dict[str, Any]:
        """Return the description of a context; asking for it counts as a use afterwards."""
        kept = self.get(actor, name)
        made = kept.details(base)
        self._count(kept)
        return made

    async def delete(self, actor: Actor, name: str) -> None:
        """Delete a context (clause 5.13.5); raises `NotFound`, and `Invalid` for the core context."""
        kept = self.get(actor, name)
        if kept.url in CORE_URLS:
            raise Invalid("the core context stays", code="context.core", param="id")

        def delete(tx: Tx) -> None:
            self._store.remove(tx, kept.tenant, kept.local_id)
            self._audit.line(tx, actor, "context.delete", kept.local_id, {"url": kept.url})

        await self._work.write(delete)
        with self._lock:
            self._by_id.pop(kept.local_id, None)
            self._by_url.pop(kept.url, None)
        self._forget(kept)

    async def reload(self, actor: Actor, name: str) -> None:
        """Read a cached context anew; the old one stays where that fails (clause 5.13.5)."""
        try:
            kept = self.get(actor, name)
        except NotFound as missing:
            raise Invalid(missing.detail, code="context.reload", param="id") from None
        if kept.kind is not Kind.CACHED:
            raise Invalid(
                "only a cached context can be loaded again", code="context.reload", param="reload"
            )
        if kept.url in CORE_URLS:
            return  # it is part of this program
        if kept.url in self._local:
            text = await asyncio.to_thread(self._local[kept.url].read_bytes)
            fresh = self._made(kept.url, _parsed(kept.url, text))
        else:
            fresh = self._made(kept.url, await self._fetched(kept.url))
            await self._work.write(lambda tx: self._store.put(tx, fresh))
        self._keep(fresh)
        self._forget(fresh)

    async def _fetched(self, url: str) -> dict[str, Any]:
        if urlsplit(url).hostname not in self._hosts:
            raise _not_available(url)
        try:
            text = await self._fetcher.get(url)
        except Problem as problem:
            raise ContextNotAvailable(
                f"the context {url} could not be fetched: {problem.detail}", param="@context"
            ) from problem
        return _parsed(url, text)

    async def _put(self, actor: Actor, kept: KeptContext) -> None:
        def put(tx: Tx) -> None:
            self._store.put(tx, kept)
            self._audit.line(tx, actor, "context.create", kept.local_id, {"kind": kept.kind.value})

        await self._work.write(put)
        self._keep(kept)

    def _made(self, url: str, body: dict[str, Any]) -> KeptContext:
        local_id = hashlib.sha256(url.encode()).hexdigest()[:24]
        now = format_instant(self._clock.now())
        return KeptContext(ANYBODY, local_id, url, Kind.CACHED, body, now)

    def _keep(self, kept: KeptContext) -> None:
        with self._lock:
            self._by_id[kept.local_id] = kept
            if kept.url:
                self._by_url[kept.url] = kept

    def _forget(self, kept: KeptContext) -> None:
        tail = PATH + kept.local_id
        self.compiler.forget(lambda url: url == kept.url or url.endswith(tail))

    def _count(self, kept: KeptContext) -> None:
        kept.hits += 1
        kept.last_use = format_instant(self._clock.now())


def _check(source: Any, compiler: ContextCompiler) -> None:
    """Raise `Invalid` when a context is none; documents that it names are not asked for."""
    listed = source if isinstance(source, list) else [source]
    for entry in listed:
        if not isinstance(entry, str | dict) or (isinstance(entry, str) and ":" not in entry):
            raise Invalid(
                "a context is a URL, an object, or a list of these",
                code="context.invalid",
                param="@context",
            )
        if isinstance(entry, dict) and "@import" not in entry:
            compiler.compile(entry)


def _parsed(url: str, text: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ContextInvalid(f"{url} is not JSON: {error}", param="@context") from None
    if not isinstance(document, dict) or "@context" not in document:
        raise ContextInvalid(f"{url} holds no @context", param="@context")
    return document


def _not_available(url: str) -> ContextNotAvailable:
    return ContextNotAvailable(
        f"the context {url:.200} is not known here and may not be fetched",
        param="@context",
        fix="put its terms into the request, host it here, or have its host allowed"
        " (CHENGMAI_CONTEXT_HOSTS)",
    )
