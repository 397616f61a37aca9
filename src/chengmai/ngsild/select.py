"""Selecting entities by type and by scope (GS CIM 009 V1.9.1, clauses 4.17 and 4.19).

A selector is a list of alternatives, each a set of things that must all hold: the text
`(Home;Vehicle),Boat` becomes `{Home, Vehicle}` or `{Boat}`. `,` and `|` mean or, `;` means and.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from chengmai.ngsild.contexts import Context
from chengmai.ngsild.members import checked_name
from chengmai.ngsild.problems import EntityInvalid, QueryInvalid

_MAX_LENGTH = 8192
_MAX_DEPTH = 32
_MAX_ALTERNATIVES = 256
_WORD = re.compile(r"[^,|;()\s]+")


@dataclass(frozen=True, slots=True)
class Selector:
    """Alternatives of names that must all be present; an entity matches when one alternative does."""

    alternatives: tuple[frozenset[str], ...]

    @property
    def names(self) -> frozenset[str]:
        """Every name the selector mentions: an entity that matches has at least one of them."""
        return frozenset[str]().union(*self.alternatives)

    @property
    def is_plain(self) -> bool:
        """Whether having any one of `names` is enough to match."""
        return all(len(one) == 1 for one in self.alternatives)


def parse_types(text: str, ctx: Context) -> Selector:
    """Return the type selector that `text` says, expanded. Raises `QueryInvalid`."""

    def expanded(name: str) -> str:
        return ctx.expand(checked_name(name, "type"))

    return _parse(text, "type", expanded)


def parse_scopes(text: str) -> Selector:
    """Return the scope selector that `text` says; `+` stands for a level and `#` for all below."""

    def checked(pattern: str) -> str:
        if not pattern.startswith("/") or "#" in pattern[:-1]:
            raise QueryInvalid(
                f"{pattern!r:.60} is not a scope",
                param="scopeQ",
                fix="write it as /City/+/Park or /City/#",
            )
        return pattern

    return _parse(text, "scopeQ", checked)


def matches_types(selector: Selector, types: Iterable[str]) -> bool:
    """Return whether an entity with `types` (expanded) matches."""
    held = frozenset(types)
    # A loop: it is asked of every subscription a change may be due to.
    for one in selector.alternatives:  # noqa: SIM110
        if one <= held:
            return True
    return False


def matches_scopes(selector: Selector, scopes: Iterable[str]) -> bool:
    """Return whether an entity with `scopes` matches."""
    held = [scope.split("/") for scope in scopes]
    return any(
        all(any(_covers(pattern.split("/"), scope) for scope in held) for pattern in one)
        for one in selector.alternatives
    )


def _covers(pattern: list[str], scope: list[str]) -> bool:
    for at, level in enumerate(pattern):
        if level == "#":
            return True
        if at >= len(scope) or level not in ("+", scope[at]):
            return False
    return len(pattern) == len(scope)


def _parse(text: str, param: str, checked: Callable[[str], str]) -> Selector:
    if len(text) > _MAX_LENGTH:
        raise QueryInvalid(f"{param} is longer than {_MAX_LENGTH} characters", param=param)
    parser = _Parser(text, param, checked)
    alternatives = parser.either(0)
    if parser.at < len(text):
        raise parser.refused("',', ';' or the end is expected")
    return Selector(tuple(dict.fromkeys(alternatives)))


class _Parser:
    """Reads a selector straight into alternatives; their number is bounded, so no text explodes."""

    def __init__(self, text: str, param: str, checked: Callable[[str], str]) -> None:
        self.at = 0
        self._text = text
        self._param = param
        self._checked = checked

    def either(self, depth: int) -> list[frozenset[str]]:
        alternatives = self._every(depth)
        while self._take(",") or self._take("|"):
            alternatives = self._bounded(alternatives + self._every(depth))
        return alternatives

    def _every(self, depth: int) -> list[frozenset[str]]:
        alternatives = self._one(depth)
        while self._take(";"):
            more = self._one(depth)
            if len(alternatives) * len(more) > _MAX_ALTERNATIVES:
                raise self.refused(f"it has more than {_MAX_ALTERNATIVES} alternatives")
            alternatives = [left | right for left in alternatives for right in more]
        return alternatives

    def _one(self, depth: int) -> list[frozenset[str]]:
        if self._take("("):
            if depth >= _MAX_DEPTH:
                raise self.refused(f"parentheses are nested more than {_MAX_DEPTH} deep")
            inside = self.either(depth + 1)
            if not self._take(")"):
                raise self.refused("')' is missing")
            return inside
        word = _WORD.match(self._text, self.at)
        if word is None:
            raise self.refused("a name is expected")
        try:
            name = self._checked(word.group())
        except EntityInvalid as problem:
            raise self.refused(problem.detail) from None
        self.at = word.end()
        return [frozenset({name})]

    def _bounded(self, alternatives: list[frozenset[str]]) -> list[frozenset[str]]:
        if len(alternatives) > _MAX_ALTERNATIVES:
            raise self.refused(f"it has more than {_MAX_ALTERNATIVES} alternatives")
        return alternatives

    def _take(self, token: str) -> bool:
        if self._text.startswith(token, self.at):
            self.at += 1
            return True
        return False

    def refused(self, why: str, **facts: Any) -> QueryInvalid:
        return QueryInvalid(
            f"{self._param}, character {self.at + 1}: {why}",
            param=self._param,
            fix="write names joined by ',' (or) and ';' (and)",
            **facts,
        )
