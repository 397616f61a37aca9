"""The reference page of a pack's files, from the models that read them."""

from __future__ import annotations

import ast
import inspect
import re
from datetime import timedelta
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from chengmai.kernel.texts import Text
from chengmai.packs.feeds import FEEDS
from chengmai.packs.model import (
    CasesSpec,
    ChainSpec,
    EntitySpec,
    Expectation,
    PackInfo,
    PoolSpec,
    TableSpec,
    VitalSpec,
)
from tools.reference_words import cell, first_line, table, type_words

FILES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("pack.toml", PackInfo),
    ("entities/*.toml", EntitySpec),
    ("tables/*.toml", TableSpec),
    *((f'feeds/*.toml, connector = "{name}"', kind) for name, kind in FEEDS.items()),
    ("vitals/*.toml", VitalSpec),
    ("pools/*.toml", PoolSpec),
    ("cases/*.toml", CasesSpec),
    ("chains/*.toml", ChainSpec),
    ("expect/*.toml", Expectation),
)


def pack_page() -> str:
    """Return the page."""
    lines = [
        "# Files of a pack",
        "",
        "Every key that a file of a pack may hold; any other is refused. Durations are ISO 8601 (`PT5M`,",
        "`P8W`). `{ zh, en }` holds a text in both languages, and both must be there. How the parts are",
        "used stands in [packs](../build/packs.md), [vital signs](../build/vitals.md) and",
        "[feeds](../build/feeds.md).",
        "",
    ]
    told: set[type[BaseModel]] = set()
    for title, model in FILES:
        lines += [f"## {title}", "", *_model(model)]
        for inner in _inner(model):
            if inner not in told:
                told.add(inner)
                lines += [f"### {inner.__name__}", "", *_model(inner)]
    return "\n".join(lines)


def _model(model: type[BaseModel]) -> list[str]:
    # The heading names the file already.
    prefix = r"^(\w+/\*|pack)\.toml(, \[\[\w+\]\])?(: | as a whole\.|\.)"
    about = re.sub(prefix, "", first_line(model.__doc__))
    about = about[:1].upper() + about[1:]
    notes = _notes(model)
    rows = [
        (
            f"`{field.alias or name}`",
            type_words(field.annotation),
            _default(field),
            _note(field, notes.get(name, "")),
        )
        for name, field in model.model_fields.items()
    ]
    own = [about, ""] if about and "__doc__" in model.__dict__ else []
    return [*own, *table(("key", "value", "default", "notes"), rows), ""]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default is None or default is PydanticUndefined or default in ((), {}, ""):
        return "–"
    if isinstance(default, timedelta):
        return f"`{_iso(default)}`"
    if isinstance(default, BaseModel):
        return "–"
    if isinstance(default, tuple):
        return ", ".join(
            f"`{cell(one)!r}`" if isinstance(one, str) else f"`{one}`" for one in default
        )
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _iso(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for size, form in ((604800, "P{}W"), (86400, "P{}D"), (3600, "PT{}H"), (60, "PT{}M")):
        if seconds and seconds % size == 0:
            return form.format(seconds // size)
    return f"PT{seconds}S"


def _note(field: FieldInfo, note: str) -> str:
    limits = []
    for rule in field.metadata:
        for name, word in (
            ("ge", "at least"),
            ("gt", "more than"),
            ("le", "at most"),
            ("min_length", "entries, at least"),
        ):
            value = getattr(rule, name, None)
            if value is not None:
                limits.append(f"{word} {value}")
        pattern = getattr(rule, "pattern", None)
        if pattern:
            limits.append(f"`{pattern}`")
    return "; ".join([*([note.rstrip(".")] if note else []), *limits])


def _notes(model: type[BaseModel]) -> dict[str, str]:
    """Return the text that stands under each field in the source."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if not one.__module__.startswith("chengmai."):
            continue
        body = _class_body(one)
        for line, after in pairwise(body):
            if (
                isinstance(line, ast.AnnAssign)
                and isinstance(line.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
            ):
                found[line.target.id] = cell(after.value.value)
    return found


def _class_body(kind: type[Any]) -> list[ast.stmt]:
    tree = ast.parse(inspect.getsource(inspect.getmodule(kind)))  # type: ignore[arg-type]
    return next(
        node.body
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__
    )


def _inner(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the models that stand inside a model, in order, each once."""
    found: list[type[BaseModel]] = []

    def look(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in (Text, *found):
            found.append(kind)
            for field in kind.model_fields.values():
                look(field.annotation)
        for one in get_args(kind):
            look(one)

    for field in model.model_fields.values():
        look(field.annotation)
    return found
