"""Port: all entities of a type at once, as a map of the city shows them again and again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable
from typing import Protocol

from chengmai.ngsild.geoq import GeoQuery

Render = Callable[[bytes], bytes]
"""Makes a stored entity a part of an answer; nothing where nothing is left of it."""


class Laid(Protocol):
    """Entities that match at one instant, ordered by id."""

    @property
    def total(self) -> int:
        """How many match."""
        ...

    def parts(
        self, view: Hashable, render: Render, *, offset: int, limit: int
    ) -> AsyncIterator[list[bytes]]:
        """Yield what `render` makes of some of them, in order; what it makes nothing of is left out.

        `view` is the same for all that render the same: what was made is remembered under it until the entity
        changes. An entity that changes while it is read is shown as it is then, or not any more.
        """
        ...


class Sheets(Protocol):
    """Port: sheets of entities, one a type."""

    async def laid(self, tenant: str, type_iri: str, place: GeoQuery | None) -> Laid | None:
        """Return the entities of a type, of those at a place where one is asked for.

        None where the sheet would be too large, or the question has to be put to too many entities.
        """
        ...
