"""Which members of an entity, and of those it links to, an answer shows (GS CIM 009 V1.9.1, clause 4.21).

    projection = member *(("," / "|") member)
    member     = name ["{" projection "}"]         `{}` goes on in the linked entities

A projection is a tree: name (expanded, or `id`, `type`, `scope`, …) → what stands in its braces, or None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TypeAlias

from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.members import checked_name
from chengmai.ngsild.problems import EntityInvalid, QueryInvalid

Tree: TypeAlias = Mapping[str, "Tree | None"]

ENTITY_MEMBERS = frozenset(
    {"id", "type", "scope", "createdAt", "modifiedAt", "deletedAt", "expiresAt"}
)
MAX_LINK_LEVEL = 10
_MAX_LENGTH = 8192
_NAME = re.compile(r"[^,|{};()\[\]\s]+")


@dataclass(frozen=True, slots=True)
class View:
    """What is kept of an entity. `attrs` and `datasets` hold expanded names and datasetIds (`@none`)."""

    pick: Tree | None = None
    omit: Tree | None = None
    attrs: AbstractSet[str] | None = None
    datasets: AbstractSet[str] | None = None

    @property
    def shows_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == EVERYTHING

    @property
    def depth(self) -> int:
        """How many links the braces of the projections follow."""
        return max(_depth(self.pick), _depth(self.omit))

    def of(self, entity: Entity) -> Entity:
        """Return the members of `entity` that are shown; its own dictionary when that is all of them.

        Nothing is shown where only stamps would be left.
        """
        if self.shows_everything:
            return entity
        made = self._members(entity)
        if self.datasets is not None:
            made = dict(made)
            for key in [key for key in made if ":" in key]:
                kept = [one for one in made[key] if one.get("datasetId", "@none") in self.datasets]
                if kept:
                    made[key] = kept
                else:
                    del made[key]
        pick = self.pick or ()
        for key in made:
            if key not in _STAMPS or key in pick:
                return made
        return {}

    def _members(self, entity: Entity) -> Entity:
        """Return the members that are shown, in the order in which they are stored."""
        pick, omit, attrs = self.pick, self.omit, self.attrs
        made = entity
        if pick is not None:
            made = {k: v for k, v in made.items() if k in pick or k in _STAMPS}
        if omit is not None:
            made = {k: v for k, v in made.items() if k not in omit or omit[k] is not None}
        if attrs is not None:
            made = {k: v for k, v in made.items() if ":" not in k or k in attrs}
        return made

    def below(self, name: str) -> View:
        """Return the view on the entities that the relationship `name` links to."""
        pick = self.pick.get(name) if self.pick is not None else None
        omit = self.omit.get(name) if self.omit is not None else None
        return replace(EVERYTHING, pick=pick, omit=omit)


_STAMPS = frozenset({"createdAt", "modifiedAt", "deletedAt"})
"""Shown when system members are asked for, whatever is picked: they are asked for by another parameter."""
EVERYTHING = View()


def parse_projection(text: str, ctx: Context, param: str) -> Tree:
    """Return the projection that `text` says. Raises `QueryInvalid`."""
    if len(text) > _MAX_LENGTH:
        raise QueryInvalid(f"{param} is longer than {_MAX_LENGTH} characters", param=param)
    parser = _Parser(text, ctx, param)
    tree = parser.members(0)
    if parser.at < len(text):
        raise parser.refused("',' or the end is expected")
    return tree


def check_apart(pick: Tree | None, omit: Tree | None) -> None:
    """Raise `QueryInvalid` when a member is both picked and omitted."""
    for name in (pick or {}).keys() & (omit or {}).keys():
        inner_pick, inner_omit = (pick or {})[name], (omit or {})[name]
        if inner_omit is None:
            raise QueryInvalid(
                f"{name} is in pick and in omit", param="omit", fix="name it in one of them"
            )
        check_apart(inner_pick, inner_omit)


def _depth(tree: Tree | None) -> int:
    if not tree:
        return 0
    return max((1 + _depth(below) for below in tree.values() if below is not None), default=0)


class _Parser:
    def __init__(self, text: str, ctx: Context, param: str) -> None:
        self.at = 0
        self._text = text
        self._ctx = ctx
        self._param = param

    def members(self, level: int) -> Tree:
        if level > MAX_LINK_LEVEL:
            raise self.refused(f"it follows more than {MAX_LINK_LEVEL} links")
        made: dict[str, Tree | None] = {}
        while True:
            name = self._name()
            below: Tree | None = None
            if self._take("{"):
                below = self.members(level + 1)
                if not self._take("}"):
                    raise self.refused("'}' is missing")
            made[name] = below
            if not (self._take(",") or self._take("|")):
                return made

    def _name(self) -> str:
        word = _NAME.match(self._text, self.at)
        if word is None:
            raise self.refused("a name is expected")
        self.at = word.end()
        name = word.group()
        if name in ENTITY_MEMBERS:
            return name
        try:
            return self._ctx.expand(checked_name(name, self._param))
        except EntityInvalid as problem:
            raise self.refused(problem.detail) from None

    def _take(self, token: str) -> bool:
        if self._text.startswith(token, self.at):
            self.at += 1
            return True
        return False

    def refused(self, why: str) -> QueryInvalid:
        return QueryInvalid(
            f"{self._param}, character {self.at + 1}: {why}",
            param=self._param,
            fix="write names joined by ',', as in id,name,locatedAt{name}",
        )
