"""JSON-LD contexts, compiled once into term tables.

PyLD reads a context when it is first seen; from then on a name costs one look-up in a table. The core
context comes last (GS CIM 009 V1.9.1, clause 5.5.7): its terms win over the user's, and a name that
neither defines belongs to the core's default vocabulary, whatever `@vocab` the user gave.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

import orjson
from pyld import jsonld
from pyld.context_resolver import ContextResolver

from chengmai.kernel.problems import Problem
from chengmai.ngsild.entity import DEFAULT_VOCAB
from chengmai.ngsild.problems import ContextInvalid, ContextNotAvailable

UserContext: TypeAlias = str | list[Any] | dict[str, Any] | None
Load: TypeAlias = Callable[[str], dict[str, Any]]

_CORE_BASE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context"
CORE_URL = _CORE_BASE + "-v1.9.jsonld"
CORE_URLS = (_CORE_BASE + ".jsonld", *(f"{_CORE_BASE}-v1.{n}.jsonld" for n in range(3, 10)))
_MAX_TERMS = 10_000
_MAX_SEEN = 512
_MAX_SEEN_LENGTH = 256


def core_documents() -> dict[str, dict[str, Any]]:
    """Return our core context document under every URL that the standard has given the core context."""
    text = resources.files("chengmai.ngsild").joinpath("data/core-context.jsonld").read_bytes()
    document = orjson.loads(text)
    return dict.fromkeys(CORE_URLS, document)


class Context:
    """A compiled context. `source` is the user's part as it was given, for the echo in an answer.

    `url` is the URL that stands for the context where one does, `key` tells contexts apart, and `urls`
    names every remote document that went into it. `seen` holds the first legal names that were expanded
    with it, so that a name is checked and looked up once; `_shown` the same for the way back.
    """

    __slots__ = (
        "_inverse",
        "_prefixes",
        "_reserved",
        "_shown",
        "_terms",
        "key",
        "seen",
        "source",
        "url",
        "urls",
    )

    def __init__(
        self, mappings: Mapping[str, Any], source: UserContext, key: str, urls: frozenset[str]
    ) -> None:
        self.source = source
        self.key = key
        self.urls = urls
        self.url = source if isinstance(source, str) else None
        found = {term: m["@id"] for term, m in mappings.items() if m and m.get("@id")}
        self._terms: dict[str, str] = {t: iri for t, iri in found.items() if ":" in iri}
        self._reserved = frozenset(t for t, iri in found.items() if iri.startswith("@"))
        self._prefixes = {t: self._terms[t] for t in self._terms if mappings[t].get("_prefix")}
        self._inverse = _inverse(self._terms)
        self.seen: dict[str, str] = {}
        self._shown: dict[str, str] = {}

    @property
    def echo(self) -> UserContext:
        """What an answer names as its `@context`."""
        return CORE_URL if self.source is None else self.source

    def overlaid_with(
        self, core: Context, source: UserContext, key: str, urls: frozenset[str]
    ) -> Context:
        """Return this context with every term of `core` put over it."""
        made = Context({}, source, key, urls)
        made._terms = {**self._terms, **core._terms}
        made._reserved = core._reserved
        for reserved in core._reserved:
            made._terms.pop(reserved, None)
        made._prefixes = {
            t: made._terms[t] for t in self._prefixes.keys() | core._prefixes if t in made._terms
        }
        made._inverse = {**_inverse(made._terms), **core._inverse}
        return made

    def expand(self, term: str) -> str:
        """Return the IRI of a type or attribute name; a name that is an IRI already stays as it is."""
        iri = self._terms.get(term)
        if iri is not None:
            return iri
        if ":" not in term:
            return DEFAULT_VOCAB + term
        prefix, _, rest = term.partition(":")
        base = self._prefixes.get(prefix)
        return term if base is None or rest.startswith("//") else base + rest

    def remember(self, name: str, iri: str) -> None:
        """Keep what a legal name expands to in `seen`, as long as there is room."""
        if len(self.seen) < _MAX_SEEN and len(name) <= _MAX_SEEN_LENGTH:
            self.seen[name] = iri

    def compact(self, iri: str) -> str:
        """Return the shortest name that expands to `iri`; the IRI itself when there is none."""
        term = self._shown.get(iri)
        if term is None:
            term = self._shortest(iri)
            if len(self._shown) < _MAX_SEEN and len(iri) <= _MAX_SEEN_LENGTH:
                self._shown[iri] = term
        return term

    def _shortest(self, iri: str) -> str:
        term = self._inverse.get(iri)
        if term is not None:
            return term
        if iri.startswith(DEFAULT_VOCAB):
            name = iri[len(DEFAULT_VOCAB) :]
            if self._is_free(name):
                return name
        return min(self._prefixed(iri), key=lambda name: (len(name), name), default=iri)

    def is_keyword(self, term: str) -> bool:
        """Return whether `term` stands for a keyword of JSON-LD, such as `type` for `@type`."""
        return term in self._reserved or term.startswith("@")

    def _is_free(self, name: str) -> bool:
        return bool(name) and not (
            name in self._terms or name in self._reserved or ":" in name or name[0] == "@"
        )

    def _prefixed(self, iri: str) -> Iterator[str]:
        for prefix, base in self._prefixes.items():
            rest = iri[len(base) :]
            name = f"{prefix}:{rest}"
            if rest and iri.startswith(base) and self.expand(name) == iri:
                yield name


class ContextCompiler:
    """Compiles contexts and remembers the last `size` of them. Safe to use from several threads.

    `documents` maps URL to document and is asked first; `load` fetches any other (it may raise);
    without it, only documents in the map can be used. `on_use` is told of every `use`.
    """

    def __init__(
        self,
        documents: Mapping[str, dict[str, Any]] | None = None,
        load: Load | None = None,
        on_use: Callable[[Context], None] | None = None,
        *,
        core_url: str = CORE_URL,
        size: int = 512,
    ) -> None:
        core = core_documents()
        self._documents = dict(documents or {})
        # Users put the core context anywhere in their list. Its terms are laid over theirs at the end, so
        # on the way it must not be protected, or a term of theirs would be an error instead of a loser.
        terms = {t: v for t, v in core[CORE_URL]["@context"].items() if t != "@protected"}
        open_core = {"@context": terms}
        self._documents.update(dict.fromkeys({*CORE_URLS, core_url}, open_core))
        self._core_urls = frozenset({*CORE_URLS, core_url})
        self._load = load
        self._on_use = on_use
        self._size = size
        self._lock = threading.Lock()
        self._compiled: OrderedDict[str, Context] = OrderedDict()
        self.core = Context(_core_mappings(), core_url, "core", frozenset())

    def compile(self, user_context: UserContext) -> Context:
        """Return the compiled context of `user_context` with the core context last.

        Raises `ContextInvalid` when it is not a JSON-LD context, and `ContextNotAvailable` when a
        document it names cannot be had.
        """
        entries = self._entries(user_context) if user_context is not None else None
        if not entries:
            return self.core
        key = _key(entries)
        with self._lock:
            known = self._compiled.get(key)
            if known is not None:
                self._compiled.move_to_end(key)
                return known
        mappings, urls = self._process(entries)
        source = entries[0] if len(entries) == 1 else entries
        user = Context(mappings, source, key, urls)
        made = user.overlaid_with(self.core, source, key, urls)
        with self._lock:
            self._compiled[key] = made
            while len(self._compiled) > self._size:
                self._compiled.popitem(last=False)
        return made

    def use(self, user_context: UserContext) -> Context:
        """Return the compiled context, and tell who counts that it was used."""
        context = self.compile(user_context)
        if self._on_use is not None and context.urls:
            self._on_use(context)
        return context

    def forget(self, gone: Callable[[str], bool]) -> None:
        """Drop every compiled context with a document whose URL is `gone`, so that it is read again."""
        with self._lock:
            for key in [k for k, c in self._compiled.items() if any(map(gone, c.urls))]:
                del self._compiled[key]

    def _entries(self, user_context: UserContext) -> list[str | dict[str, Any]]:
        listed = user_context if isinstance(user_context, list) else [user_context]
        entries: list[str | dict[str, Any]] = []
        for entry in listed:
            if isinstance(entry, str) and ":" not in entry:
                raise _invalid(f"{entry!r} is not an absolute URL")
            if entry is not None and not isinstance(entry, str | dict):
                raise _invalid("a context is a URL, an object, or a list of these")
            if isinstance(entry, dict) and len(entry) > _MAX_TERMS:
                raise _invalid(f"a context may hold at most {_MAX_TERMS} terms")
            if isinstance(entry, dict) and (scoped := _scoped_term(entry)) is not None:
                raise _invalid(
                    f"{scoped!r:.60} has a context of its own, which is not allowed here"
                )
            if isinstance(entry, str) and entry in self._core_urls:
                continue
            if isinstance(entry, dict) and entry.get("@vocab", "") is None:
                entry = {term: value for term, value in entry.items() if term != "@vocab"}
            if entry:
                entries.append(entry)
        return entries

    def _process(self, entries: list[Any]) -> tuple[Mapping[str, Any], frozenset[str]]:
        return _mapped(entries, self._document)

    def _document(self, url: str) -> dict[str, Any]:
        document = self._documents.get(url)
        if document is None and self._load is not None:
            document = self._load(url)
        if document is None:
            raise ContextNotAvailable(
                f"the context {url} is not known here and may not be fetched",
                param="@context",
                fix="put its terms into the request, or ask for the context to be installed",
            )
        return document


@cache
def _core_mappings() -> Mapping[str, Any]:
    """Return the terms of the core context, which names no other; all cities of a process share them."""
    mappings, _ = _mapped([core_documents()[CORE_URL]["@context"]], core_documents().__getitem__)
    return mappings


def _mapped(entries: list[Any], load: Load) -> tuple[Mapping[str, Any], frozenset[str]]:
    """Return what PyLD makes of contexts, and the URLs of those it had to `load`."""
    urls: set[str] = set()

    def loader(url: str, _options: Any) -> dict[str, Any]:
        urls.add(url)
        document = deepcopy(load(url))  # PyLD writes into what it is given
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": document,
        }

    options = {"processingMode": "json-ld-1.1", "base": "", "documentLoader": loader}
    # PyLD's own cache of resolved contexts is global, never expires and is not safe among threads.
    options["contextResolver"] = ContextResolver({}, loader)
    processor = jsonld.JsonLdProcessor()
    try:
        initial = processor.process_context(None, None, options)
        active = processor.process_context(initial, deepcopy(entries), options)
    except Exception as failure:  # a hostile context fails inside PyLD in many ways
        raise _as_problem(failure) from failure
    return active["mappings"], frozenset(urls)


def _scoped_term(context: Mapping[str, Any]) -> str | None:
    """Return a term that carries a scoped context (clause 5.5.7 allows none in a user's own), or None."""
    for term, definition in context.items():
        if isinstance(definition, dict) and "@context" in definition:
            return term
    return None


def _inverse(terms: Mapping[str, str]) -> dict[str, str]:
    """Return IRI → term; of several terms the shortest, then the first by name (JSON-LD 1.1 API, 4.3)."""
    found: dict[str, str] = {}
    for term in sorted(terms, key=lambda t: (len(t), t)):
        found.setdefault(terms[term], term)
    return found


def _key(entries: list[Any]) -> str:
    try:
        text = orjson.dumps(entries, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError) as failure:
        raise _invalid("it is not JSON, or nested too deeply") from failure
    return hashlib.sha256(text).hexdigest()


def _invalid(why: str) -> ContextInvalid:
    return ContextInvalid(
        f"the JSON-LD context is not valid: {why}",
        param="@context",
        fix="give a URL, an object of terms, or a list of these",
    )


def _as_problem(failure: BaseException) -> Problem:
    """Return the problem that a failure inside PyLD stands for: our loader's own, or a bad context."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, Problem):
            return cause
        if isinstance(cause, OSError):
            return ContextNotAvailable(
                f"the JSON-LD context could not be fetched: {cause}", param="@context"
            )
        cause = cause.__cause__ or cause.__context__
    code = getattr(failure, "code", None)
    return _invalid(str(code or "it cannot be processed"))
