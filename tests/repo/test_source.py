"""The source keeps its own rules: sizes, names, docstrings, imports without effects, nothing left over."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.repo.documents import ROOT, tracked

SOURCE = ROOT / "src" / "chengmai"
LONGEST = 400
LONGER: dict[str, str] = {}
"""Module to the reason why it may be longer than `LONGEST` lines."""
DOCUMENTED = ("kernel", "broker", "history", "trust")
LEFT_OVER = re.compile(r"\b(TODO|FIXME|XXX)\b|not implemented|NotImplementedError", re.I)
MACHINE = re.compile(
    r"(?<![\w.~-])/(?:work|root|home|Users)/\w|registry\.npm|pypi\.org|pythonhosted|\.pyenv"
)
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".lock",
    ".json",
    ".mjs",
    ".css",
    ".html",
    ".sh",
    ".po",
    ".sql",
    ".txt",
    "",
}
OWN = Path(__file__).parent
DEFINITION = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

ON_IMPORT = """
import importlib, pkgutil, sys
sys.dont_write_bytecode = True
source = sys.argv[1]

def watch(event, given):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.mkdir"):
        raise SystemExit(f"{event} {given}")
    if event == "open" and isinstance(given[0], str):
        path, mode = given[0], given[1] or ""
        if set(mode) & set("wax+") and path != "/dev/null":
            raise SystemExit(f"{path} was opened for writing")
        if path.startswith(source) and not path.endswith((".py", ".pyc")):
            raise SystemExit(f"{path} was read")

sys.addaudithook(watch)
sys.modules["requests"] = None  # it comes with tools of the tests; PyLD takes it, and it opens a socket
import chengmai
for module in pkgutil.walk_packages(chengmai.__path__, "chengmai."):
    importlib.import_module(module.name)
"""


def modules(*rooms: str) -> list[Path]:
    return [file for room in rooms or ("",) for file in sorted((SOURCE / room).rglob("*.py"))]


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_no_module_is_too_long() -> None:
    files = [file for file in tracked() if file.suffix == ".py" and file.exists()]
    long = {name(file) for file in files if len(file.read_text("utf-8").splitlines()) > LONGEST}
    assert long == set(LONGER)


def test_public_names_are_sorted_and_exist() -> None:
    wrong = {}
    for file in modules():
        tree = ast.parse(file.read_text("utf-8"))
        for node in tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
                names = ast.literal_eval(node.value)  # type: ignore[attr-defined]
                if names != sorted(set(names), key=_rank) or not set(names) <= _bound(tree):
                    wrong[name(file)] = names
    assert wrong == {}


def _rank(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest: the order that ruff's RUF022 keeps."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def _bound(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, DEFINITION):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def test_what_the_foundations_offer_says_what_one_gets() -> None:
    silent = [f"{name(file)}: {what}" for file in modules(*DOCUMENTED) for what in _silent(file)]
    assert silent == []


def _silent(file: Path) -> Iterator[str]:
    """Yield what is public and has no docstring."""
    tree = ast.parse(file.read_text("utf-8"))
    if ast.get_docstring(tree) is None:
        yield "the module"
    for node in tree.body:
        if not isinstance(node, DEFINITION) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None and not _is_problem(node):
            yield node.name
        for inner in node.body if isinstance(node, ast.ClassDef) else ():
            if not isinstance(inner, DEFINITION) or inner.name.startswith("_"):
                continue
            if ast.get_docstring(inner) is None and inner.name not in promised():
                yield f"{node.name}.{inner.name}"


def _is_problem(node: ast.stmt) -> bool:
    """A problem says in its title what it is, and in the tree of its room where it stands."""
    names = [line.targets[0] for line in getattr(node, "body", []) if isinstance(line, ast.Assign)]
    return any(isinstance(name, ast.Name) and name.id == "code" for name in names)


@cache
def promised() -> frozenset[str]:
    """Return the methods of all ports: who implements one need not say again what it promises."""
    classes = [
        node
        for file in modules()
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and "Protocol" in ast.unparse(ast.List(list(node.bases)))
    ]
    methods = [inner for node in classes for inner in node.body if isinstance(inner, DEFINITION)]
    return frozenset(method.name for method in methods if ast.get_docstring(method))


def test_importing_reads_and_reaches_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ON_IMPORT, str(SOURCE)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr


def test_the_layers_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    if not program.exists():
        pytest.skip("import-linter is not installed: make check installs it")
    done = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout


def texts() -> Iterator[tuple[str, str]]:
    for file in tracked():
        if file.suffix in TEXT and file.exists() and file.parent != OWN:
            yield name(file), file.read_text("utf-8")


def test_nothing_is_left_over() -> None:
    found = [f"{file}: {match[0]}" for file, text in texts() for match in LEFT_OVER.finditer(text)]
    assert found == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [f"{file}: {match[0]}" for file, text in texts() for match in MACHINE.finditer(text)]
    assert found == []
