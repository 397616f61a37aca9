"""What a request for entities asks, worked out once: the same few questions are asked again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from chengmai.broker.distribution.narrowing import Filters
from chengmai.broker.model import ANY, EntityQuery
from chengmai.kernel.problems import Invalid
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.q import parse_q
from chengmai.web.api.asking import (
    Given,
    entity_query,
    filters_of,
    given_in_parameters,
    one_entity,
)
from chengmai.web.api.http import Request
from chengmai.web.api.negotiation import GEO_JSON
from chengmai.web.api.options import checked_view_options
from chengmai.web.api.paging import page_links
from chengmai.web.api.showing import Showing, showing

_MOST = 2000
_LONGEST = 2000
"""Of the parameters of a question that is remembered, in characters."""
Link: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Plan:
    """A question and how its answer is shown; not changed by answering it."""

    asked: EntityQuery
    show: Showing
    filters: Filters
    is_local: bool = False
    is_plain: bool = False
    """Whether nothing but the entity itself decides about the answer: no selector, link or map."""
    _links: dict[tuple[str, bool], list[Link]] = field(default_factory=dict)

    def links(self, request: Request, asked: EntityQuery, *, more: bool) -> list[Link]:
        """Return the links to other pages; `asked` is the question, or what a map confines it to."""
        made = self._links.get((request.path, more))
        if made is None:
            made = page_links(request, asked, more=more, media=self.show.media)
            if len(self._links) < 8:
                self._links[request.path, more] = made
        return made


WorkOut: TypeAlias = Callable[[Request, Context, str], Plan]
"""Makes a plan of parameters, context and media type, and of nothing else of a request."""


class Plans:
    """The plans of requests without a body, by what they are made of."""

    def __init__(self) -> None:
        self._known: dict[tuple[WorkOut, str, Context, str], Plan] = {}

    def of(self, work_out: WorkOut, request: Request, context: Context, media: str) -> Plan:
        """Return the plan of a request; raises what `work_out` raises, each time."""
        key = (work_out, request.raw_query, context, media)
        plan = self._known.get(key)
        if plan is None:
            plan = work_out(request, context, media)
            if len(request.raw_query) <= _LONGEST:
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[key] = plan
        return plan


def plan_of_one(request: Request, context: Context, media: str) -> Plan:
    """Return what GET /entities/{id} asks (clause 5.7.1); raises `Invalid`."""
    checked_view_options(request)
    _check_geometry(request, media)
    asked = _for_media(one_entity(given_in_parameters(request), context), media)
    return Plan(
        asked,
        showing(request, asked.view, context, media),
        Filters(),
        is_local=request.flag("local"),
        is_plain=asked.which is ANY
        and asked.join is None
        and not asked.attributes
        and not {"entityMap", "entityMapLifetime"} & request.query.keys(),
    )


def plan_of_many(request: Request, context: Context, media: str) -> Plan:
    """Return what GET /entities asks (clause 5.7.2); raises `Invalid`."""
    if "csf" in request.query:
        parse_q(request.query["csf"], context)
    return plan_of_given(given_in_parameters(request), request, context, media)


def plan_of_given(given: Given, request: Request, context: Context, media: str) -> Plan:
    """Return what a query asks whose parts may come from a body; raises `Invalid`."""
    checked_view_options(request, "count")
    _check_geometry(request, media)
    asked = _for_media(entity_query(given, request, context), media)
    show = showing(request, asked.view, context, media)
    return Plan(asked, show, filters_of(given, context), given.local)


def _check_geometry(request: Request, media: str) -> None:
    if "geometryProperty" in request.query and media != GEO_JSON:
        raise Invalid(
            "geometryProperty is for GeoJSON answers",
            code="query.geometry_property",
            param="geometryProperty",
            fix=f"accept {GEO_JSON}",
        )


def _for_media(asked: EntityQuery, media: str) -> EntityQuery:
    """Return the query with `id` among what is shown where the media type cannot do without it."""
    if media != GEO_JSON or asked.view.shows_everything:
        return asked
    pick, omit = asked.view.pick, asked.view.omit
    if pick is not None:
        pick = {**pick, "id": None}
    if omit is not None:
        omit = {name: below for name, below in omit.items() if name != "id"}
    return replace(asked, view=replace(asked.view, pick=pick, omit=omit))
