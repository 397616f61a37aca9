"""The SensorThings view as an ASGI application below `/sta/v1.1`: read only, for who may read entities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import format_us
from chengmai.kernel.problems import Invalid, NotFound, Problem
from chengmai.ngsild.entity import Entity
from chengmai.web.api.app import Gate, Receive, Scope, Send, read_headers, send_response
from chengmai.web.api.http import MethodNotAllowed, json_response
from chengmai.web.api.problems import failure_response, problem_response
from chengmai.web.sta.asking import Options, Step, Term, options_of, steps_of
from chengmai.web.sta.expanding import Shower
from chengmai.web.sta.resources import observed, observed_property, parts_of
from chengmai.web.sta.service import Page, SensorView

PREFIX = "/sta/v1.1"
_PLAIN = "$(),;=/:'@~"
_SETS = ("Things", "Locations", "Datastreams", "ObservedProperties", "Observations")
_CONFORMANCE = (
    "http://www.opengis.net/spec/iot_sensing/1.1/req/resource-path/resource-path-to-entities",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/expand",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/orderby",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/top",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/skip",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/count",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/pagination",
)


class SensorThingsApi:
    """Answers GET and HEAD; `gate` says who asks, and the action `temporal.read` is needed for observations."""

    def __init__(self, view: SensorView, gate: Gate, public_url: str | None = None) -> None:
        """`public_url` is where links lead; left out, they lead where the request came in."""
        self._view = view
        self._gate = gate
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = json_response(await self._answer(scope))
        except Problem as problem:
            response = problem_response(problem)
        except Exception as error:
            response = failure_response(error, "")
        await send_response(response, send, head=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope) -> Any:
        headers = read_headers(scope)
        actor = await self._gate.actor(headers, scope["method"])
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed(scope["method"], ["GET", "HEAD"])
        self._gate.allow(actor, "entities.read")
        raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        path = raw[len(PREFIX) :].strip("/")
        root = (self._public_url or f"http://{headers.get('host', 'localhost')}") + PREFIX
        if not path:
            return _contents(root)
        given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        options = options_of(dict(given))
        if _concerns_the_past(path, options):
            self._gate.allow(actor, "temporal.read")
        asked = _Asked(self._view, Shower(self._view, actor, root), actor, options)
        answer = await asked.of(steps_of(path))
        if isinstance(answer, Page):
            return _listed(answer, options, f"{root}/{path}", dict(given))
        return answer


class _Asked:
    """One request on its way along the path."""

    def __init__(self, view: SensorView, shower: Shower, actor: Actor, options: Options) -> None:
        self._view = view
        self._shower = shower
        self._actor = actor
        self._options = options

    async def of(self, steps: list[Step]) -> Any:
        """Return the resource, or the page of resources, that the path leads to; raises `NotFound`."""
        first, *rest = steps
        if first.name not in _SETS:
            raise NotFound(f"there is no {first.name!r:.60}", param="path", fix=", ".join(_SETS))
        if first.id is None:
            if rest:
                raise NotFound(f"{first.name} without an id leads nowhere", param="path")
            return await self._all(first.name)
        if first.name == "Observations" and not rest:
            return await self._observation(first.id)
        here = await self._one(first.name, first.id)
        while rest:
            step, *rest = rest
            here = await self._further(here, step.name)
            if isinstance(here, Page) and rest:
                raise NotFound("a path ends at a list", param="path")
        return here if isinstance(here, Page) else await self._shown(*here)

    async def _all(self, name: str) -> Page:
        if name == "Observations":
            raise Invalid(
                "observations are asked for by their datastream",
                code="sta.option",
                param="path",
                fix="ask Datastreams('…')/Observations",
            )
        if name == "ObservedProperties":
            return await self._properties()
        terms = self._options.terms
        direct = all(_is_direct(t) for t in terms) and self._options.order is None
        if name == "Things" and direct:
            page = await self._view.entities(self._actor, self._options)
            shown = [await self._shown("Things", one, "") for one in page.found]
            return Page(shown, page.total, page.more)
        return await self._looked_for(name)

    async def _looked_for(self, name: str) -> Page:
        """Return a page of what all entities have, in order of their ids, judged one by one."""
        options = self._options
        end = options.skip + options.top
        chosen: list[tuple[dict[str, Any], Entity, str]] = []
        whole = options.count or options.order is not None
        direct = (
            tuple(term for term in options.terms if _is_direct(term)) if name == "Things" else ()
        )
        of_thing = tuple(
            Term(t.path.removeprefix("Thing/"), t.op, t.value)
            for t in options.terms
            if name == "Datastreams" and _is_direct(t, "Thing/")
        )
        async for entity in self._view.each(self._actor, direct or of_thing):
            for attribute in observed(entity) if name == "Datastreams" else [""]:
                shown = self._shower.plain(name, entity, attribute)
                if shown is None or not all(
                    t.holds(shown) for t in options.terms if t not in direct
                ):
                    continue
                chosen.append((shown, entity, attribute))
            if len(chosen) > end and not whole:
                break
        if options.order is not None:
            path, downwards = options.order
            chosen.sort(key=lambda one: str(one[0].get(path, "")), reverse=downwards)
        page = [await self._shown(name, *one[1:]) for one in chosen[options.skip : end]]
        return Page(page, len(chosen) if options.count else None, len(chosen) > end)

    async def _properties(self) -> Page:
        names: set[str] = set()
        async for entity in self._view.each(self._actor, ()):
            names.update(observed(entity))
        shown = [observed_property(self._shower.root, name) for name in sorted(names)]
        kept = [one for one in shown if all(term.holds(one) for term in self._options.terms)]
        end = self._options.skip + self._options.top
        total = len(kept) if self._options.count else None
        return Page(kept[self._options.skip : end], total, len(kept) > end)

    async def _one(self, name: str, identity: str) -> tuple[str, Entity, str]:
        if name in ("Things", "Locations"):
            return name, await self._view.entity(self._actor, identity), ""
        stream = identity.rpartition("~")[0] if name == "Observations" else identity
        if name == "ObservedProperties":
            raise NotFound("observed properties are listed, not asked for one by one", param="path")
        entity_id, attribute = parts_of(stream)
        entity = await self._view.entity(self._actor, entity_id)
        if attribute not in observed(entity):
            raise NotFound(f"there is no {name}({identity!r:.200})", param="path")
        return name, entity, attribute

    async def _observation(self, identity: str) -> dict[str, Any]:
        """Return the observation of one instant."""
        _, entity, attribute = await self._one("Observations", identity)
        at = identity.rpartition("~")[2]
        if at.isascii() and at.isdigit() and len(at) < 18:
            term = Term("phenomenonTime", "eq", format_us(int(at)))
            page = await self._shower.observations(entity, attribute, Options(top=1, terms=(term,)))
            for found in page.found:
                return dict(found)
        raise NotFound(f"there is no Observations({identity!r:.200})", param="path")

    async def _further(self, here: Any, name: str) -> Any:
        kind, entity, attribute = here
        ways: dict[tuple[str, str], Callable[[], Any]] = {
            ("Things", "Locations"): lambda: self._of_thing("Locations", entity),
            ("Things", "Datastreams"): lambda: self._of_thing("Datastreams", entity),
            ("Locations", "Things"): lambda: self._of_thing("Things", entity),
            ("Datastreams", "Observations"): lambda: self._shower.observations(
                entity, attribute, self._options
            ),
        }
        if (kind, name) in ways:
            return await ways[kind, name]()
        if (kind, name) == ("Datastreams", "Thing"):
            return "Things", entity, ""
        if (kind, name) == ("Datastreams", "ObservedProperty"):
            return "ObservedProperties", entity, attribute
        if (kind, name) == ("Observations", "Datastream"):
            return "Datastreams", entity, attribute
        raise NotFound(f"{kind} lead to no {name!r:.60}", param="path")

    async def _of_thing(self, name: str, entity: Entity) -> Page:
        attributes = list(observed(entity)) if name == "Datastreams" else [""]
        shown = [(self._shower.plain(name, entity, one), one) for one in attributes]
        kept = [
            one
            for plain, one in shown
            if plain and all(t.holds(plain) for t in self._options.terms)
        ]
        end = self._options.skip + self._options.top
        page = [await self._shown(name, entity, one) for one in kept[self._options.skip : end]]
        return Page(page, len(kept) if self._options.count else None, len(kept) > end)

    async def _shown(self, name: str, entity: Entity, attribute: str) -> dict[str, Any]:
        return await self._shower.shown(name, entity, attribute, self._options.expand)


def _is_direct(term: Term, prefix: str = "") -> bool:
    return term.op == "eq" and term.path in (
        f"{prefix}@iot.id",
        f"{prefix}id",
        f"{prefix}description",
    )


def _concerns_the_past(path: str, options: Options) -> bool:
    def within(expand: Any) -> bool:
        return any(name == "Observations" or within(one.expand) for name, one in expand.items())

    return "Observations" in path or within(options.expand)


def _contents(root: str) -> dict[str, Any]:
    return {
        "value": [{"name": name, "url": f"{root}/{name}"} for name in _SETS],
        "serverSettings": {"conformance": list(_CONFORMANCE)},
    }


def _listed(page: Page, options: Options, here: str, given: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if page.total is not None:
        made["@iot.count"] = page.total
    if page.more:
        following = given | {"$skip": str(options.skip + options.top), "$top": str(options.top)}
        told = urlencode(following, quote_via=quote, safe=_PLAIN)
        made["@iot.nextLink"] = f"{here}?{told}"
    return made | {"value": page.found}
