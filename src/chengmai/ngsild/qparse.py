"""The query language `q` (GS CIM 009 V1.9.1, clause 4.9): a text becomes a tree of comparisons.

    query      = and *("|" and)
    and        = term *(";" term)                         `;` binds tighter than `|`
    term       = "(" query ")" / ["!"] path / path operator value
    path       = name *("." name) ["[" name *("." name) "]"] / link "{" [type ":"] path "}"
    link       = name *("." name)                         a relationship; the rest is about its targets
    operator   = "==" "!=" ">" ">=" "<" "<=" "~=" "!~="
    value      = scalar *("," scalar) / scalar ".." scalar     lists and ranges with == and != only

A scalar is a number, `true`, `false`, a quoted text, or bare: a date, a time, an instant, a URI, a word.
Patterns are RE2 expressions, found anywhere in the text; they cannot run away on any input.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, TypeAlias
from urllib.parse import unquote

import orjson
import re2

from chengmai.ngsild.contexts import Context
from chengmai.ngsild.members import checked_name
from chengmai.ngsild.problems import EntityInvalid, QueryInvalid

Scalar: TypeAlias = bool | int | float | str
_Via: TypeAlias = tuple[tuple[tuple[str, ...], str | None], ...]

MEMBERS = frozenset(
    ["createdAt", "modifiedAt", "deletedAt", "expiresAt", "observedAt", "unitCode", "datasetId"]
)
"""Names in a path that mean a member of the standard, not an attribute."""

_MAX_LENGTH = 8192
_MAX_DEPTH = 32
_STOP = r";|()\[\]{},\"<>=!~\s"
_NAME = re.compile(rf"[^{_STOP}]+")
_HINT = re.compile(r"[A-Za-z_]\w*:(?!//)")
_MAX_LINKS = 10
_BARE = re.compile(rf"(?:(?!\.\.)[^{_STOP}])+")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_OPERATOR = re.compile(r"!~=|~=|==|!=|>=|<=|>|<")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Range:
    """A closed interval."""

    low: Scalar
    high: Scalar


@dataclass(frozen=True, slots=True)
class Comparison:
    """One term. `path` is expanded; `trail` leads into a value, or names a language (`*`: any).

    `op` is an operator of the language, or `exists`, or `absent`; a list of values is a tuple. `via` leads
    to the entity that the term is about: paths of relationships, each with the type its target must have.
    """

    path: tuple[str, ...]
    trail: tuple[str, ...]
    op: str
    value: Scalar | tuple[Scalar, ...] | Range | None = None
    pattern: Any = field(default=None, compare=False, repr=False)
    via: tuple[tuple[tuple[str, ...], str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class And:
    terms: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    terms: tuple[Query, ...]


Query: TypeAlias = Comparison | And | Or


def parse_q(text: str, ctx: Context, *, expand_values: Collection[str] = ()) -> Query:
    """Return the query that `text` (percent-decoded) says, with the names of `ctx` expanded.

    The `q` of a body may still be percent-encoded, as clients copy it from an address: one with `%22` and
    no quote is decoded first, since no query can mean a bare `%22`. `expand_values` names attributes (short
    or expanded) whose values are terms to expand. Raises `QueryInvalid` for any text that is no query; the
    problem names the place.
    """
    if len(text) > _MAX_LENGTH:
        raise QueryInvalid(
            f"the query is longer than {_MAX_LENGTH} characters", param="q", fix="shorten it"
        )
    if "%22" in text and '"' not in text:
        text = unquote(text)
    wanted = frozenset(ctx.expand(name) for name in expand_values)
    parser = _Parser(text, ctx, wanted)
    query = parser.either(0)
    parser.expect_end()
    return query


def simple_conjuncts(query: Query) -> list[tuple[tuple[str, ...], str, Any]]:
    """Return `(path, op, value)` of every comparison that must hold for `query` to hold.

    For the choice of an index: only terms joined by `;` at the top, without a trail into the value.
    """
    terms = query.terms if isinstance(query, And) else (query,)
    found: list[tuple[tuple[str, ...], str, Any]] = []
    for term in terms:
        if isinstance(term, And):
            found += simple_conjuncts(term)
        elif isinstance(term, Comparison) and not term.trail and not term.via:
            found.append((term.path, term.op, term.value))
    return found


def attributes_of(query: Query) -> frozenset[str]:
    """Return the expanded names of the attributes that `query` looks at."""
    if isinstance(query, Comparison):
        path = query.via[0][0] if query.via else query.path
        return frozenset(path[:1]) - MEMBERS
    return frozenset[str]().union(*(attributes_of(term) for term in query.terms))


def links_of(query: Query) -> int:
    """Return how many links `query` follows at most."""
    if isinstance(query, Comparison):
        return len(query.via)
    return max(map(links_of, query.terms))


class _Parser:
    def __init__(self, text: str, ctx: Context, expand_values: frozenset[str]) -> None:
        self._text = text
        self._at = 0
        self._ctx = ctx
        self._expand_values = expand_values

    def either(self, depth: int) -> Query:
        terms = [self._every(depth)]
        while self._take("|"):
            terms.append(self._every(depth))
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def expect_end(self) -> None:
        if self._at < len(self._text):
            raise self._refused("';', '|' or the end is expected")

    def _every(self, depth: int) -> Query:
        terms = [self._term(depth)]
        while self._take(";"):
            terms.append(self._term(depth))
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _term(self, depth: int) -> Query:
        if self._take("("):
            if depth >= _MAX_DEPTH:
                raise self._refused(f"parentheses are nested more than {_MAX_DEPTH} deep")
            inside = self.either(depth + 1)
            if not self._take(")"):
                raise self._refused("')' is missing")
            return inside
        negated = self._take("!")
        via, path, trail = self._linked_path()
        operator = self._match(_OPERATOR)
        if operator is None:
            return Comparison(path, trail, "absent" if negated else "exists", via=via)
        if negated:
            raise self._refused("'!' stands before a name only to ask that it is absent")
        if operator in ("~=", "!~="):
            source = self._pattern_source()
            return Comparison(path, trail, operator, source, self._compiled(source), via)
        return Comparison(path, trail, operator, self._value(operator, path[-1]), via=via)

    def _linked_path(self) -> tuple[_Via, tuple[str, ...], tuple[str, ...]]:
        via: list[tuple[tuple[str, ...], str | None]] = []
        path, trail = self._path()
        while self._take("{"):
            if trail or len(via) == _MAX_LINKS:
                raise self._refused("a link is a relationship, and a query follows 10 at most")
            hint = self._match(_HINT)
            via.append((path, None if hint is None else self._name(hint[:-1])))
            path, trail = self._path()
        for _ in via:
            if not self._take("}"):
                raise self._refused("'}' is missing")
        return tuple(via), path, trail

    def _path(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        raw = self._match(_NAME)
        if raw is None:
            raise self._refused("the name of an attribute is expected")
        names = [raw] if "://" in raw else raw.split(".")
        path = tuple(self._name(name) for name in names)
        if not self._take("["):
            return path, ()
        trail = self._match(_NAME)
        if trail is None or not self._take("]"):
            raise self._refused("a path in [ ] is expected")
        return path, tuple(trail.split("."))

    def _name(self, name: str) -> str:
        if name in MEMBERS:
            return name
        try:
            return self._ctx.expand(checked_name(name, "q"))
        except EntityInvalid as problem:
            raise self._refused(problem.detail) from None

    def _value(self, operator: str, name: str) -> Scalar | tuple[Scalar, ...] | Range:
        first = self._scalar(name)
        if operator not in ("==", "!="):
            if isinstance(first, bool) or self._text.startswith((",", ".."), self._at):
                raise self._refused(f"{operator} takes one number, text, date or time")
            return first
        if self._take(".."):
            last = self._scalar(name)
            if isinstance(first, str) is not isinstance(last, str):
                raise self._refused("both ends of a range must be of one kind")
            return Range(first, last)
        values = [first]
        while self._take(","):
            values.append(self._scalar(name))
        return first if len(values) == 1 else tuple(values)

    def _scalar(self, name: str) -> Scalar:
        quoted = self._match(_QUOTED)
        if quoted is not None:
            return self._expanded(name, _unquoted(quoted))
        bare = self._match(_BARE)
        if bare is None:
            raise self._refused("a value is expected")
        if bare in ("true", "false"):
            return bare == "true"
        if _NUMBER.fullmatch(bare) is None:
            return self._expanded(name, bare)
        number = int(bare) if len(bare) < 19 and bare.lstrip("+-").isdigit() else float(bare)
        if not isfinite(number):
            raise self._refused("the number is out of range")
        return number

    def _expanded(self, name: str, text: str) -> str:
        return self._ctx.expand(text) if name in self._expand_values else text

    def _pattern_source(self) -> str:
        quoted = self._match(_QUOTED)
        if quoted is not None:
            return quoted[1:-1].replace('\\"', '"')
        start = self._at
        depth = 0
        while self._at < len(self._text):
            char = self._text[self._at]
            if depth == 0 and char in ";|)":
                break
            depth += (char == "(") - (char == ")")
            self._at += 2 if char == "\\" else 1
        self._at = min(self._at, len(self._text))
        if self._at == start:
            raise self._refused("a pattern is expected")
        return self._text[start : self._at]

    def _compiled(self, source: str) -> Any:
        options = re2.Options()
        options.log_errors = False
        try:
            return re2.compile(source, options)
        except (re2.error, UnicodeError) as failure:
            raise self._refused(f"the pattern is not valid: {failure}") from None

    def _take(self, token: str) -> bool:
        if self._text.startswith(token, self._at):
            self._at += len(token)
            return True
        return False

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        return match.group()

    def _refused(self, why: str) -> QueryInvalid:
        return QueryInvalid(
            f"q, character {self._at + 1}: {why}",
            param="q",
            fix='write it as speed>50;name=="Main Street"',
            position=self._at,
        )


def _unquoted(quoted: str) -> str:
    try:
        text = orjson.loads(quoted)
    except orjson.JSONDecodeError:
        return quoted[1:-1]
    return text if isinstance(text, str) else quoted[1:-1]
