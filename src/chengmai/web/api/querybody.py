"""The Query of a POST (clause 5.2.23): the same query as in parameters, as JSON."""

from __future__ import annotations

from typing import Any

from chengmai.kernel.problems import Invalid
from chengmai.ngsild.problems import QueryInvalid
from chengmai.web.api.asking import Given

_KNOWN = frozenset(
    [
        "type",
        "entities",
        "attrs",
        "pick",
        "omit",
        "q",
        "geoQ",
        "scopeQ",
        "csf",
        "lang",
        "join",
        "joinLevel",
        "containedBy",
        "expandValues",
        "ordering",
        "datasetId",
        "entityMap",
        "local",
        "splitEntities",
        "jsonKeys",
        "geometryProperty",
    ]
)


def given_in_body(body: Any) -> Given:
    """Return what a Query says; raises `QueryInvalid` where it is none."""
    if not isinstance(body, dict) or body.get("type") != "Query":
        raise _refused("the body is no Query", "type", 'send an object with "type": "Query"')
    if unknown := sorted(set(body) - _KNOWN):
        raise _refused(
            "it is no member of a Query for current entities", unknown[0], "leave it out"
        )
    origin, criteria, collation = _ordering(body)
    return Given(
        which=tuple(_selector(one) for one in _list(body, "entities", dict)),
        attrs=_texts(body, "attrs"),
        pick=_joined(body, "pick"),
        omit=_joined(body, "omit"),
        datasets=_texts(body, "datasetId"),
        q=_text(body, "q"),
        expand_values=_texts(body, "expandValues"),
        json_keys=_texts(body, "jsonKeys"),
        scope_q=_text(body, "scopeQ"),
        geo=_geo(body),
        order_by=criteria,
        origin=origin,
        collation=collation,
        join=_text(body, "join"),
        join_level=_level(body),
        contained_by=_texts(body, "containedBy"),
        local=body.get("local") is True,
        csf=_text(body, "csf"),
        split=_flag(body, "splitEntities"),
    )


def _selector(one: dict[str, Any]) -> dict[str, str]:
    made: dict[str, str] = {}
    for name in ("id", "type", "idPattern"):
        if name in one:
            value = one[name]
            if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
                value = ",".join(value)
            if not isinstance(value, str) or not value:
                raise _refused("it is no text", f"entities.{name}", "write it as a JSON string")
            made[name] = value
    if "type" not in made:
        raise _refused("an entry has no type", "entities.type", 'add "type": "*" for any')
    return made


def _ordering(body: dict[str, Any]) -> tuple[dict[str, Any] | None, tuple[str, ...], str | None]:
    given = body.get("ordering")
    if given is None:
        return None, (), None
    if not isinstance(given, dict):
        raise _refused("it is no object", "ordering", 'write {"orderBy": ["name;desc"]}')
    origin = None
    if "coordinates" in given:
        geometry = given.get("geometry", "Point")
        if not isinstance(geometry, str) or not isinstance(given["coordinates"], list):
            raise _refused("it is no geometry", "ordering.coordinates", "write [116.39,39.91]")
        origin = {"type": geometry, "coordinates": given["coordinates"]}
    elif "geometry" in given and not isinstance(given["geometry"], str):
        raise _refused("it is no text", "ordering.geometry", "write Point")
    return origin, _texts(given, "orderBy"), _text(given, "collation")


def _geo(body: dict[str, Any]) -> dict[str, Any] | None:
    geo = body.get("geoQ")
    if geo is None:
        return None
    if not isinstance(geo, dict):
        raise _refused("it is no object", "geoQ", "write georel, geometry and coordinates")
    for name in ("georel", "geometry", "geoproperty"):
        _text(geo, name)
    if not isinstance(geo.get("coordinates", []), list | str):
        raise _refused("it is no list", "geoQ.coordinates", "write [116.39,39.91]")
    return geo


def _level(body: dict[str, Any]) -> int | None:
    level = body.get("joinLevel")
    if isinstance(level, str) and level.isdigit():
        level = int(level)
    if level is not None and (type(level) is not int):
        raise _refused("it is no whole number", "joinLevel", "write 1")
    return level


def _joined(body: dict[str, Any], name: str) -> str | None:
    if isinstance(body.get(name), str):
        return str(body[name])
    texts = _texts(body, name)
    return ",".join(texts) if texts else None


def _texts(body: dict[str, Any], name: str) -> tuple[str, ...]:
    if isinstance(body.get(name), str):
        return tuple(part.strip() for part in body[name].split(",") if part.strip())
    return tuple(_list(body, name, str))


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise _refused("it is no text", name, "write it as a JSON string")
    return value


def _flag(body: dict[str, Any], name: str) -> bool | None:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise _refused("it is neither true nor false", name, "write true or false")
    return value


def _list(body: dict[str, Any], name: str, kind: type) -> list[Any]:
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not value or not all(isinstance(one, kind) for one in value):
        raise _refused(f"it is no list of at least one {kind.__name__}", name, "leave it out")
    return value


def _refused(why: str, param: str, fix: str) -> Invalid:
    return QueryInvalid(f"{param}: {why}", param=param, fix=fix)
