"""How the reference writes tables and types."""

from __future__ import annotations

import types
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from chengmai.kernel.texts import Text

_NAMES: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    date: "date",
    datetime: "date and time",
    AwareDatetime: "date and time with its zone",
    timedelta: "duration",
    Text: "`{ zh, en }`",
    Any: "any",
}


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return lines + [f"| {' | '.join(cell(one) for one in row)} |" for row in rows]


def cell(value: Any) -> str:
    """Return a value as the text of one table cell."""
    return " ".join(str("" if value is None else value).replace("|", "\\|").split())


def first_line(docstring: str | None) -> str:
    """Return the first sentence of a docstring."""
    return (docstring or "").strip().split("\n\n")[0].replace("\n", " ")


def type_words(kind: Any) -> str:
    """Return a type in the words of people who write TOML and command lines."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return type_words(inside[0])
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in inside)
    if origin in (Union, types.UnionType):
        return " or ".join(type_words(one) for one in inside if one is not type(None))
    if origin in (tuple, list):
        ends = [one for one in inside if one is not Ellipsis]
        same = len(ends) == 1
        return f"list of {type_words(ends[0])}" if same else f"[{', '.join(map(type_words, ends))}]"
    if origin is dict:
        return f"table of {type_words(inside[1])}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{one.value}`" for one in kind)
    if kind in _NAMES:
        return _NAMES[kind]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    return str(getattr(kind, "__name__", kind or ""))
