"""What a request asks for: the resource path, and the query options of OData that are offered.

Offered: $top $skip $count $orderby $expand (nested, with options) and $filter with `and`, the six comparisons
and startswith. Anything else is refused by name, since an option that is ignored gives a wrong answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from chengmai.kernel.problems import Invalid, NotFound

MOST = 1000
_DEFAULT = 100
_DEEPEST = 4
_OPTIONS = ("$top", "$skip", "$count", "$orderby", "$expand", "$filter")
_SEGMENT = re.compile(r"([A-Za-z]+)(?:\((?:'((?:[^']|'')*)'|([^')]+))\))?")
_ORDER = re.compile(r"([A-Za-z@./_]+)(?:\s+(asc|desc))?")
_TERM = re.compile(
    r"(?:(?P<path>[A-Za-z@./_]+)\s+(?P<op>eq|ne|gt|ge|lt|le)\s+(?P<value>'(?:[^']|'')*'|[^\s']+)"
    r"|startswith\(\s*(?P<of>[A-Za-z@./_]+)\s*,\s*(?P<start>'(?:[^']|'')*')\s*\))"
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: bool(a == b),
    "ne": lambda a, b: bool(a != b),
    "gt": lambda a, b: bool(a > b),
    "ge": lambda a, b: bool(a >= b),
    "lt": lambda a, b: bool(a < b),
    "le": lambda a, b: bool(a <= b),
}


@dataclass(frozen=True)
class Term:
    """One condition: the member at `path` compared with `value`; `op` may be `startswith`."""

    path: str
    op: str
    value: Any

    def holds(self, shown: Mapping[str, Any]) -> bool:
        """Return whether it holds of a resource as it is shown; a member that is missing fits nothing."""
        found: Any = shown
        for step in self.path.split("/"):
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is None:
            return False
        if self.op == "startswith":
            return isinstance(found, str) and found.startswith(self.value)
        if isinstance(found, int | float) != isinstance(self.value, int | float):
            return self.op == "ne"
        try:
            return _COMPARE[self.op](found, self.value)
        except TypeError:
            return False


@dataclass(frozen=True)
class Options:
    """The query options of a request or of one expansion."""

    top: int = _DEFAULT
    skip: int = 0
    count: bool = False
    order: tuple[str, bool] | None = None
    """The member, and whether it runs down."""
    terms: tuple[Term, ...] = ()
    expand: Mapping[str, Options] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One part of the path: a set, or with an id one of it; or the way from one resource to others."""

    name: str
    id: str | None = None


def steps_of(path: str) -> list[Step]:
    """Return the parts of a path below the root; raises `NotFound`."""
    found = []
    for part in filter(None, path.strip("/").split("/")):
        match = _SEGMENT.fullmatch(unquote(part))
        if match is None:
            raise NotFound(f"{part!r:.100} is no resource", param="path")
        quoted = match[2].replace("''", "'") if match[2] is not None else match[3]
        found.append(Step(match[1], quoted))
    return found


def options_of(given: Mapping[str, str], *, depth: int = 0) -> Options:
    """Return what the options say; raises `Invalid` for one that is not offered or cannot be read."""
    for name in given:
        if name not in _OPTIONS:
            raise _refused(name, "it is not offered here", f"use {', '.join(_OPTIONS)}")
    return Options(
        top=min(_number(given, "$top", _DEFAULT), MOST),
        skip=_number(given, "$skip", 0),
        count=_truth(given, "$count"),
        order=_order(given.get("$orderby")),
        terms=terms_of(given["$filter"]) if "$filter" in given else (),
        expand=_expand(given["$expand"], depth) if "$expand" in given else {},
    )


def terms_of(text: str) -> tuple[Term, ...]:
    """Return the conditions of a $filter; raises `Invalid` for what is not offered."""
    if len(text) > 4000:
        raise _refused("$filter", "it is too long", "ask for less")
    found: list[Term] = []
    position = 0
    while True:
        match = _TERM.match(text, position)
        if match is None:
            raise _refused(
                "$filter",
                f"{text[position : position + 60]!r} is not offered",
                "join comparisons and startswith by 'and'",
            )
        if match["of"]:
            found.append(Term(match["of"], "startswith", _literal(match["start"])))
        else:
            found.append(Term(match["path"], match["op"], _literal(match["value"])))
        rest = text[match.end() :]
        if not rest.strip():
            return tuple(found)
        joint = re.match(r"\s+and\s+", rest)
        if joint is None:
            raise _refused("$filter", f"{rest[:60]!r} is not offered", "join conditions by 'and'")
        position = match.end() + joint.end()


def _literal(text: str) -> Any:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text


def _order(text: str | None) -> tuple[str, bool] | None:
    if text is None:
        return None
    match = _ORDER.fullmatch(text.strip())
    if match is None:
        raise _refused("$orderby", f"{text!r:.60} is not offered", "name one member, asc or desc")
    return match[1], match[2] == "desc"


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _refused(name, f"{text!r:.40} is no whole number", "give one from 0 on")
    return int(text)


def _truth(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "false")
    if text not in ("true", "false"):
        raise _refused(name, f"{text!r:.40} is neither true nor false", "give one of them")
    return text == "true"


def _expand(text: str, depth: int) -> dict[str, Options]:
    if depth >= _DEEPEST:
        raise _refused("$expand", "it goes too deep", f"expand at most {_DEEPEST} levels")
    made: dict[str, Options] = {}
    for part in _split(text, ","):
        name, _, inner = part.partition("(")
        if inner and not inner.endswith(")"):
            raise _refused("$expand", f"{part!r:.60} is not closed", "close every bracket")
        path, _, further = name.strip().partition("/")
        given = dict(_option(one) for one in _split(inner[:-1], ";")) if inner else {}
        if further:
            given = {"$expand": f"{further}({inner}" if inner else further}
        made[path] = options_of(given, depth=depth + 1)
    return made


def _option(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found:
        raise _refused("$expand", f"{text!r:.60} is no option", "write $top=1, for instance")
    return name.strip(), value.strip()


def _split(text: str, mark: str) -> list[str]:
    """Return the parts of a text between marks that stand in no brackets and no quotes."""
    parts, level, quoted = [""], 0, False
    for letter in text:
        quoted ^= letter == "'"
        level += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == mark and not level and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    if level or quoted:
        raise _refused("$expand", "brackets or quotes are not closed", "close them")
    return [part.strip() for part in parts if part.strip()]


def _refused(name: str, what: str, fix: str) -> Invalid:
    return Invalid(f"{name}: {what}", code="sta.option", param=name, fix=fix)
