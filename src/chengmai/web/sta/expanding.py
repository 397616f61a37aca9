"""Shows a resource with those that it leads to, as deep as $expand asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chengmai.kernel.actors import Actor
from chengmai.kernel.problems import Invalid, TooLarge
from chengmai.ngsild.entity import Entity
from chengmai.web.sta.asking import Options
from chengmai.web.sta.resources import (
    Resource,
    datastream,
    link,
    location,
    observation,
    observed,
    observed_property,
    stream_id,
    thing,
)
from chengmai.web.sta.service import Page, SensorView

MOST_QUESTIONS = 500
"""How many datastreams are asked for their past in one answer."""


class Shower:
    """Shows what one request may see; `root` is the address of the view."""

    def __init__(self, view: SensorView, actor: Actor, root: str) -> None:
        self.root = root
        self._view = view
        self._actor = actor
        self._questions = 0

    def plain(self, name: str, entity: Entity, attribute: str) -> Resource | None:
        """Return a resource for $filter and $orderby: with what a Datastream belongs to, without lists."""
        if name == "Things":
            return thing(self.root, entity)
        if name == "Locations":
            return location(self.root, entity)
        made = datastream(self.root, entity, attribute, observed(entity)[attribute])
        made["Thing"] = thing(self.root, entity)
        made["ObservedProperty"] = observed_property(self.root, attribute)
        return made

    async def shown(
        self, name: str, entity: Entity, attribute: str, expand: Mapping[str, Options]
    ) -> Resource:
        """Return a resource with what `expand` names; raises `Invalid` for what it does not lead to."""
        if name == "ObservedProperties":
            return observed_property(self.root, attribute)
        if name == "Locations":
            made = location(self.root, entity) or {}
        elif name == "Things":
            made = thing(self.root, entity)
        else:
            made = datastream(self.root, entity, attribute, observed(entity)[attribute])
        for way, options in expand.items():
            made[way] = await self._expanded(name, way, entity, attribute, options)
            made.pop(f"{way}@iot.navigationLink", None)
            if way == "Observations":
                page: Page = made[way]
                made[way] = page.found
                if page.more:
                    made[f"{way}@iot.nextLink"] = self._next(entity, attribute, options)
        return made

    async def observations(self, entity: Entity, attribute: str, options: Options) -> Page:
        """Return a page of observations; raises `TooLarge` when one answer asks too often."""
        self._questions += 1
        if self._questions > MOST_QUESTIONS:
            raise TooLarge(
                f"observations of more than {MOST_QUESTIONS} datastreams in one answer",
                param="$expand",
                fix="ask for fewer things with $top",
            )
        page = await self._view.observations(self._actor, entity, attribute, options)
        stream = stream_id(entity["id"], attribute)
        shown = [observation(self.root, stream, one) for one in page.found]
        return Page(shown, page.total, page.more)

    async def _expanded(
        self, name: str, way: str, entity: Entity, attribute: str, options: Options
    ) -> Any:
        match name, way:
            case "Things", "Locations":
                place = location(self.root, entity)
                return [] if place is None else [place]
            case "Things", "Datastreams":
                streams = [self.plain("Datastreams", entity, one) or {} for one in observed(entity)]
                kept = [s for s in streams if all(term.holds(s) for term in options.terms)]
                return [
                    await self.shown("Datastreams", entity, _attribute(entity, one), options.expand)
                    for one in kept[options.skip : options.skip + options.top]
                ]
            case "Locations", "Things":
                return [await self.shown("Things", entity, "", options.expand)]
            case "Datastreams", "Thing":
                return await self.shown("Things", entity, "", options.expand)
            case "Datastreams", "ObservedProperty":
                return observed_property(self.root, attribute)
            case "Datastreams", "Observations":
                return await self.observations(entity, attribute, options)
        raise Invalid(
            f"$expand: {name} lead to no {way!r:.60}",
            code="sta.option",
            param="$expand",
            fix="expand Thing, Locations, Datastreams, ObservedProperty or Observations",
        )

    def _next(self, entity: Entity, attribute: str, options: Options) -> str:
        here = link(self.root, "Datastreams", stream_id(entity["id"], attribute))
        following = f"$top={options.top}&$skip={options.skip + options.top}"
        if options.order is not None:
            following += f"&$orderby=phenomenonTime%20{'desc' if options.order[1] else 'asc'}"
        return f"{here}/Observations?{following}"


def _attribute(entity: Entity, shown: Resource) -> str:
    return next(one for one in observed(entity) if stream_id(entity["id"], one) == shown["@iot.id"])
