"""What a JSON body may hold, whatever it means: bounded depth, bounded size, numbers that survive storage."""

from __future__ import annotations

from math import isfinite
from typing import Any

from chengmai.ngsild.problems import EntityInvalid

MAX_DEPTH = 64
MAX_KEYS = 10_000
_MAX_INT = 2**63 - 1
_MIN_INT = -(2**63)


def check_limits(body: Any) -> None:
    """Raise `EntityInvalid` when `body` is deeper than 64, has over 10,000 keys, or holds a number that a
    64-bit store or a JSON text cannot hold."""
    level: list[Any] = [body]
    depth = keys = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise _refused(f"it is nested more than {MAX_DEPTH} deep", "flatten it", None)
        below: list[Any] = []
        for node in level:
            if type(node) is dict:
                keys += len(node)
                children: Any = node.values()
            else:
                children = node
            for child in children:
                kind = type(child)
                if kind is str:
                    continue
                if kind is dict or kind is list:
                    below.append(child)
                elif kind is int:
                    if not _MIN_INT <= child <= _MAX_INT:
                        raise _out_of_range(body, child)
                elif kind is float and not isfinite(child):
                    raise _out_of_range(body, child)
        if keys > MAX_KEYS:
            raise _refused(f"it has more than {MAX_KEYS} keys", "send it in several parts", None)
        level = below


def _out_of_range(body: Any, number: float) -> EntityInvalid:
    return _refused(
        f"the number {number!r:.40} is out of range",
        "give a finite number; write larger whole numbers as text",
        _find(body, number),
    )


def _find(node: Any, wanted: Any, path: tuple[str, ...] = ()) -> str | None:
    if node is wanted:
        return ".".join(path)
    children: Any = ()
    if isinstance(node, dict):
        children = node.items()
    elif isinstance(node, list):
        children = enumerate(node)
    for key, child in children:
        found = _find(child, wanted, (*path, str(key)))
        if found is not None:
            return found
    return None


def _refused(why: str, fix: str, param: str | None) -> EntityInvalid:
    return EntityInvalid(
        f"the body cannot be kept: {why}", code="entity.limits", fix=fix, param=param
    )
