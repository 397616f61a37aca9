"""Writes docs/reference/ from the code: `python -m tools.make_reference`, with `--check` only compares.

Nothing in docs/reference/ is written by hand, so that it cannot say something else than the program does.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import typer.main

import chengmai
from chengmai.cases.flow import FLOW
from chengmai.cases.words import STATE_WORDS, STEP_WORDS
from chengmai.cli.main import app
from chengmai.connect.reading import REJECT_TEXTS
from chengmai.kernel.problems import Problem
from chengmai.kernel.units import UNITS
from chengmai.settings import Settings
from chengmai.trust.policy import ACTIONS, EXCLUSIVE, POLICY
from chengmai.web.api.openapi import openapi
from chengmai.web.api.problems import status_of
from chengmai.web.api.routes import PREFIX, ROUTES
from tools.reference_pack import pack_page
from tools.reference_words import cell, first_line, table, type_words

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
MADE = "<!-- Made from the code; after a change run: python -m tools.make_reference -->"


def pages() -> dict[str, str]:
    """Return file name to text of every page of the reference."""
    made = {
        "settings.md": _settings(),
        "command-line.md": _command_line(),
        "problems.md": _problems(),
        "rejects.md": _rejects(),
        "policy.md": _policy(),
        "case-flow.md": _case_flow(),
        "pack.md": pack_page(),
        "ngsi-ld.md": _operations(),
        "units.md": _units(),
    }
    titles = [(name, text.splitlines()[0].removeprefix("# ")) for name, text in made.items()]
    index = ["# Reference", "", "Made from the code; a test compares it with the code.", ""]
    links = [f"- [{title}]({name})" for name, title in titles]
    links.append(
        "- [The same operations as OpenAPI 3.1](openapi.json); a running city gives it at `/openapi.json`"
    )
    made["README.md"] = "\n".join(index + links)
    texts = {name: f"{text.rstrip()}\n\n{MADE}\n" for name, text in made.items()}
    return {**texts, "openapi.json": json.dumps(_openapi(), ensure_ascii=False, indent=1) + "\n"}


def _openapi() -> dict[str, Any]:
    """Return the description without the number of a version, which is not of this page."""
    described = openapi()
    return {**described, "info": {**described["info"], "version": "V1.9.1"}}


def _settings() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        shown = "" if default in (None, (), {}) else _plain(default)
        rows.append(
            (f"`CHENGMAI_{name.upper()}`", f"`{shown}`" if shown else "–", field.description)
        )
    return "\n".join(
        [
            "# Settings",
            "",
            "A setting is an environment variable. An option of the command line goes before it. Names,",
            'tables and lists are JSON: `CHENGMAI_CITY=\'{"zh": "某市", "en": "Some city"}\'`,',
            '`CHENGMAI_PACKS=\'["packs", "/srv/city/packs"]\'`. An unknown value stops the start and says why.',
            "",
            *table(("variable", "default", "what it sets"), rows),
        ]
    )


def _plain(value: Any) -> str:
    if hasattr(value, "model_dump_json"):
        return str(value.model_dump_json())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _command_line() -> str:
    lines = [
        "# Command line",
        "",
        "Exit code 0: done; 1: a problem, told in three lines on stderr; 2: wrong usage; 130: Ctrl-C.",
        "Tables become tab-separated lines when the output is no terminal. Logs are JSON lines on stderr.",
        "",
    ]
    for path, command in commands(typer.main.get_command(app), ("chengmai",)):
        lines += [f"## {' '.join(path)}", "", str(command.help).strip(), ""]
        types = get_type_hints(inspect.unwrap(command.callback))
        rows = [_parameter(parameter, types) for parameter in command.params]
        if rows:
            lines += [*table(("parameter", "value", "default", "meaning"), rows), ""]
    return "\n".join(lines)


def commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield (words, command) of every command that does something."""
    inside = getattr(command, "commands", None)
    if inside is None:
        yield path, command
        return
    for name, one in inside.items():
        yield from commands(one, (*path, name))


def _parameter(parameter: Any, types: dict[str, Any]) -> tuple[str, str, str, str]:
    option = parameter.opts[0].startswith("-")
    name = parameter.opts[0] if option else parameter.name.upper()
    flag = option and parameter.is_flag
    value = "" if flag else type_words(types.get(parameter.name))
    default = parameter.default
    shown = (
        "required" if parameter.required else "" if default in (None, False, "") else f"`{default}`"
    )
    return f"`{name}`", value, shown, getattr(parameter, "help", "") or ""


def problem_classes() -> list[type[Problem]]:
    """Return every class of the problem tree, by code."""
    for module in pkgutil.walk_packages(chengmai.__path__, "chengmai."):
        importlib.import_module(module.name)
    found: set[type[Problem]] = set()
    waiting: list[type[Problem]] = [Problem]
    while waiting:
        kind = waiting.pop()
        if kind.__module__.startswith("chengmai."):
            found.add(kind)
        waiting += kind.__subclasses__()
    return sorted(found, key=lambda kind: (kind.code, kind.__name__))


