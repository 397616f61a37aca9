"""What the marked tests check: which clauses of GS CIM 009, and which operations they ask.

Read from the source, so that it holds for any selection of tests: a test counts for an operation when it,
or a function of its module that it calls, names the method and the path side by side.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from chengmai.web.api.routes import ROUTES
from tests.repo.documents import ROOT

FOLDERS = ("tests/conformance", "tests/api")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
Operation = tuple[str, tuple[str, ...]]
"""Method, and pattern of the path as in `ROUTES`."""

_ANY = "\0"
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Texts = dict[str, list[str]]


@dataclass(frozen=True)
class Check:
    """One test: where it stands, the clauses it is marked with, the operations it asks."""

    file: str
    name: str
    clauses: tuple[str, ...]
    operations: frozenset[Operation]


def operations() -> set[Operation]:
    """Return every operation that the API offers."""
    return {(method, pattern) for pattern, methods in ROUTES.items() for method in methods}


def checks() -> list[Check]:
    """Return every test of the folders that hold conformance tests, marked or not."""
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).glob("test_*.py"))]
    return [check for file in files for check in _of_file(file)]


def _of_file(file: Path) -> Iterator[Check]:
    tree = ast.parse(file.read_text("utf-8"))
    texts = _assigned(tree.body, {})
    functions = {node.name: node for node in tree.body if _is_function(node)}
    everywhere = [
        clause
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
        for clause in _clauses(node.value)
    ]
    for name, node in functions.items():
        if name.startswith("test_"):
            own = [clause for mark in node.decorator_list for clause in _clauses(mark)]
            yield Check(
                str(file.relative_to(ROOT)),
                name,
                tuple(everywhere + own),
                frozenset(_asked(name, functions, texts, set())),
            )


def _is_function(node: ast.AST) -> TypeGuard[_Function]:
    return isinstance(node, _Function)


def _clauses(mark: ast.expr) -> Iterator[str]:
    for node in ast.walk(mark):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.clause":
            yield from (str(one.value) for one in node.args if isinstance(one, ast.Constant))


def _asked(
    name: str, functions: dict[str, _Function], texts: _Texts, seen: set[str]
) -> Iterator[Operation]:
    seen.add(name)
    node = functions[name]
    known = texts | _parameters(node, texts)
    known = _assigned(ast.walk(node), known)
    for one in ast.walk(node):
        yield from _named(one, known)
        if isinstance(one, ast.Name) and one.id in functions and one.id not in seen:
            yield from _asked(one.id, functions, texts, seen)


def _named(node: ast.AST, texts: _Texts) -> Iterator[Operation]:
    """Yield the operations that a call or a tuple names."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
            yield from _operations("GET", _values(node.args[0], texts))
        row: list[ast.expr] = node.args
    elif isinstance(node, ast.Tuple | ast.List):
        row = node.elts
    else:
        return
    for left, right in itertools.pairwise(row):
        for method in set(_values(left, texts)) & METHODS:
            yield from _operations(method, _values(right, texts))


def _operations(method: str, paths: Iterable[str]) -> Iterator[Operation]:
    method = "GET" if method == "HEAD" else method
    for path in paths:
        if path.startswith("/"):
            parts = path.partition("?")[0].removeprefix("/ngsi-ld/v1").strip("/").split("/")
            fits = next((known for known in ROUTES if _fits(known, parts)), None)
            if fits is not None and method in ROUTES[fits]:
                yield method, fits


def _fits(pattern: tuple[str, ...], parts: list[str]) -> bool:
    return len(pattern) == len(parts) and all(
        part != "" if wanted == "*" else wanted == part
        for wanted, part in zip(pattern, parts, strict=True)
    )


def _parameters(node: _Function, texts: _Texts) -> _Texts:
    """Return what the arguments of a parametrised test can be, where they are texts."""
    found: _Texts = {}
    for mark in node.decorator_list:
        if not (isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.parametrize"):
            continue
        if len(mark.args) < 2 or not isinstance(mark.args[1], ast.List | ast.Tuple):
            continue
        names = ast.literal_eval(mark.args[0])
        names = [one.strip() for one in names.split(",")] if isinstance(names, str) else names
        for row in mark.args[1].elts:
            cells = row.elts if isinstance(row, ast.Tuple) and len(names) > 1 else [row]
            for name, cell in zip(names, cells, strict=False):
                found.setdefault(name, []).extend(_values(cell, texts))
    return found


def _assigned(nodes: Iterable[ast.AST], known: _Texts) -> _Texts:
    texts = dict(known)
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            texts[node.targets[0].id] = _values(node.value, texts)
    return texts


def _values(node: ast.expr, texts: _Texts) -> list[str]:
    """Return the texts that an expression can be; what is not known stands as one character."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else [_ANY]
    if isinstance(node, ast.Name):
        return texts.get(node.id, [_ANY])
    if isinstance(node, ast.FormattedValue):
        return _values(node.value, texts)
    parts: list[ast.expr] = []
    if isinstance(node, ast.JoinedStr):
        parts = node.values
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [node.left, node.right]
    made = [""] if parts else [_ANY]
    for part in parts:
        made = [left + right for left in made for right in _values(part, texts)][:100]
    return made
