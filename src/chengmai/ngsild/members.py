"""Checks of single members of an attribute: names, URIs, instants, and the value of each kind.

A check returns the value as it is stored. `NULL` stands for "remove this" in a patch (GS CIM 009 V1.9.1,
clause 4.5.0) and is let through only where `nullable`; JSON null is then read as `NULL`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from chengmai.kernel.instants import parse_instant
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.geojson import check_geometry
from chengmai.ngsild.problems import EntityInvalid

NULL = "urn:ngsi-ld:null"
LONGEST_URI = 4096
LONGEST_NAME = 2048
"""Characters; a name may be an IRI. Both are keys of the store and parts of addresses."""

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\x00-\x20<>\"{}|\\^`]+")
# Characters that print as nothing, so that two ids would look the same (clause 4.5.1: a valid URI).
_UNSEEN = re.compile("[\u115f\u1160\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_BAD_IN_NAME = re.compile(r"[\x00-\x20<>\"'=;()\[\]{}|,&!~\\^`]|^@")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
_SCOPE = re.compile(r"(?:/[^\x00-\x20/;,#+()|]+)+")


def refused(why: str, param: str, fix: str) -> EntityInvalid:
    """Return the problem that `param` of an entity breaks a rule."""
    return EntityInvalid(f"{param:.100}: {why}", param=param[:100], fix=fix)


def is_uri(value: Any) -> bool:
    """Return whether `value` is an absolute URI."""
    return (
        type(value) is str
        and len(value) <= LONGEST_URI
        and _URI.fullmatch(value) is not None
        and (value.isascii() or (value.isprintable() and _UNSEEN.search(value) is None))
    )


def checked_uri(value: Any, param: str) -> str:
    """Return `value` when it is an absolute URI."""
    if is_uri(value):
        uri: str = value
        return uri
    raise refused(
        f"{value!r:.60} is not a URI",
        param,
        f"write it as urn:ngsi-ld:<Type>:<name> or http://…, with at most {LONGEST_URI} characters",
    )


def checked_dataset(value: Any) -> str:
    """Return the datasetId that a request asks for: a URI, or `@none` for the instance without one."""
    return "@none" if value == "@none" else checked_uri(value, "datasetId")


def checked_name(name: Any, param: str) -> str:
    """Return `name` when it may name a type or an attribute (clause 4.6.2)."""
    if (
        type(name) is not str
        or not name
        or len(name) > LONGEST_NAME
        or _BAD_IN_NAME.search(name) is not None
        or (":" not in name and ("." in name or "%" in name))
    ):
        raise refused(
            f"{name!r:.60} is not a legal name",
            param,
            f"use letters, digits and _, or a full IRI, and at most {LONGEST_NAME} characters",
        )
    return name


def checked_instant(value: Any, param: str) -> str:
    """Return `value` when it is an instant in UTC, ending in `Z`; it is kept as it came (clause 4.6.3)."""
    if type(value) is str and _INSTANT.fullmatch(value) is not None:
        try:
            datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return value
    parse_instant(value, param)
    raise refused(f"{value!r:.60} is not in UTC", param, "write it as 2026-11-22T07:43:00Z")


def is_plain_instant(value: Any) -> bool:
    """Return whether `value` is an instant as it is stored: UTC text in whole seconds."""
    if type(value) is not str or len(value) != 20 or value[10] != "T" or value[19] != "Z":
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return value[4] == value[7] == "-" and value[13] == value[16] == ":"


def checked_text(value: Any, param: str) -> str:
    """Return `value` when it is a text that is not empty."""
    if type(value) is str and value:
        return value
    raise refused(f"{value!r:.60} is not a text", param, "write it as a JSON string")


def checked_scopes(value: Any, param: str) -> list[str]:
    """Return the scopes of an entity, each `/a/b`, without repeats (clause 4.18)."""
    scopes = value if type(value) is list else [value]
    for scope in scopes:
        if type(scope) is not str or _SCOPE.fullmatch(scope) is None:
            raise refused(f"{scope!r:.60} is not a scope", param, "write it as /City/District")
    return list(dict.fromkeys(scopes))


def checked_types(value: Any, ctx: Context, param: str) -> list[str]:
    """Return the expanded types of an entity, without repeats."""
    if type(value) is str and value in ctx.seen and not ctx.is_keyword(value):
        return [ctx.seen[value]]
    names = value if type(value) is list else [value]
    if not names:
        raise refused("an entity has at least one type", param, 'write "type": "…"')
    if digit := next((n for n in names if isinstance(n, str) and n[:1].isdigit()), None):
        raise refused(f"{digit!r:.60} begins with a digit", param, "begin with a letter")
    if keyword := next((n for n in names if isinstance(n, str) and ctx.is_keyword(n)), None):
        raise refused(f"{keyword!r} is a keyword, not a type", param, "name another type")
    return list(dict.fromkeys(expanded_name(name, ctx, param) for name in names))


def expanded_name(name: Any, ctx: Context, param: str) -> str:
    """Return the IRI of a name that may name a type or an attribute; checks a name once a context."""
    known = ctx.seen.get(name) if type(name) is str else None
    if known is not None:
        return known
    iri = ctx.expand(checked_name(name, param))
    ctx.remember(name, iri)
    return iri


def _property(value: Any, _ctx: Context, param: str) -> Any:
    if value is None or value == NULL:
        raise refused("the value may not be null", param, "leave the attribute out, or delete it")
    return value


def _whole_property(value: Any, ctx: Context, param: str) -> Any:
    _property(value, ctx, param)
    if type(value) in (dict, list) and holds_null(value):
        raise refused(
            "something in the value is null", param, "leave it out; a merge may remove it"
        )
    return value


def holds_null(value: Any) -> bool:
    """Return whether the NGSI-LD null stands anywhere in a value (clause 5.5.4)."""
    inner = value.values() if type(value) is dict else value
    return any(holds_null(one) if type(one) in (dict, list) else one == NULL for one in inner)


def _geometry(value: Any, _ctx: Context, param: str) -> Any:
    if type(value) is str:  # a geometry may come as a text of JSON (clause 4.7.2)
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise refused("the text is no JSON", param, "send the geometry as an object") from None
    check_geometry(value, param)
    return value


def checked_targets(value: Any, param: str) -> Any:
    """Return the target of a Relationship, or the list of them."""
    if type(value) is list and value:
        return [_target(one, param) for one in value]
    return _target(value, param)


def _object(value: Any, _ctx: Context, param: str) -> Any:
    return checked_targets(value, param)


def _target(value: Any, param: str) -> str:
    _property(value, None, param)  # type: ignore[arg-type]
    return checked_uri(value, param)


def _language_map(value: Any, _ctx: Context, param: str) -> Any:
    return checked_languages(value, param)


def checked_languages(value: Any, param: str) -> dict[str, Any]:
    """Return a languageMap: a text, or a list of texts, for each language."""
    texts = value.values() if type(value) is dict else ()
    if (
        not texts
        or "" in value
        or not all(
            type(t) is str or (type(t) is list and t and all(type(s) is str for s in t))
            for t in texts
        )
    ):
        raise refused(
            "a languageMap holds a text for each language",
            param,
            'write it as {"zh": "…", "en": "…"}',
        )
    languages: dict[str, Any] = value
    return languages


def _vocab(value: Any, ctx: Context, param: str) -> Any:
    if type(value) is list and value:
        return [ctx.expand(checked_text(term, param)) for term in value]
    _property(value, ctx, param)
    return ctx.expand(checked_text(value, param))


def _json(value: Any, ctx: Context, param: str) -> Any:
    _property(value, ctx, param)
    if type(value) is dict or (type(value) is list and all(type(one) is dict for one in value)):
        return value
    raise refused(
        "json is an object or a list of objects", param, "use a Property for plain values"
    )


def _value_list(value: Any, _ctx: Context, param: str) -> Any:
    if type(value) is not list:
        raise refused("a valueList is a list", param, "write it as […]")
    return value


def _object_list(value: Any, _ctx: Context, param: str) -> Any:
    if type(value) is not list:
        raise refused("an objectList is a list", param, 'write it as [{"object": "urn:…"}]')
    targets = [one.get("object") if type(one) is dict else one for one in value]
    return [{"object": checked_uri(target, param)} for target in targets]


CHECKED_VALUE: dict[str, Callable[[Any, Context, str], Any]] = {
    "Property": _property,
    "GeoProperty": _geometry,
    "Relationship": _object,
    "LanguageProperty": _language_map,
    "VocabProperty": _vocab,
    "JsonProperty": _json,
    "ListProperty": _value_list,
    "ListRelationship": _object_list,
}
"""How the value of each kind is checked: `(value, context, param)` → the value as stored."""
CHECKED_WHOLE_VALUE = CHECKED_VALUE | {"Property": _whole_property}
"""The same where nothing is merged: nulls inside a value have nothing to remove (clause 5.5.4)."""
