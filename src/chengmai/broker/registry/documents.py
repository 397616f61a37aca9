"""A registration as a client sends it: every member checked by a table, its names expanded (clause 5.2.9).

What the standard does not name is a property of the context source itself; it is kept, and filters of
context sources (`csf`) may ask for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import re2

from chengmai.broker.registry.operations import GROUPS, OPERATIONS
from chengmai.broker.registry.problems import RegistrationInvalid
from chengmai.kernel.instants import parse_duration
from chengmai.kernel.problems import Invalid
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.geojson import check_geometry
from chengmai.ngsild.limits import check_limits
from chengmai.ngsild.members import (
    checked_instant,
    checked_name,
    checked_scopes,
    checked_text,
    checked_uri,
)

TYPE = "ContextSourceRegistration"
KEPT_BY_BROKER = ("status", "timesSent", "timesFailed", "lastSuccess", "lastFailure")
"""Members that only the broker writes; a client's are left out."""
SYSTEM = ("createdAt", "modifiedAt")
_MOST_PARTS = 1000
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

Check = Callable[[Any, str, Context], Any]


def read_document(given: Any, context: Context) -> dict[str, Any]:
    """Return a registration's document, checked, with expanded names; raises `RegistrationInvalid`.

    Names that are expanded already stay as they are.
    """
    if not isinstance(given, dict):
        raise _refused("body", "it is no object", f'send an object with "type": "{TYPE}"')
    check_limits(given)
    if given.get("type") != TYPE:
        raise _refused("type", "it is no registration", f'send an object with "type": "{TYPE}"')
    for name in ("id", "information", "endpoint"):
        if given.get(name) is None:
            raise _refused(name, "it is missing", "every registration has one")
    made = {name: _member(name, value, context) for name, value in _told(given, context)}
    return {"type": TYPE, **made}


def read_fragment(given: Any, context: Context) -> dict[str, Any]:
    """Return a change to a document, read like one; None stands for a member that is to go (clause 5.9.3).

    The id of a registration does not change; one in the fragment is left out.
    """
    if not isinstance(given, dict):
        raise _refused("body", "it is no object", "send the members to change")
    check_limits(given)
    if given.get("type", TYPE) != TYPE:
        raise _refused("type", "a registration cannot become anything else", "leave it out")
    return {
        name: None if value is None else _member(name, value, context)
        for name, value in _told(given, context)
        if name not in ("id", *SYSTEM)
    }


def _told(given: dict[str, Any], context: Context) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        if name not in KEPT_BY_BROKER and name != "type":
            known = name in _MEMBERS
            yield name if known else context.expand(checked_name(name, name)), value


def _member(name: str, value: Any, context: Context) -> Any:
    return _checked(_MEMBERS.get(name, _present), value, name, context)


def _checked(check: Check, value: Any, param: str, context: Context) -> Any:
    try:
        return check(value, param, context)
    except RegistrationInvalid:
        raise
    except Invalid as problem:
        raise RegistrationInvalid(
            problem.detail, param=problem.param or param, fix=problem.fix
        ) from None


def _refused(param: str, why: str, fix: str) -> RegistrationInvalid:
    return RegistrationInvalid(f"{param}: {why}", param=param, fix=fix)


def _present(value: Any, param: str, _context: Context) -> Any:
    if value is None:
        raise _refused(param, "the value may not be null", "leave the member out")
    return value


def _uri(value: Any, param: str, _context: Context) -> str:
    return checked_uri(value, param)


def _text(value: Any, param: str, _context: Context) -> str:
    return checked_text(value, param)


def _instant(value: Any, param: str, _context: Context) -> str:
    return checked_instant(value, param)


