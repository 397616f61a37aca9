"""Decisions, changes and locks are in order."""

from __future__ import annotations

import json
import re
import tomllib

from tests.repo.documents import ROOT, tracked

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
AUDIENCES = {
    "Officers, managers, workers",
    "Citizens",
    "Administrators",
    "Developers and integrators",
}
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)", re.M)


def locked(file: str) -> dict[str, str]:
    """Return package name to version of a lock file."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return {normal(match["name"]): match["version"] for match in _PINNED.finditer(text)}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(requirements: list[str]) -> set[str]:
    names = (re.match(r"[A-Za-z0-9._-]+", line) for line in requirements)
    return {normal(match[0]) for match in names if match}


def test_no_two_decisions_have_one_number() -> None:
    # Numbers are given out before the decisions are written, so one may be missing.
    files = sorted((ROOT / "docs/decisions").glob("*.md"))
    numbers = [int(file.name[:4]) for file in files]
    assert len(numbers) == len(set(numbers))
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(file.name[:4])}. "), file.name
        assert re.search(r"^Status: \w+", text, re.M), f"{file.name} has no status"


def test_changes_to_come_are_grouped_by_whom_they_concern() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased = re.search(r"^## Unreleased\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert unreleased
    groups = dict(re.findall(r"^### (.+)\n\n((?:- .*\n(?:  .*\n)*)+)", unreleased[1], re.M))
    assert groups
    assert set(groups) <= AUDIENCES


def test_the_locks_cover_what_the_project_needs() -> None:
    run, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    build = wanted(PROJECT["build-system"]["requires"])
    assert wanted(PROJECT["project"]["dependencies"]) | build <= run.keys()
    assert wanted(PROJECT["project"]["optional-dependencies"]["dev"]) <= dev.keys() | run.keys()
    assert {name for name in run.keys() & dev.keys() if run[name] != dev[name]} == set()


def test_every_locked_package_is_locked_by_hash() -> None:
    for file in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / file).read_text(encoding="utf-8")
        parts = re.split(r"^(?=[A-Za-z0-9._-]+==)", text, flags=re.M)[1:]
        assert [part.splitlines()[0] for part in parts if "--hash=sha256:" not in part] == []
        assert "://" not in text.replace("https://", "") or "--index-url" not in text


def test_the_browser_libraries_are_locked_by_content_and_by_no_address() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert [name for name, one in packages.items() if not one.get("integrity")] == []
    assert [name for name, one in packages.items() if "resolved" in one] == []


def test_no_browser_library_is_committed() -> None:
    folder = "src/chengmai/web/static"
    names = [str(file.relative_to(ROOT)) for file in tracked()]
    foreign = [name for name in names if name.startswith(f"{folder}/vendor") or ".min." in name]
    assert foreign == []
    own = [ROOT / name for name in names if name.startswith(folder)]
    assert [file.name for file in own if file.stat().st_size > 40_000] == []


def test_no_two_migrations_have_one_number() -> None:
    files = sorted((ROOT / "src/chengmai/store/sqlite/sql").glob("*.sql"))
    numbers = [file.name[:4] for file in files]
    assert len(numbers) == len(set(numbers)), "a city could not begin"