def _problems() -> str:
    rows = []
    for kind in problem_classes():
        status, etsi = status_of(kind.__new__(kind))
        own = first_line(kind.__dict__.get("__doc__")) or kind.title
        rows.append(
            (f"`{kind.code}`", status, etsi, own, f"`{_room(kind.__module__)}.{kind.__name__}`")
        )
    named = {kind.code for kind in problem_classes()}
    more = [(f"`{code}`", branch, f"`{room}`") for code, branch, room in _codes_given(named)]
    return "\n".join(
        [
            "# Problem codes",
            "",
            "An answer that is not a success is RFC 9457 JSON (`application/problem+json`): `type` (an ETSI",
            "problem type), `title`, `status`, `detail`, and beside them `code` (stable, below), `param` (the",
            "field or parameter), `fix` (what to do) and `request_id` (the same in the log). Only 503 and 429",
            "are worth sending again; `Retry-After` says when.",
            "",
            "## Codes with a class of their own",
            "",
            *table(("code", "status", "ETSI type", "meaning", "class"), rows),
            "",
            "## Codes given where the problem is raised",
            "",
            "Status and type are those of the branch.",
            "",
            *table(("code", "branch", "room"), more),
        ]
    )


def _codes_given(known: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return (code, class, room) of every call that names its code itself."""
    root, found = Path(chengmai.__path__[0]), set()
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            for keyword in node.keywords:
                if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                    found.add(
                        (str(keyword.value.value), node.func.id, file.relative_to(root).parts[0])
                    )
    return sorted(one for one in found if one[0] not in set(known))


def _room(module: str) -> str:
    return module.split(".")[1]


def _rejects() -> str:
    rows = [(f"`{code}`", text.en, text.zh) for code, text in sorted(REJECT_TEXTS.items())]
    return "\n".join(
        [
            "# Why a feed rejects a record",
            "",
            "A reject costs the value or the record and never stops the feed. Each is counted by its code",
            "in the feed's entity (`DataFeed`, attribute `rejectReasons`); the last twenty are kept with",
            "place and sample (`lastRejects`) and shown on the page of feeds.",
            "",
            *table(("code", "meaning", "中文"), rows),
        ]
    )


def _policy() -> str:
    roles = list(POLICY)
    rows = [
        (f"`{action}`", *("●" if action in POLICY[role] else "" for role in roles))
        for action in sorted(ACTIONS)
    ]
    pairs = "; ".join(" and ".join(f"`{role}`" for role in sorted(pair)) for pair in EXCLUSIVE)
    return "\n".join(
        [
            "# Who may do what",
            "",
            "What is not marked is denied. A step of a case must also be possible where the case stands,",
            "see [the flow of a case](case-flow.md). `system` is the platform itself and is never given to",
            f"anybody. No account or token holds both of: {pairs}.",
            "",
            *table(("action", *(f"`{role}`" for role in roles)), rows),
        ]
    )


def _case_flow() -> str:
    rows, arrows = [], []
    for edge in FLOW.edges:
        step = f"{STEP_WORDS[edge.step].zh} {STEP_WORDS[edge.step].en} (`{edge.step}`)"
        at = "–" if edge.at is None else f"`{edge.at}`"
        needs = "–" if edge.needs == "nothing" else edge.needs
        when = "the vital has recovered" if edge.only_recovered else ""
        rows.append((at, step, f"`{edge.to}`", ", ".join(sorted(edge.roles)), needs, when))
        if edge.moves:
            arrows.append(f"  {edge.at or '[*]'} --> {edge.to}: {edge.step}")
    states = [(f"`{state}`", words.zh, words.en) for state, words in STATE_WORDS.items()]
    return "\n".join(
        [
            "# The flow of a case",
            "",
            "The stages are those of GB/T 30428 (上报 → 立案 → 派遣 → 处置 → 核查 → 结案). A case is closed",
            "only by a verification that passed, and never by the platform.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            *arrows,
            "```",
            "",
            *table(("state", "中文", "English"), states),
            "",
            *table(("from", "step", "to", "who", "the note must hold", "only when"), rows),
        ]
    )


def _operations() -> str:
    rows = []
    for pattern, methods in ROUTES.items():
        path = PREFIX + "/".join("{…}" if part == "*" else part for part in pattern)
        for method, route in methods.items():
            known = ", ".join(f"`{name}`" for name in sorted(route.parameters))
            rows.append((f"`{method} {path}`", known or "–", f"`{route.action}`"))
    return "\n".join(
        [
            "# NGSI-LD operations offered",
            "",
            "ETSI GS CIM 009 V1.9.1, HTTP binding (clause 6). What is not in the table answers 404 or 405; a",
            "parameter that an operation does not know answers 400. `{…}` stands for an id or a name. The",
            "action is looked up in [who may do what](policy.md).",
            "",
            *table(("operation", "parameters", "action"), rows),
        ]
    )


def _units() -> str:
    rows = [
        (
            f"`{unit.code}`",
            unit.symbol or "1",
            unit.dimension.replace("_", " "),
            f"{unit.factor:.10g}",
        )
        for unit in UNITS.values()
    ]
    return "\n".join(
        [
            "# Units",
            "",
            "UN/CEFACT Recommendation 20 common codes, as `unitCode` of NGSI-LD wants them. Units of one",
            "dimension are converted into each other; the factor leads to the dimension's base unit",
            "(temperatures also have an offset). A code that is missing here is one line in `kernel/units.py`.",
            "",
            *table(("code", "symbol", "dimension", "factor"), rows),
        ]
    )


def main(arguments: Sequence[str]) -> int:
    """Write the pages; with `--check` return 1 when one differs from what is committed."""
    made = pages()
    known = {path.name for path in FOLDER.iterdir()}
    changed = sorted(
        name
        for name, text in made.items()
        if name not in known or (FOLDER / name).read_text(encoding="utf-8") != text
    )
    left = sorted(known - set(made))
    if "--check" not in arguments:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in changed:
            (FOLDER / name).write_text(made[name], encoding="utf-8")
        for name in left:
            (FOLDER / name).unlink()
    for name in changed + left:
        print(cell(name))
    return 1 if "--check" in arguments and changed + left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
