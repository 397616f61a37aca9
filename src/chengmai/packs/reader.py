"""Reads domain packs from folders of TOML; every mistake of a pack is told at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from chengmai.packs.feeds import ANY_FEED, FEEDS
from chengmai.packs.model import (
    CasesSpec,
    ChainSpec,
    EntitySpec,
    Expectation,
    Pack,
    PackInfo,
    PoolSpec,
    RuleSpec,
    TableSpec,
    VitalSpec,
)
from chengmai.packs.problems import Finding, PackInvalid, PackNotFound

T = TypeVar("T")

_FIXES = {
    "missing": "add the key",
    "extra_forbidden": "remove the key, or correct its spelling",
    "string_pattern_mismatch": "use lower-case letters, digits, '-' and '_', beginning with a letter",
    "union_tag_invalid": f"use one of the connectors {', '.join(FEEDS)}",
    "union_tag_not_found": "add the key 'connector'",
}


def shipped_packs() -> Path:
    """Return the folder of the packs that come with Chengmai: in a source tree or inside the wheel."""
    package = Path(__file__).resolve().parent.parent
    in_wheel = package / "_packs"
    return in_wheel if in_wheel.is_dir() else package.parent.parent / "packs"


def read_packs(folders: Iterable[Path]) -> list[Pack]:
    """Return the packs of `folders`, in order; a folder without `pack.toml` is a folder of packs.

    Raises `PackInvalid` for the first pack with mistakes, `PackNotFound` when there is none.
    """
    packs: list[Pack] = []
    for folder in folders:
        if (folder / "pack.toml").is_file():
            packs.append(read_pack(folder))
            continue
        inside = sorted(path.parent for path in folder.glob("*/pack.toml"))
        if not inside:
            raise _not_found(folder)
        packs.extend(read_pack(path) for path in inside)
    return packs


def read_pack(folder: Path) -> Pack:
    """Return the pack in `folder`; raises `PackInvalid` with all mistakes of form, or `PackNotFound`."""
    if not (folder / "pack.toml").is_file():
        raise _not_found(folder)
    reading = _Reading(folder)
    info = reading.one("pack.toml", PackInfo.model_validate)
    entities = reading.all("entities", EntitySpec.model_validate)
    tables = reading.all("tables", TableSpec.model_validate)
    feeds = reading.all("feeds", ANY_FEED.validate_python)
    vitals = reading.all("vitals", VitalSpec.model_validate)
    pools = reading.all("pools", PoolSpec.model_validate)
    expectations = reading.all("expect", Expectation.model_validate)
    cases = reading.all("cases", CasesSpec.model_validate)
    chains = reading.all("chains", ChainSpec.model_validate)
    rules = reading.all("rules", RuleSpec.model_validate)
    if reading.findings or info is None:
        raise PackInvalid(str(folder), reading.findings)
    return Pack(
        info=info,
        folder=folder,
        entities=tuple(entities),
        tables=tuple(tables),
        feeds=tuple(feeds),
        vitals=tuple(vitals),
        rules=tuple(rules),
        pools=tuple(pools),
        expectations=tuple(expectations),
        chains=tuple(chains),
        cases=CasesSpec(
            units=tuple(unit for spec in cases for unit in spec.units),
            categories=tuple(category for spec in cases for category in spec.categories),
        ),
    )


def _not_found(folder: Path) -> PackNotFound:
    return PackNotFound(
        f"{folder} holds no domain pack",
        param=str(folder),
        fix="name a folder that holds a pack.toml, or a folder of such folders",
    )


class _Reading:
    """Reads the files of one pack and gathers what is wrong in them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.findings: list[Finding] = []

    def all(self, part: str, build: Callable[[Any], T]) -> list[T]:
        paths = sorted((self._folder / part).glob("*.toml"))
        built = [self.one(f"{part}/{path.name}", build) for path in paths]
        return [spec for spec in built if spec is not None]

    def one(self, name: str, build: Callable[[Any], T]) -> T | None:
        try:
            text = (self._folder / name).read_text(encoding="utf-8")
            return build(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self.findings.append(
                Finding(name, "", f"not valid TOML: {error}", "correct the syntax", _line_in(error))
            )
        except ValidationError as error:
            self.findings.extend(_findings(name, text, error))
        return None


def _findings(name: str, text: str, error: ValidationError) -> list[Finding]:
    found = []
    for detail in error.errors(include_url=False, include_context=False):
        parts = [part for part in detail["loc"] if part not in FEEDS]
        key = ".".join(str(part) for part in parts)
        fix = _FIXES.get(detail["type"], "give a value of the kind the message asks for")
        found.append(Finding(name, key, detail["msg"], fix, _line_of(text, parts)))
    return found


def _line_of(text: str, parts: list[int | str]) -> int | None:
    """Return the only line that sets the key named last in `parts`; None when it is not so simple."""
    names = [part for part in parts if isinstance(part, str)]
    if not names:
        return None
    pattern = re.compile(rf"^\s*(?:\[+.*\b)?[\"']?{re.escape(names[-1])}[\"']?\s*(?:=|\]+\s*$)")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]
    return lines[0] if len(lines) == 1 else None


def _line_in(error: Exception) -> int | None:
    match = re.search(r"at line (\d+)", str(error))
    return int(match[1]) if match else None
