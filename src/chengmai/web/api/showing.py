"""How entities stand in an answer: media type, context, form and members; made once a question."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import LOCATION, Entity
from chengmai.ngsild.members import checked_name
from chengmai.ngsild.projection import View
from chengmai.ngsild.represent import compact_entity, to_geojson
from chengmai.web.api.http import Request
from chengmai.web.api.negotiation import GEO_JSON, JSON_LD
from chengmai.web.api.options import form, wants_sys_attrs

_VIEW = ("lang", "pick", "omit", "attrs", "datasetId", "geometryProperty")


@dataclass(frozen=True)
class Showing:
    """Shows entities as one request asks; `key` is the same for all that ask for the same."""

    context: Context
    media: str
    view: View
    options: dict[str, Any]
    """`form`, `sys_attrs` and `lang` of `compact_entity`."""
    geometry: str | None
    """The GeoProperty (expanded) that is the geometry of a feature; None where there are no features."""
    dataset: str | None
    asked: tuple[str | None, ...]

    @cached_property
    def key(self) -> Hashable:
        """What a part depends on beside the stored entity."""
        return (
            self.context,
            self.media,
            self.options["form"],
            self.options["sys_attrs"],
            *self.asked,
        )

    def document(self, entity: Entity) -> dict[str, Any]:
        """Return an entity of which the view has left something, compacted."""
        return compact_entity(entity, self.context, **self.options)

    def feature(self, entity: Entity, whole: Entity | None) -> dict[str, Any]:
        """Return what the view has left of `whole` as a GeoJSON feature (clause 4.5.16)."""
        assert self.geometry is not None
        return to_geojson(
            entity,
            self.context,
            geometry_property=self.geometry,
            dataset_id=self.dataset,
            geometry_of=whole,
            **self.options,
        )

    @cached_property
    def part(self) -> Callable[[bytes], bytes]:
        """Return what makes a stored entity a part of the answer; nothing where nothing is left of it."""
        # A copy of its exact size: it is remembered, and the buffer it is made in is larger.
        return lambda doc: bytes(memoryview(self._part(doc)))

    def _part(self, doc: bytes) -> bytes:
        whole = orjson.loads(doc)
        entity = self.view.of(whole)
        if not entity:
            return b""
        if self.geometry is not None:
            return orjson.dumps(self.feature(entity, whole))
        made = self.document(entity)
        if self.media == JSON_LD:
            made = {**made, "@context": self.context.echo}
        return orjson.dumps(made)


def showing(request: Request, view: View, context: Context, media: str) -> Showing:
    """Return how a request wants entities shown; raises `Invalid`."""
    datasets: Sequence[str] = request.names("datasetId")
    return Showing(
        context=context,
        media=media,
        view=view,
        options={
            "form": form(request),
            "sys_attrs": wants_sys_attrs(request),
            "lang": request.query.get("lang"),
        },
        geometry=_geometry_property(request, context) if media == GEO_JSON else None,
        dataset=datasets[0] if datasets and datasets[0] != "@none" else None,
        asked=tuple(request.query.get(name) for name in _VIEW),
    )


def _geometry_property(request: Request, context: Context) -> str:
    name = request.query.get("geometryProperty")
    return LOCATION if name is None else context.expand(checked_name(name, "geometryProperty"))
