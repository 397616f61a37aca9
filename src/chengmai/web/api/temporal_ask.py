"""What a request for evolutions asks: by parameters (6.18.3.2, 6.19.3.1) or by a Query body (5.2.23)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chengmai.broker.distribution.narrowing import Filters
from chengmai.broker.subscription import entity_info
from chengmai.broker.temporal import EvolutionQuery, TemporalAsk
from chengmai.kernel.problems import Invalid
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.geoq import parse_geoq
from chengmai.ngsild.members import checked_dataset, checked_name, checked_uri
from chengmai.ngsild.problems import EntityInvalid, QueryInvalid
from chengmai.ngsild.q import parse_q
from chengmai.ngsild.select import parse_scopes
from chengmai.ngsild.temporal import TemporalQuery, parse_temporal
from chengmai.ngsild.temporal_view import TemporalForm
from chengmai.web.api.asking import check_json_keys
from chengmai.web.api.http import InvalidRequest, Request

_FORMS: dict[str, TemporalForm] = {
    "normalized": "normalized",
    "temporalValues": "temporalValues",
    "aggregatedValues": "aggregatedValues",
}
_OPTIONS = frozenset([*_FORMS, "sysAttrs"])
_SYSTEM = frozenset({"createdAt", "modifiedAt", "deletedAt", "observedAt"})
_MEMBERS = frozenset({"id", "type", "scope"}) | _SYSTEM
_MOST_PER_PAGE = 1000


@dataclass(frozen=True)
class Asked:
    """What is asked for and how it is to be shown."""

    ask: TemporalAsk
    query: EvolutionQuery
    form: TemporalForm
    sys_attrs: bool
    keeps: Callable[[str], bool]
    filters: Filters = field(default_factory=Filters)
    local: bool = False
    lang: str | None = None


def asked_of_one(request: Request, context: Context, *, page: int) -> Asked:
    """Return what GET /temporal/entities/{id} asks, `page` instances an answer; raises `Invalid`."""
    asked = _asked(request.query, EvolutionQuery(), context, page=page)
    return replace(asked, filters=_filters(request.query, None, context))


def asked_of_many(request: Request, context: Context, *, page: int) -> Asked:
    """Return what GET /temporal/entities asks; raises `Invalid`, also when it asks for everything."""
    params = request.query
    shared = {"type": params.get("type") or "*"}
    if "idPattern" in params:
        shared["idPattern"] = params["idPattern"]
    infos = [{**shared, "id": checked_uri(one, "id")} for one in request.names("id")] or [shared]
    query = EvolutionQuery(
        entities=[entity_info(info, context) for info in infos],
        q=parse_q(params["q"], context, expand_values=request.names("expandValues"))
        if "q" in params
        else None,
        geoq=_geo(params, context),
        limit=request.number("limit", 20, least=0, most=_MOST_PER_PAGE),
        offset=request.number("offset", 0, least=0, most=10**9),
        count=request.flag("count"),
        descending=_descending(params.get("orderBy")),
    )
    _check_filter(params.get("q", ""))
    check_json_keys(request.names("jsonKeys"), request.names("expandValues"))
    attributes = [name for name in request.names("attrs") if name not in _SYSTEM]
    local = request.flag("local")
    if not (params.get("type") or query.q or query.geoq or attributes or local):
        raise _refused(
            "the query names neither types nor attributes nor a filter",
            "type",
            "give type, attrs, q or georel, or local=true",
        )
    asked = _checked_page(_asked(params, query, context, page=page, windowed=True))
    return replace(asked, filters=_filters(params, params, context))


def asked_by_body(request: Request, body: Any, context: Context, *, page: int) -> Asked:
    """Return what a Query asks (clause 5.2.23) with the paging of the request; raises `Invalid`."""
    if not isinstance(body, dict) or body.get("type") != "Query":
        raise _refused("the body is no Query", "type", 'send an object with "type": "Query"')
    params = _params_of(body)
    entities = body.get("entities") or []
    if not isinstance(entities, list) or not all(isinstance(one, dict) for one in entities):
        raise _refused("entities is no list of objects", "entities", 'write [{"type": …}]')
    geo = body.get("geoQ")
    query = EvolutionQuery(
        entities=[entity_info({"type": "*", **one}, context) for one in entities],
        q=parse_q(str(body["q"]), context, expand_values=_names(_text_of(body, "expandValues")))
        if body.get("q")
        else None,
        geoq=_geo(geo, context) if isinstance(geo, dict) else None,
        limit=request.number("limit", 20, least=0, most=_MOST_PER_PAGE),
        offset=request.number("offset", 0, least=0, most=10**9),
        count=request.flag("count"),
        descending=_descending(body.get("orderBy")),
    )
    _check_filter(str(body.get("q", "")))
    check_json_keys(_names(_text_of(body, "jsonKeys")), _names(_text_of(body, "expandValues")))
    if not (entities or query.q or query.geoq or params.get("attrs")):
        raise _refused("the query names nothing", "entities", "give entities, attrs, q or geoQ")
    for name in ("options", "format"):
        if name in request.query:
            params[name] = request.query[name]
    asked = _checked_page(_asked(params, query, context, page=page, windowed=True))
    filters = _filters({**body, **params}, geo if isinstance(geo, dict) else None, context)
    return replace(asked, filters=filters, local=body.get("local") is True)


def _params_of(body: dict[str, Any]) -> dict[str, str]:
    params: dict[str, str] = {}
    window = body.get("temporalQ") or {}
    aggregated = body.get("aggrParams") or {}
    if not isinstance(window, dict) or not isinstance(aggregated, dict):
        raise _refused("temporalQ is no object", "temporalQ", 'write {"timerel": …}')
    for source in (window, aggregated):
        params |= {name: _text(name, value) for name, value in source.items() if name != "type"}
    for name in ("attrs", "pick", "omit", "datasetId", "scopeQ", "lang"):
        if body.get(name) is not None:
            params[name] = _text(name, body[name])
    if params.get("aggrMethods"):
        params["format"] = "aggregatedValues"
    return params


def _text_of(body: Mapping[str, Any], name: str) -> str:
    return "" if body.get(name) is None else _text(name, body[name])


def _text(name: str, value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise _refused(f"{value!r:.60} is not valid", name, "write a text, or a list of texts")
    return str(value)


def _asked(
    params: Mapping[str, str],
    query: EvolutionQuery,
    context: Context,
    *,
    page: int,
    windowed: bool = False,
) -> Asked:
    window = parse_temporal(params)
    if windowed and window.timerel is None:
        raise _refused("the query has no window in time", "timerel", "say before, after or between")
    form = _form(params, window)
    pick, omit = (_members(params.get(name), name, context) for name in ("pick", "omit"))
    attributes = _members(params.get("attrs"), "attrs", context)
    _check_projection(pick, omit, attributes)
    wanted = attributes
    if pick is not None and query.q is None and query.geoq is None:
        wanted = None if pick <= _MEMBERS - {"scope"} else pick - (_MEMBERS - {"scope"})
    ask = TemporalAsk(
        window=window,
        attributes=None if wanted is None else sorted(wanted),
        datasets=frozenset(map(checked_dataset, _names(params["datasetId"])))
        if params.get("datasetId")
        else None,
        scopes=parse_scopes(params["scopeQ"]) if params.get("scopeQ") else None,
        page=None if form == "aggregatedValues" else page,
    )

    def keeps(name: str) -> bool:
        return (pick is None or name in pick) and (omit is None or name not in omit)

    sys_attrs = "sysAttrs" in _names(params.get("options", ""))
    return Asked(ask, query, form, sys_attrs, keeps, lang=params.get("lang") or None)


def _form(params: Mapping[str, str], window: TemporalQuery) -> TemporalForm:
    options = _names(params.get("options", ""))
    if unknown := sorted(set(options) - _OPTIONS):
        raise InvalidRequest(
            f"option {unknown[0]!r} is not known",
            param="options",
            fix="use " + ", ".join(sorted(_OPTIONS)),
        )
    named = params.get("format") or next((one for one in options if one in _FORMS), None)
    if named is not None and named not in _FORMS:
        raise InvalidRequest(
            f"format={named!r} is not known", param="format", fix="use " + ", ".join(_FORMS)
        )
    form = _FORMS[named] if named else ("aggregatedValues" if window.methods else "normalized")
    if form == "aggregatedValues" and not window.methods:
        raise _refused("aggrMethods is missing", "aggrMethods", "name methods, as avg,max")
    return form


def _members(text: str | None, param: str, context: Context) -> frozenset[str] | None:
    """Return the names of a projection, expanded; None when it is not given."""
    if not text:
        return None
    if "{" in text:
        raise _refused("linked entities have no temporal representation", param, "leave {…} out")
    names = _names(text)
    for name in names:
        try:
            checked_name(name, param)
        except EntityInvalid as problem:
            raise _refused(problem.detail, param, "write names joined by ','") from None
    return frozenset(name if name in _MEMBERS else context.expand(name) for name in names)


def _check_projection(
    pick: frozenset[str] | None, omit: frozenset[str] | None, attributes: frozenset[str] | None
) -> None:
    if attributes is not None and (pick is not None or omit is not None):
        raise _refused("attrs goes with neither pick nor omit", "attrs", "use pick instead")
    if both := sorted((pick or frozenset()) & (omit or frozenset())):
        raise _refused(f"{both[0]!r} is picked and omitted", "omit", "name it once")


def _check_filter(q: str) -> None:
    if "{" in q:
        raise _refused("linked entities are not asked over time", "q", "leave {…} out")


def _filters(given: Mapping[str, Any], geo: Mapping[str, Any] | None, context: Context) -> Filters:
    """Return the filters as they are handed on to context sources."""
    names = ("georel", "geometry", "coordinates", "geoproperty")
    csf = given.get("csf")
    return Filters(
        context=context,
        q=str(given["q"]) if given.get("q") else None,
        scope_q=str(given["scopeQ"]) if given.get("scopeQ") else None,
        geo={name: geo[name] for name in names if geo.get(name)} if geo is not None else {},
        csf=None if csf is None else parse_q(str(csf), context),
    )


def _checked_page(asked: Asked) -> Asked:
    if asked.query.limit == 0 and not asked.query.count:
        raise _refused("limit=0 asks for nothing", "limit", "add count=true")
    return asked


def _descending(order: Any) -> bool:
    if not order:
        return False
    text = ",".join(map(str, order)) if isinstance(order, list) else str(order)
    if text not in ("id", "id;asc", "id;desc"):
        raise _refused("evolutions are ordered by id alone", "orderBy", "write id or id;desc")
    return text == "id;desc"


def _geo(given: Mapping[str, Any], context: Context) -> Any:
    named = [name for name in ("georel", "geometry", "coordinates") if given.get(name)]
    if not named:
        return None
    if len(named) < 3:
        raise _refused(
            "a geo-query needs georel, geometry and coordinates", named[0], "give all three"
        )
    geoproperty = given.get("geoproperty") or None
    return parse_geoq(
        str(given["georel"]), str(given["geometry"]), given["coordinates"], geoproperty, context
    )


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.replace("|", ",").split(",") if part.strip()]


def _refused(why: str, param: str, fix: str) -> Invalid:
    return QueryInvalid(why, param=param, fix=fix)