def _object(value: Any, param: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refused(param, "it is no object", "write it as {…}")
    return value


def _list(value: Any, param: str) -> list[Any]:
    if not isinstance(value, list) or not 0 < len(value) <= _MOST_PARTS:
        raise _refused(param, "it is no list of at least one", f"give 1 to {_MOST_PARTS} entries")
    return value


def _each(check: Check) -> Check:
    def every(value: Any, param: str, context: Context) -> list[Any]:
        return [check(one, param, context) for one in _list(value, param)]

    return every


def _name(value: Any, param: str, context: Context) -> str:
    return context.expand(checked_name(value, param))


def _one_or_more_names(value: Any, param: str, context: Context) -> Any:
    if isinstance(value, list):
        return _each(_name)(value, param, context)
    return _name(value, param, context)


def _pattern(value: Any, param: str, _context: Context) -> str:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(checked_text(value, param), options)
    except (re2.error, UnicodeError) as error:
        raise _refused(param, f"it is no regular expression: {error}", "use RE2 syntax") from None
    return str(value)


def _members(table: dict[str, Check], value: Any, param: str, context: Context) -> dict[str, Any]:
    given = _object(value, param)
    if unknown := sorted(given.keys() - table.keys()):
        raise _refused(f"{param}.{unknown[0]}", "it is not known", "use " + ", ".join(table))
    return {
        name: _checked(table[name], one, f"{param}.{name}", context) for name, one in given.items()
    }


def _entity(value: Any, param: str, context: Context) -> dict[str, Any]:
    made = _members(_ENTITY, value, param, context)
    if "type" not in made and "id" not in made:
        raise _refused(f"{param}.type", "it is missing", "name the type of the entities")
    return made


def _part(value: Any, param: str, context: Context) -> dict[str, Any]:
    made = _members(_PART, value, param, context)
    if not made:
        raise _refused(
            param, "an entry says nothing", "give entities, propertyNames or relationshipNames"
        )
    return made


def _interval(value: Any, param: str, context: Context) -> dict[str, Any]:
    made = _members(_INTERVAL, value, param, context)
    if "startAt" not in made:
        raise _refused(f"{param}.startAt", "it is missing", "say when it began")
    return made


def _geometry(value: Any, param: str, _context: Context) -> Any:
    # A GeoProperty is taken as well: the bare geometry is what is meant (clause 5.2.9).
    if isinstance(value, dict) and value.get("type") == "GeoProperty":
        value = value.get("value")
    check_geometry(value, param)
    return value


def _endpoint(value: Any, param: str, _context: Context) -> str:
    uri = checked_uri(value, param)
    try:
        parts = urlsplit(uri)
        good = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    good = good and parts.scheme in ("http", "https") and not (parts.query or parts.fragment)
    if not good or "@" in parts.netloc or not uri.isascii():
        raise _refused(
            param, f"{uri!r:.80} is no address of a context source", "write it as https://host/path"
        )
    return uri


def _source_info(value: Any, param: str, _context: Context) -> dict[str, Any]:
    pair = _object(value, param)
    key, told = pair.get("key"), pair.get("value")
    if key == "jsonldContext" and isinstance(told, str):
        checked_uri(told, param)
    elif (
        not isinstance(key, str)
        or _HEADER.fullmatch(key) is None
        or not isinstance(told, str)
        or not (told.isascii() and told.isprintable())
    ):
        raise _refused(
            param,
            "an entry is no header that can be sent",
            'write {"key": "X-Name", "value": "printable ASCII"}',
        )
    return {"key": key, "value": told}


def _mode(value: Any, param: str, _context: Context) -> str:
    modes = ("inclusive", "exclusive", "redirect", "auxiliary")
    if value not in modes:
        raise _refused(param, f"{value!r:.40} is not known", "use " + ", ".join(modes))
    return str(value)


def _operation(value: Any, param: str, _context: Context) -> str:
    if not isinstance(value, str) or (value not in OPERATIONS and value not in GROUPS):
        raise _refused(param, f"{value!r:.60} is not known", "use " + ", ".join(GROUPS))
    return value


def _duration(value: Any, param: str, _context: Context) -> str:
    try:
        parse_duration(value, param)
    except Invalid as problem:
        if problem.code != "duration.not_fixed":
            raise
    return str(value)


def _positive(value: Any, param: str, _context: Context) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise _refused(param, "it is no number above 0", "give milliseconds")
    return value


def _flag(value: Any, param: str, _context: Context) -> bool:
    if not isinstance(value, bool):
        raise _refused(param, "it is neither true nor false", "write true or false")
    return value


def _dataset(value: Any, param: str, _context: Context) -> str:
    return "@none" if value == "@none" else checked_uri(value, param)


def _scope(value: Any, param: str, _context: Context) -> Any:
    found = checked_scopes(value, param)
    return found if isinstance(value, list) else found[0]


def _management(value: Any, param: str, context: Context) -> dict[str, Any]:
    return _members(_MANAGEMENT, value, param, context)


_ENTITY: dict[str, Check] = {"id": _uri, "idPattern": _pattern, "type": _one_or_more_names}
_PART: dict[str, Check] = {
    "entities": _each(_entity),
    "propertyNames": _each(_name),
    "relationshipNames": _each(_name),
}
_INTERVAL: dict[str, Check] = {"startAt": _instant, "endAt": _instant}
_MANAGEMENT: dict[str, Check] = {
    "localOnly": _flag,
    "cacheDuration": _duration,
    "timeout": _positive,
    "cooldown": _positive,
}
_MEMBERS: dict[str, Check] = {
    "id": _uri,
    "registrationName": _text,
    "description": _text,
    "information": _each(_part),
    "tenant": _text,
    "observationInterval": _interval,
    "managementInterval": _interval,
    "location": _geometry,
    "observationSpace": _geometry,
    "operationSpace": _geometry,
    "expiresAt": _instant,
    "endpoint": _endpoint,
    "contextSourceInfo": _each(_source_info),
    "contextSourceAlias": _text,
    # The text has it in 5.2.34, and speaks of it as a member of the registration (4.3.6.4).
    "localOnly": _flag,
    "scope": _scope,
    "mode": _mode,
    "operations": _each(_operation),
    "refreshRate": _duration,
    "management": _management,
    "datasetId": _each(_dataset),
    "createdAt": _instant,
    "modifiedAt": _instant,
}
"""How each member is checked: `(value, name, context)` → the value as kept."""
