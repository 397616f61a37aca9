"""Reading what a source answered: entities and evolutions, with the stamps that the source gave them.

A client's body is not believed about `createdAt` and its like; a source's answer is (clause 4.5.5 needs them).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from chengmai.kernel.problems import Invalid
from chengmai.ngsild.contexts import Context, ContextCompiler
from chengmai.ngsild.entity import Entity, Instance
from chengmai.ngsild.evolution import Evolution, expand_evolution
from chengmai.ngsild.expand import expand_entity, looks_like_instances
from chengmai.ngsild.members import checked_instant, checked_uri
from chengmai.ngsild.problems import ContextNotAvailable, ContextWanted

Fetch = Callable[[str], Awaitable[None]]
"""Gets a context's document and keeps it, so that compiling can go on."""

_STAMPS = ("createdAt", "modifiedAt", "deletedAt")
_MOST_CONTEXTS = 5


class AnswerInvalid(Invalid):
    """A source answered with something that is no NGSI-LD (clause 6.3.17)."""

    code = "source.answer"


class Reader:
    """Reads documents of sources, each with the context that it names or that it was asked with."""

    def __init__(self, contexts: ContextCompiler, fetch: Fetch) -> None:
        self._contexts = contexts
        self.core = contexts.core
        self._fetch = fetch

    async def context(self, source: Any) -> Context:
        """Return the compiled context of a URL or document; raises a problem when it cannot be had."""
        for _ in range(_MOST_CONTEXTS):
            try:
                return self._contexts.compile(source)
            except ContextWanted as wanted:
                await self._fetch(wanted.url)
        raise ContextNotAvailable("the context names too many others", param="@context")

    async def entities(self, document: Any, context: Context) -> list[Entity]:
        """Return the entities of an answer, a single one as a list; raises `Invalid` when it is none."""
        return [entity_of(one, its) for one, its in await self._each(document, context)]

    async def evolutions(self, document: Any, context: Context) -> list[Evolution]:
        """Return the evolutions of an answer, a single one as a list; raises `Invalid` when it is none."""
        return [evolution_of(one, its) for one, its in await self._each(document, context)]

    async def _each(self, document: Any, context: Context) -> list[tuple[dict[str, Any], Context]]:
        listed = document if isinstance(document, list) else [document]
        made = []
        for one in listed:
            if not isinstance(one, dict):
                raise AnswerInvalid("the answer is no entity and no list of entities")
            its = await self.context(one["@context"]) if "@context" in one else context
            made.append((one, its))
        return made


def entity_of(document: dict[str, Any], context: Context) -> Entity:
    """Return the entity of a normalized or concise document, with its stamps; raises `Invalid`."""
    made = expand_entity(document, context)
    _stamp(made, document, context)
    return made


def evolution_of(document: dict[str, Any], context: Context) -> Evolution:
    """Return the evolution of a temporal document, with its stamps; raises `Invalid`."""
    told = expand_evolution(document, context)
    _copy(told.head, document)
    for name, given in document.items():
        iri = name if name == "scope" else context.expand(name)
        found = [one for its, one in told.instances if its == iri]
        _stamp_each(found, given, context)
    return told


def _stamp(made: dict[str, Any], given: dict[str, Any], context: Context) -> None:
    _copy(made, given)
    for name, value in given.items():
        found = made.get(context.expand(name))
        if isinstance(found, list) and not name.startswith("@"):
            _stamp_each(found, value, context)


def _stamp_each(found: list[Instance], given: Any, context: Context) -> None:
    listed = given if looks_like_instances(given) else [given]
    if len(listed) != len(found):
        return
    for instance, one in zip(found, listed, strict=True):
        if isinstance(one, dict) and isinstance(instance, dict):
            _stamp(instance, one, context)
            if "instanceId" in one:
                instance["instanceId"] = checked_uri(one["instanceId"], "instanceId")


def _copy(made: dict[str, Any], given: dict[str, Any]) -> None:
    for member in _STAMPS:
        if member in given:
            made[member] = checked_instant(given[member], member)
